"""Django's password hashers, with the hashing done in Rust.

Each class is a subclass of Django's class of the same name: same algorithm, same text in
the database, same parameters (read from Django's class, so an upgrade of Django raises
them), and Django's own `must_update`, `harden_runtime` and `safe_summary`. `encode` alone
goes elsewhere, and `verify` by it. argon2-cffi and bcrypt need not be installed.

Chosen by `PASSWORD_HASHERS`; see docs/guides/passwords.md.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.auth import hashers
from django.utils.encoding import force_str

from yett._yett import hash_argon2, hash_bcrypt, hash_pbkdf2, hash_scrypt, password_matches

__all__ = [
    "Argon2PasswordHasher",
    "BCryptPasswordHasher",
    "BCryptSHA256PasswordHasher",
    "PBKDF2PasswordHasher",
    "PBKDF2SHA1PasswordHasher",
    "ScryptPasswordHasher",
]


def password_bytes(password: str | bytes) -> bytes:
    """Return what is hashed; `TypeError` for what is no password, `None` above all."""
    if isinstance(password, str):
        return password.encode()
    if isinstance(password, bytes):
        return password
    raise TypeError("password must be provided, as text or bytes.")


def named_for(hasher: hashers.BasePasswordHasher, encoded: str) -> str:
    """Return the text under the name of the hasher, which a subclass may have changed."""
    return f"{hasher.algorithm}${encoded.partition('$')[2]}"


def malformed() -> ValueError:
    """Return the error for a stored text that no hasher here wrote."""
    return ValueError("the stored password hash is malformed")


class PBKDF2PasswordHasher(hashers.PBKDF2PasswordHasher):
    """PBKDF2 with SHA-256: Django's default.

    A subclass with a `digest` beyond SHA-256 and SHA-1 is hashed by Django.
    """

    names: ClassVar[dict[Any, str]] = {
        hashlib.sha256: "pbkdf2_sha256",
        hashlib.sha1: "pbkdf2_sha1",
    }

    def encode(self, password: str | bytes, salt: str, iterations: int | None = None) -> str:
        """Return the text to store."""
        self._check_encode_args(password, salt)  # type: ignore[attr-defined]  # not in stubs
        name = self.names.get(self.digest)
        if name is None:
            return super().encode(password, salt, iterations)  # type: ignore[arg-type]
        rounds = iterations or self.iterations
        encoded = hash_pbkdf2(name, password_bytes(password), force_str(salt), rounds)
        return named_for(self, encoded)


class PBKDF2SHA1PasswordHasher(PBKDF2PasswordHasher, hashers.PBKDF2SHA1PasswordHasher):
    """PBKDF2 with SHA-1, for hashes from elsewhere."""


class ScryptPasswordHasher(hashers.ScryptPasswordHasher):
    """scrypt. `maxmem` is not looked at: the bound on memory is one for all."""

    def encode(
        self,
        password: str | bytes,
        salt: str,
        n: int | None = None,
        r: int | None = None,
        p: int | None = None,
    ) -> str:
        """Return the text to store."""
        self._check_encode_args(password, salt)  # type: ignore[attr-defined]  # not in stubs
        costs = (n or self.work_factor, r or self.block_size, p or self.parallelism)
        encoded = hash_scrypt(password_bytes(password), force_str(salt), costs)
        return named_for(self, encoded)


@dataclass
class Argon2Parameters:
    """What Django compares to see whether a hash is old; argon2-cffi has the same fields."""

    type: str
    version: int
    salt_len: int
    hash_len: int
    time_cost: int
    memory_cost: int
    parallelism: int


class Argon2PasswordHasher(hashers.Argon2PasswordHasher):
    """Argon2id, edition 1.3, 32 bytes of output.

    `decode` and `params` are written anew, since Django's ask argon2-cffi.
    """

    def params(self) -> Argon2Parameters:
        """Return the parameters of new hashes; `salt_len` means nothing, as in Django."""
        return Argon2Parameters(
            type="argon2id",
            version=19,
            salt_len=16,
            hash_len=32,
            time_cost=self.time_cost,
            memory_cost=self.memory_cost,
            parallelism=self.parallelism,
        )

    def encode(self, password: str | bytes, salt: str | bytes) -> str:
        """Return the text to store."""
        params = self.params()
        costs = (params.memory_cost, params.time_cost, params.parallelism)
        secret, salted = password_bytes(password), password_bytes(salt)
        encoded = hash_argon2(params.type, secret, salted, costs, params.hash_len)
        return named_for(self, encoded)

    def verify(self, password: str | bytes, encoded: str) -> bool:
        """Return whether this is the password."""
        algorithm, _, rest = encoded.partition("$")
        if algorithm != self.algorithm:
            raise malformed()
        return password_matches(password_bytes(password), f"argon2${rest}")

    def decode(self, encoded: str) -> dict[str, Any]:
        """Return the parts of a stored text; `ValueError` when it has others."""
        algorithm, variety, *version, numbers, salt, digest = encoded.split("$")
        if algorithm != self.algorithm or len(version) > 1:
            raise malformed()
        # Texts that do not tell their edition are of one before 1.3; argon2-cffi says 18.
        pairs = [*(version or ["v=18"]), *numbers.split(",")]
        values = {name: int(value) for name, value in (pair.split("=") for pair in pairs)}
        if values.keys() != {"v", "m", "t", "p"} or len(pairs) != 4:
            raise malformed()
        padded = salt + "=" * (-len(salt) % 4)
        params = Argon2Parameters(
            type=variety,
            version=values["v"],
            salt_len=len(salt) * 3 // 4,
            hash_len=len(digest) * 3 // 4,
            time_cost=values["t"],
            memory_cost=values["m"],
            parallelism=values["p"],
        )
        return {
            "algorithm": algorithm,
            "hash": digest,
            "memory_cost": params.memory_cost,
            "parallelism": params.parallelism,
            "salt": base64.b64decode(padded, validate=True).decode("latin1"),
            "time_cost": params.time_cost,
            "variety": variety,
            "version": params.version,
            "params": params,
        }


#: From the letters of base64 to those of bcrypt, which are as many in another order.
TO_BCRYPT = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
)


class BCryptSHA256PasswordHasher(hashers.BCryptSHA256PasswordHasher):
    """bcrypt over the password's SHA-256.

    A subclass with another `digest` is hashed by Django, with the package bcrypt.
    """

    names: ClassVar[dict[Callable[..., Any] | None, str]] = {
        hashlib.sha256: "bcrypt_sha256",
        None: "bcrypt",
    }

    def salt(self) -> bytes:  # type: ignore[override]  # Django's, too, returns bytes
        """Return work factor and random salt in the form that bcrypt calls the salt."""
        letters = base64.b64encode(secrets.token_bytes(16)).rstrip(b"=")
        return b"$2b$%02d$%s" % (self.rounds, letters.translate(TO_BCRYPT))

    def encode(self, password: str | bytes, salt: str | bytes) -> str:
        """Return the text to store."""
        name = self.names.get(self.digest)
        if name is None:
            return super().encode(password, salt)  # type: ignore[arg-type]
        encoded = hash_bcrypt(name, password_bytes(password), force_str(salt))
        return named_for(self, encoded)


class BCryptPasswordHasher(BCryptSHA256PasswordHasher, hashers.BCryptPasswordHasher):
    """bcrypt over the first 72 bytes of the password, as Django documents it."""
