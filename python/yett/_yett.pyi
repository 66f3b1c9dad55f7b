"""Types of the extension module `yett._yett` (Rust, crate `yett-python`).

Only names and types; what each does is said in the crate's documentation. This
part is JSON Web Tokens; the worker's part (WSGI) stands below it, then passwords.
"""

from collections.abc import Callable
from typing import Any, final

from typing_extensions import Self

__all__ = [
    "Identity",
    "Refused",
    "Signer",
    "StartResponse",
    "Verifier",
    "WorkerLink",
    "__version__",
    "danger_peek",
    "hash_argon2",
    "hash_bcrypt",
    "hash_pbkdf2",
    "hash_scrypt",
    "password_matches",
]
__version__: str

class Refused(ValueError):
    """A token was refused.

    `kind` is one word for code to decide on: "expired", "immature", "signature",
    "algorithm", "malformed", "claim", "issuer", "audience" and others. The text is for
    the log; it holds neither the token nor the key.
    """

    kind: str

@final
class Signer:
    """Signs with one key and its one algorithm."""

    def __new__(cls, algorithm: str, key: bytes, *, danger_short_key: bool = False) -> Self:
        """Raise `ValueError`, with one sentence, for a key that cannot be used safely.

        `danger_short_key` waives the length of the key (32 bytes for HS256), nothing else.
        """

    def sign(self, payload: bytes) -> str:
        """Sign a JSON object (UTF-8 text); `ValueError` when it is not one."""

@final
class Verifier:
    """Proves tokens under one key, its one algorithm and one set of rules."""

    def __new__(
        cls,
        algorithm: str,
        key: bytes,
        *,
        leeway: int = 0,
        issuer: str | None = None,
        audience: list[str] | None = None,
        danger_short_key: bool = False,
    ) -> Self:
        """`leeway` in seconds; `issuer` and `audience` are demanded when given."""

    def verify(self, token: str, now: int) -> bytes:
        """Return the payload's JSON as it was signed, or raise `Refused`.

        `now` in seconds since 1970 (UTC): the clock is the caller's.
        """

def danger_peek(token: str) -> bytes:
    """Return the payload's JSON without any proof; `Refused` when it is no token at all."""

@final
class Identity:
    """A bearer token that the server has proved. Only the server makes one."""

    @property
    def token(self) -> str:
        """The raw token, exactly as the client sent it."""

    @property
    def claims(self) -> dict[str, Any]:
        """The proved claims, as a fresh dictionary on each access."""

@final
class StartResponse:
    """The callable that an application gets as `start_response` (PEP 3333)."""

    def __call__(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,
        /,
    ) -> Callable[[bytes], None]: ...
    def write(self, data: bytes) -> None: ...

@final
class WorkerLink:
    """The worker's end of its link to the edge."""

    def __new__(cls, descriptor: int) -> Self:
        """Take over the descriptor; it must be nobody else's."""

    def ready(self) -> None:
        """Tell the edge that requests can come."""

    def serve_wsgi(
        self,
        application: Any,
        environ: dict[str, Any],
        report: Callable[[BaseException, dict[str, Any], bool], None],
    ) -> None:
        """Answer requests until the edge wants no more. Every thread calls this once."""

def hash_pbkdf2(algorithm: str, password: bytes, salt: str, iterations: int) -> str:
    """Return the text that Django stores; `algorithm` is "pbkdf2_sha256" or "pbkdf2_sha1".

    Of all five functions: other threads run meanwhile; `ValueError` for work beyond the
    bounds (docs/guides/passwords.md) and for a salt or text that cannot be right.
    """

def hash_scrypt(password: bytes, salt: str, costs: tuple[int, int, int]) -> str:
    """Return the text that Django stores; `costs` are N, r and p."""

def hash_argon2(
    variety: str,
    password: bytes,
    salt: bytes,
    costs: tuple[int, int, int],
    digest_length: int,
) -> str:
    """Return the text that Django stores; `costs` are memory in KiB, passes and lanes.

    `variety` is "argon2id", "argon2i" or "argon2d"; the edition is 1.3. `MemoryError` when
    the memory is not to be had.
    """

def hash_bcrypt(algorithm: str, password: bytes, setting: str) -> str:
    """Return the text that Django stores; `algorithm` is "bcrypt_sha256" or "bcrypt".

    `setting` is what Django calls the salt: "$2b$12$" and 22 letters.
    """

def password_matches(password: bytes, encoded: str) -> bool:
    """Return whether a password is that of a text which Django stored."""
