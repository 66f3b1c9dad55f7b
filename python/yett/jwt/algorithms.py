"""The algorithms as objects, under PyJWT's names, all of them backed by keys in Rust.

`prepare_key` gives a `yett._yett.Key` that can be used again and again (bytes for a shared
secret, as with PyJWT). A key that is no material of the algorithm is an `InvalidKeyError`.
Own algorithms derive from `Algorithm` and are made known with `register_algorithm`.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, NoReturn, TypeAlias, cast, overload

from yett._yett import Key
from yett.jwt import _material
from yett.jwt.exceptions import InvalidAlgorithmError, InvalidKeyError
from yett.jwt.types import HashlibHash, JWKDict
from yett.jwt.utils import base64url_decode, base64url_encode, force_bytes

#: What the algorithms with public keys take besides text: keys in Rust, objects of `cryptography`.
AllowedKeys: TypeAlias = Key | _material.ForeignKey
AllowedRSAKeys: TypeAlias = AllowedKeys
AllowedECKeys: TypeAlias = AllowedKeys
AllowedOKPKeys: TypeAlias = AllowedKeys
AllowedPrivateKeys: TypeAlias = Key | _material.PrivateKeyObject
AllowedPublicKeys: TypeAlias = Key | _material.PublicKeyObject

#: Public keys work always here; PyJWT has them with the package `cryptography` alone.
has_crypto = True

#: The algorithms that need `cryptography` in PyJWT; here none does. Others read this list.
requires_cryptography = {
    "RS256",
    "RS384",
    "RS512",
    "ES256",
    "ES256K",
    "ES384",
    "ES512",
    "PS256",
    "PS384",
    "PS512",
    "EdDSA",
}


class Algorithm(ABC):
    """How tokens are signed and verified."""

    def compute_hash_digest(self, bytestr: bytes) -> bytes:
        """The hash that belongs to the algorithm; `NotImplementedError` where there is none."""
        hash_alg = getattr(self, "hash_alg", None)
        if hash_alg is None:
            raise NotImplementedError
        return bytes(hash_alg(bytestr).digest())

    def check_crypto_key_type(self, key: Any) -> None:
        """Raise `InvalidKeyError` for a key of another family."""
        raise ValueError("The algorithm has no family of keys")

    @abstractmethod
    def prepare_key(self, key: Any) -> Any:
        """Check a key and make of it what `sign` and `verify` take."""

    @abstractmethod
    def sign(self, msg: bytes, key: Any) -> bytes:
        """The signature over `msg`."""

    @abstractmethod
    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        """Whether `sig` is the key's signature over `msg`."""

    @overload
    @staticmethod
    @abstractmethod
    def to_jwk(key_obj: Any, as_dict: Literal[True]) -> JWKDict: ...
    @overload
    @staticmethod
    @abstractmethod
    def to_jwk(key_obj: Any, as_dict: Literal[False] = False) -> str: ...
    @staticmethod
    @abstractmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> JWKDict | str:
        """A key as a JSON Web Key: its private part too, if it has one."""

    @staticmethod
    @abstractmethod
    def from_jwk(jwk: str | JWKDict) -> Any:
        """A key from a JSON Web Key."""

    def check_key_length(self, key: Any) -> str | None:
        """A sentence about a key that is too short; `None` for one that is not."""
        return None


class NoneAlgorithm(Algorithm):
    """`none`: signs nothing, accepts nothing. It is here so that imports work."""

    def prepare_key(self, key: str | None) -> None:
        if key:
            raise InvalidKeyError('The algorithm "none" has no key')

    def sign(self, msg: bytes, key: None) -> NoReturn:
        raise InvalidAlgorithmError("Unsigned tokens are not made")

    def verify(self, msg: bytes, key: None, sig: bytes) -> bool:
        return False

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> NoReturn:
        raise NotImplementedError

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> NoReturn:
        raise NotImplementedError


class HMACAlgorithm(Algorithm):
    """HMAC with a shared secret (RFC 7518 section 3.2)."""

    SHA256: ClassVar[HashlibHash] = hashlib.sha256
    SHA384: ClassVar[HashlibHash] = hashlib.sha384
    SHA512: ClassVar[HashlibHash] = hashlib.sha512

    def __init__(self, hash_alg: HashlibHash) -> None:
        self.hash_alg = hash_alg
        self._name = f"HS{hash_alg().digest_size * 8}"

    def _key(self, key: str | bytes | Key) -> Key:
        if isinstance(key, Key):
            return key.bound_to(self._name)
        if _material.is_foreign(key):
            raise InvalidKeyError("The key is an asymmetric key, not a shared secret")
        return Key.hmac(self._name, force_bytes(key))

    def prepare_key(self, key: str | bytes) -> bytes:
        # The key in Rust is made for its checks: PyJWT's callers expect the bytes.
        self._key(key)
        return key if isinstance(key, Key) else force_bytes(key)

    def check_key_length(self, key: str | bytes) -> str | None:
        return self._key(key).weakness

    def sign(self, msg: bytes, key: bytes) -> bytes:
        return self._key(key).sign(msg)

    def verify(self, msg: bytes, key: bytes, sig: bytes) -> bool:
        return self._key(key).verify(msg, sig)

    @overload
    @staticmethod
    def to_jwk(key_obj: str | bytes, as_dict: Literal[True]) -> JWKDict: ...
    @overload
    @staticmethod
    def to_jwk(key_obj: str | bytes, as_dict: Literal[False] = False) -> str: ...
    @staticmethod
    def to_jwk(key_obj: str | bytes, as_dict: bool = False) -> JWKDict | str:
        return _jwk({"k": base64url_encode(force_bytes(key_obj)).decode(), "kty": "oct"}, as_dict)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> bytes:
        members = _members(jwk, "oct")
        # The key in Rust is made for its checks, which include those of `k`.
        Key.from_jwk(json.dumps(members).encode(), _declared(members, "HS256"))
        return base64url_decode(members["k"])


class _PublicKeyAlgorithm(Algorithm):
    """What RSA, EC and Ed25519 have in common."""

    _family: ClassVar[str]
    _no_key: ClassVar[type[Exception]] = TypeError

    def _load(self, text: bytes) -> Key:
        raise NotImplementedError

    def _convert(self, key: _material.ForeignKey) -> Key:
        raise NotImplementedError

    def _fit(self, key: Key) -> Key:
        raise NotImplementedError

    def prepare_key(self, key: AllowedKeys | str | bytes) -> Key:
        if isinstance(key, Key):
            self.check_crypto_key_type(key)
            return self._fit(key)
        if isinstance(key, (str, bytes)):
            return self._load(force_bytes(key))
        if _material.is_foreign(key):
            return self._convert(key)
        raise self._no_key("Expecting a PEM-formatted key, a prepared key or a PyJWK.")

    def check_crypto_key_type(self, key: Any) -> None:
        if not isinstance(key, Key):
            key = self.prepare_key(key)
        if key.key_type != self._family:
            raise InvalidKeyError(f"The key is of the family {key.key_type}, not {self._family}")

    def sign(self, msg: bytes | str, key: AllowedKeys) -> bytes:
        return self.prepare_key(key).sign(force_bytes(msg))

    def verify(self, msg: bytes | str, key: AllowedKeys, sig: bytes | str) -> bool:
        return self.prepare_key(key).verify(force_bytes(msg), force_bytes(sig))


class RSAAlgorithm(_PublicKeyAlgorithm):
    """RSASSA-PKCS1-v1_5 (RFC 7518 section 3.3). Keys of fewer than 2048 bits are refused."""

    SHA256: ClassVar[HashlibHash] = hashlib.sha256
    SHA384: ClassVar[HashlibHash] = hashlib.sha384
    SHA512: ClassVar[HashlibHash] = hashlib.sha512

    _family = "RSA"
    _prefix: ClassVar[str] = "RS"

    def __init__(self, hash_alg: HashlibHash) -> None:
        self.hash_alg = hash_alg
        self._name = f"{self._prefix}{hash_alg().digest_size * 8}"

    def _load(self, text: bytes) -> Key:
        try:
            return _material.from_text(self._name, text)
        except InvalidKeyError as error:
            raise InvalidKeyError(f"Could not parse the provided public key. {error}") from None

    def _convert(self, key: _material.ForeignKey) -> Key:
        return _material.from_foreign(self._name, key)

    def _fit(self, key: Key) -> Key:
        return key.bound_to(self._name)

    def check_key_length(self, key: AllowedKeys) -> str | None:
        return self.prepare_key(key).weakness

    @overload
    @staticmethod
    def to_jwk(key_obj: AllowedKeys, as_dict: Literal[True]) -> JWKDict: ...
    @overload
    @staticmethod
    def to_jwk(key_obj: AllowedKeys, as_dict: Literal[False] = False) -> str: ...
    @staticmethod
    def to_jwk(key_obj: AllowedKeys, as_dict: bool = False) -> JWKDict | str:
        key = _exported(RSAAlgorithm(hashlib.sha256), key_obj)
        members = _parameters(key, ("n", "e", "d", "p", "q", "dp", "dq", "qi"))
        operation = "sign" if key.is_private else "verify"
        return _jwk({"kty": "RSA", "key_ops": [operation], **members}, as_dict)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> Key:
        members = _members(jwk, "RSA")
        return Key.from_jwk(json.dumps(members).encode(), _declared(members, "RS256"))


class RSAPSSAlgorithm(RSAAlgorithm):
    """RSASSA-PSS with MGF1, the salt as long as the hash (RFC 7518 section 3.5)."""

    _prefix = "PS"


_EC_ALGORITHMS = ("ES256", "ES384", "ES512", "ES256K")

_CURVES = {
    "ES256": "secp256r1",
    "ES384": "secp384r1",
    "ES512": "secp521r1",
    "ES256K": "secp256k1",
}

_EC_DIGESTS = {"ES256": 32, "ES384": 48, "ES512": 64, "ES256K": 32}


class ECAlgorithm(_PublicKeyAlgorithm):
    """ECDSA (RFC 7518 section 3.4, RFC 8812). Each hash goes with its own curve alone.

    `expected_curve` is a name such as `secp256r1`, or a class of `cryptography` with that
    `name`. Without one, `prepare_key` takes any of the four curves.
    """

    SHA256: ClassVar[HashlibHash] = hashlib.sha256
    SHA384: ClassVar[HashlibHash] = hashlib.sha384
    SHA512: ClassVar[HashlibHash] = hashlib.sha512

    _family = "EC"

    def __init__(self, hash_alg: HashlibHash, expected_curve: Any = None) -> None:
        self.hash_alg = hash_alg
        self.expected_curve = expected_curve

    @property
    def _wanted(self) -> str | None:
        return cast("str | None", getattr(self.expected_curve, "name", self.expected_curve))

    def _names(self) -> list[str]:
        return [n for n in _EC_ALGORITHMS if self._wanted in (None, _CURVES[n])]

    def _load(self, text: bytes) -> Key:
        return self._first(lambda name: _material.from_text(name, text))

    def _convert(self, key: _material.ForeignKey) -> Key:
        return self._first(lambda name: _material.from_foreign(name, key))

    def _first(self, make: Any) -> Key:
        """The key for whichever of the allowed curves it is on."""
        refusal = InvalidKeyError(f"The curve {self._wanted} is not supported")
        for name in self._names():
            try:
                return cast(Key, make(name))
            except InvalidKeyError as error:
                refusal = error
        raise refusal

    def _fit(self, key: Key) -> Key:
        curve = _CURVES[key.algorithm]
        if self._wanted not in (None, curve):
            raise InvalidKeyError(
                f"The key is on the curve {curve}, the algorithm needs {self._wanted}"
            )
        return key

    def _with_its_hash(self, key: AllowedKeys) -> Key:
        prepared = self.prepare_key(key)
        if _EC_DIGESTS[prepared.algorithm] != self.hash_alg().digest_size:
            raise InvalidKeyError(f"A key for {prepared.algorithm} does not go with this hash")
        return prepared

    def sign(self, msg: bytes | str, key: AllowedKeys) -> bytes:
        return self._with_its_hash(key).sign(force_bytes(msg))

    def verify(self, msg: bytes | str, key: AllowedKeys, sig: bytes | str) -> bool:
        return self._with_its_hash(key).verify(force_bytes(msg), force_bytes(sig))

    @overload
    @staticmethod
    def to_jwk(key_obj: AllowedKeys, as_dict: Literal[True]) -> JWKDict: ...
    @overload
    @staticmethod
    def to_jwk(key_obj: AllowedKeys, as_dict: Literal[False] = False) -> str: ...
    @staticmethod
    def to_jwk(key_obj: AllowedKeys, as_dict: bool = False) -> JWKDict | str:
        key = _exported(ECAlgorithm(hashlib.sha256), key_obj)
        return _jwk({"kty": "EC", **_parameters(key, ("crv", "x", "y", "d"))}, as_dict)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> Key:
        return Key.from_jwk(json.dumps(_members(jwk, "EC")).encode())


class OKPAlgorithm(_PublicKeyAlgorithm):
    """Ed25519 (RFC 8037 section 3.1). Ed448 is not supported."""

    _family = "OKP"
    _no_key = InvalidKeyError

    def __init__(self, **kwargs: Any) -> None:
        pass

    def _load(self, text: bytes) -> Key:
        return _material.from_text("EdDSA", text)

    def _convert(self, key: _material.ForeignKey) -> Key:
        return _material.from_foreign("EdDSA", key)

    def _fit(self, key: Key) -> Key:
        return key

    @overload
    @staticmethod
    def to_jwk(key_obj: AllowedKeys, as_dict: Literal[True]) -> JWKDict: ...
    @overload
    @staticmethod
    def to_jwk(key_obj: AllowedKeys, as_dict: Literal[False] = False) -> str: ...
    @staticmethod
    def to_jwk(key_obj: AllowedKeys, as_dict: bool = False) -> JWKDict | str:
        key = _exported(OKPAlgorithm(), key_obj)
        return _jwk({**_parameters(key, ("x", "d")), "kty": "OKP", "crv": "Ed25519"}, as_dict)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> Key:
        return Key.from_jwk(json.dumps(_members(jwk, "OKP")).encode())


def _members(jwk: object, kty: str) -> JWKDict:
    """A JWK given as text or as a dictionary, which must be of the family."""
    try:
        members = json.loads(jwk) if isinstance(jwk, str) else jwk
    except (ValueError, RecursionError):
        raise InvalidKeyError("Key is not valid JSON") from None
    if not isinstance(members, dict):
        raise InvalidKeyError("Key is not valid JSON")
    if members.get("kty") != kty:
        raise InvalidKeyError(f"The JWK is not of the type {kty}")
    return members


def _declared(members: JWKDict, otherwise: str) -> str:
    """The algorithm that a JWK names. One that names none can be used with its whole family."""
    name = members.get("alg", otherwise)
    if not isinstance(name, str):
        raise InvalidKeyError("The JWK names no algorithm that is supported")
    return name


def _exported(algorithm: _PublicKeyAlgorithm, key: Any) -> Key:
    if not isinstance(key, Key) and not _material.is_foreign(key):
        raise InvalidKeyError("Not a public or private key")
    if isinstance(key, Key):
        algorithm.check_crypto_key_type(key)
        return key
    return algorithm.prepare_key(key)


def _parameters(key: Key, names: tuple[str, ...]) -> JWKDict:
    text = key.danger_to_jwk() if key.is_private else key.to_jwk()
    members = json.loads(text)
    return {name: members[name] for name in names if name in members}


def _jwk(members: JWKDict, as_dict: bool) -> JWKDict | str:
    return members if as_dict else json.dumps(members)


def get_default_algorithms() -> dict[str, Algorithm]:
    """The algorithms that are implemented, by the names that tokens give them."""
    sha256, sha384, sha512 = hashlib.sha256, hashlib.sha384, hashlib.sha512
    return {
        "none": NoneAlgorithm(),
        "HS256": HMACAlgorithm(sha256),
        "HS384": HMACAlgorithm(sha384),
        "HS512": HMACAlgorithm(sha512),
        "RS256": RSAAlgorithm(sha256),
        "RS384": RSAAlgorithm(sha384),
        "RS512": RSAAlgorithm(sha512),
        "ES256": ECAlgorithm(sha256, "secp256r1"),
        "ES256K": ECAlgorithm(sha256, "secp256k1"),
        "ES384": ECAlgorithm(sha384, "secp384r1"),
        "ES512": ECAlgorithm(sha512, "secp521r1"),
        "PS256": RSAPSSAlgorithm(sha256),
        "PS384": RSAPSSAlgorithm(sha384),
        "PS512": RSAPSSAlgorithm(sha512),
        "EdDSA": OKPAlgorithm(),
        "Ed25519": OKPAlgorithm(),
    }


_DEFAULTS = get_default_algorithms()


def prepared(name: str, key: Any) -> Key:
    """The key in Rust for an algorithm, whatever form the caller has it in.

    The Rust side calls this once per key and algorithm and remembers the answer.
    """
    algorithm = _DEFAULTS[name]
    made = algorithm.prepare_key(key)
    return made if isinstance(made, Key) else Key.hmac(name, made)
