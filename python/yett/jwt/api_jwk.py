"""JSON Web Keys and sets of them (RFC 7517), under PyJWT's names.

A `PyJWK` carries its one algorithm; a token cannot choose another. What the JWK itself says
of its use (`alg`, `use`, `key_ops`) is honoured.
"""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

from yett._yett import Key, read_json
from yett.jwt.algorithms import Algorithm, get_default_algorithms
from yett.jwt.exceptions import (
    DecodeError,
    InvalidKeyError,
    PyJWKError,
    PyJWKSetError,
    PyJWTError,
)
from yett.jwt.types import JWKDict
from yett.jwt.utils import base64url_decode, force_bytes

#: A set may have this many members, unusable ones counted. Each costs as much as a proof.
MOST_KEYS: Final = 128

_BY_CURVE = {
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
    ("EC", "secp256k1"): "ES256K",
    ("OKP", "Ed25519"): "EdDSA",
}

_BY_TYPE = {"RSA": "RS256", "oct": "HS256"}


class PyJWK:
    """One key and its algorithm: `algorithm`, else the JWK's `alg`, else what its type means.

    Raises `PyJWKError` for an algorithm that is not supported, and `InvalidKeyError` for
    everything that makes the key useless.
    """

    def __init__(self, jwk_data: JWKDict, algorithm: str | None = None) -> None:
        if not isinstance(jwk_data, dict):
            raise InvalidKeyError("The JWK is not a JSON object")
        self._jwk_data = jwk_data
        kty = jwk_data.get("kty")
        if not kty:
            raise InvalidKeyError("kty is not found")
        name = algorithm or jwk_data.get("alg") or _natural_algorithm(jwk_data)
        #: The one algorithm that this key is for.
        self.algorithm_name: str = name
        known = get_default_algorithms()
        if not isinstance(name, str) or name not in known or name == "none":
            raise PyJWKError("Unable to find an algorithm for the key")
        self.Algorithm: Algorithm = known[name]
        # What `decode` and `encode` take; the Rust side reads this attribute.
        self._prepared = Key.from_jwk(_jwk_text(jwk_data), name)
        #: A `yett._yett.Key`; for a shared secret its bytes, as with PyJWT.
        self.key: Key | bytes = self._prepared
        if self._prepared.key_type == "oct":
            self.key = base64url_decode(jwk_data["k"])

    @staticmethod
    def from_dict(obj: JWKDict, algorithm: str | None = None) -> "PyJWK":
        """A key from a decoded JWK."""
        return PyJWK(obj, algorithm)

    @staticmethod
    def from_json(data: str, algorithm: str | None = None) -> "PyJWK":
        """A key from a JWK's text; `ValueError` when that is not one JSON object, strictly read."""
        return PyJWK.from_dict(json_object(data), algorithm)

    @property
    def key_type(self) -> str | None:
        """`kty`: the family."""
        return self._jwk_data.get("kty", None)

    @property
    def key_id(self) -> str | None:
        """`kid`: the name that tokens call it by."""
        return self._jwk_data.get("kid", None)

    @property
    def public_key_use(self) -> str | None:
        """`use`: `sig`, or nothing said."""
        return self._jwk_data.get("use", None)

    def __repr__(self) -> str:
        return f"<PyJWK {self.algorithm_name} kid={self.key_id!r}>"


def json_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object as Rust reads it: no name twice, at most 32 levels; else `ValueError`."""
    if not isinstance(text, (str, bytes)):
        raise TypeError("Expected a string or bytes value")
    try:
        return read_json(force_bytes(text))
    except (ValueError, DecodeError) as error:
        # UnicodeEncodeError among them: half a surrogate pair.
        reason = "not UTF-8" if isinstance(error, UnicodeError) else str(error)
        raise ValueError(f"The JSON is refused: {reason}") from None


def _natural_algorithm(jwk_data: JWKDict) -> str:
    kty, crv = jwk_data.get("kty"), jwk_data.get("crv")
    if kty in ("EC", "OKP"):
        found = _BY_CURVE.get((kty, crv)) if isinstance(crv, str) else None
        if found is None:
            raise InvalidKeyError("The curve (crv) is missing or not supported")
        return found
    if isinstance(kty, str) and kty in _BY_TYPE:
        return _BY_TYPE[kty]
    raise InvalidKeyError("The key type (kty) is not supported")


def _jwk_text(jwk_data: JWKDict) -> bytes:
    try:
        return json.dumps(jwk_data).encode()
    except (TypeError, ValueError, RecursionError):
        raise InvalidKeyError("The JWK is not JSON") from None


class PyJWKSet:
    """Several keys, at most `MOST_KEYS`. Members that cannot be used are skipped (RFC 7517
    section 5). Of keys with the same id the first one counts; `PyJWKClient` refuses such a set.
    """

    def __init__(self, keys: list[JWKDict]) -> None:
        if not keys:
            raise PyJWKSetError("The JWK Set did not contain any keys")
        if not isinstance(keys, list):
            raise PyJWKSetError("Invalid JWK Set value")
        if len(keys) > MOST_KEYS:
            raise PyJWKSetError(f"The JWK Set has {len(keys)} keys, more than {MOST_KEYS}")
        self.keys: list[PyJWK] = []
        for member in keys:
            if isinstance(member, dict):
                try:
                    self.keys.append(PyJWK(member))
                except PyJWTError:
                    continue
        if not self.keys:
            raise PyJWKSetError("The JWK Set did not contain any usable keys")

    @staticmethod
    def from_dict(obj: dict[str, Any]) -> "PyJWKSet":
        """A set from its decoded JSON."""
        if not isinstance(obj, dict):
            raise PyJWKSetError("Invalid JWK Set value")
        return PyJWKSet(obj.get("keys", []))

    @staticmethod
    def from_json(data: str) -> "PyJWKSet":
        """A set from its text; `ValueError` when that is not one JSON object, strictly read."""
        return PyJWKSet.from_dict(json_object(data))

    def __getitem__(self, kid: str) -> PyJWK:
        for key in self.keys:
            if key.key_id == kid:
                return key
        raise KeyError("the set has no key of that id")

    def __iter__(self) -> Iterator[PyJWK]:
        return iter(self.keys)


class PyJWTSetWithTimestamp:
    """A set and the moment it was made, on the monotonic clock."""

    def __init__(self, jwk_set: PyJWKSet) -> None:
        self.jwk_set = jwk_set
        self.timestamp = time.monotonic()

    def get_jwk_set(self) -> PyJWKSet:
        """The set."""
        return self.jwk_set

    def get_timestamp(self) -> float:
        """Seconds of `time.monotonic()`."""
        return self.timestamp
