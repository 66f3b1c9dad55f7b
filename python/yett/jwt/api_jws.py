"""Signed tokens with any payload (RFC 7515, compact form), under PyJWT's names.

The proof is made in Rust (`yett._yett.jws_verify`). Python is on the way only for algorithms
that the caller has registered, and there the token is taken apart by the same strict reader.

Never here: unsigned tokens, unencoded or detached payloads (RFC 7797), `crit`.
"""

import json
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from yett._yett import Algorithms, danger_split, jws_sign, jws_verify
from yett.jwt.algorithms import (
    Algorithm,
    AllowedPrivateKeys,
    AllowedPublicKeys,
    get_default_algorithms,
)
from yett.jwt.api_jwk import PyJWK
from yett.jwt.exceptions import (
    DecodeError,
    InvalidAlgorithmError,
    InvalidKeyError,
    InvalidSignatureError,
    InvalidTokenError,
)
from yett.jwt.types import SigOptions
from yett.jwt.utils import base64url_encode
from yett.jwt.warnings import InsecureKeyLengthWarning, RemovedInPyjwt3Warning

#: "Nothing was said", where `None` already means something.
UNSET: Final[Any] = object()

#: Tokens of more bytes are neither made nor read. PyJWT has no bound; servers bound headers at
#: 8 to 64 KiB. Work and memory are proportional to it.
LONGEST_TOKEN: Final = 64 * 1024

ALGORITHMS_NEEDED: Final = (
    'It is required that you pass in a value for the "algorithms" argument when calling decode().'
)

#: Bytes of a `kid`, as in Rust: ids are looked up and logged.
_LONGEST_KEY_ID: Final = 256

#: What PyJWT calls on the way and nobody calls here.
_IN_VAIN: Final = (
    "_load",
    "_verify_signature",
    "_validate_headers",
    "_validate_kid",
    "_validate_crit",
)

_DEFAULTS = get_default_algorithms()


def refuse_in_vain(cls: type, base: type, names: Iterable[str], instead: str) -> None:
    """Raise `TypeError` for a class, or what it inherits from before `base`, that overrides what
    is never called: whoever did may rely on it for security."""
    for above in cls.__mro__[: cls.__mro__.index(base)]:
        for name in names:
            if name in vars(above):
                raise TypeError(f"{name} is no hook of yett.jwt: override {instead}")


class PyJWS:
    """Signs and proves tokens with any payload.

    `algorithms` limits what is there at all; each call's `algorithms` chooses among that.
    """

    header_typ = "JWT"

    def __init__(
        self, algorithms: Sequence[str] | None = None, options: SigOptions | None = None
    ) -> None:
        self._algorithms: dict[str, Algorithm] = {
            name: algorithm
            for name, algorithm in _DEFAULTS.items()
            if algorithms is None or name in algorithms
        }
        self.options: SigOptions = self._get_default_options()
        if options is not None:
            self.options = {**self.options, **options}
        self._sort_out()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_in_vain(cls, PyJWS, _IN_VAIN, "decode_complete")

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "decode_complete":
            self._is_plain = False

    @staticmethod
    def _get_default_options() -> SigOptions:
        return {"verify_signature": True, "enforce_minimum_key_length": True}

    def _sort_out(self) -> None:
        """Tell what Rust may do from what the caller has registered."""
        names = [n for n, a in self._algorithms.items() if a is _DEFAULTS.get(n) and n != "none"]
        self._rust = Algorithms(names)
        self._own = {n: a for n, a in self._algorithms.items() if a is not _DEFAULTS.get(n)}
        self._is_plain = not self._own and "decode_complete" not in vars(self)

    def register_algorithm(self, alg_id: str, alg_obj: Algorithm) -> None:
        """Make an own algorithm known. Tokens that use it are handled in Python."""
        if alg_id in self._algorithms:
            raise ValueError("Algorithm already has a handler.")
        if not isinstance(alg_obj, Algorithm):
            raise TypeError("Object is not of type `Algorithm`")
        self._algorithms[alg_id] = alg_obj
        self._sort_out()

    def unregister_algorithm(self, alg_id: str) -> None:
        """Forget an algorithm; `KeyError` when there is none of that name."""
        if alg_id not in self._algorithms:
            raise KeyError("The algorithm is not registered.")
        del self._algorithms[alg_id]
        self._sort_out()

    def get_algorithms(self) -> list[str]:
        """The names of what is there."""
        return list(self._algorithms)

    def get_algorithm_by_name(self, alg_name: str) -> Algorithm:
        """The object behind a name; `NotImplementedError` when there is none."""
        try:
            return self._algorithms[alg_name]
        except KeyError:
            raise NotImplementedError("Algorithm not supported") from None

    def encode(
        self,
        payload: bytes,
        key: AllowedPrivateKeys | PyJWK | str | bytes,
        algorithm: str | None = UNSET,
        headers: dict[str, Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
        is_payload_detached: bool = False,
        sort_headers: bool = True,
    ) -> str:
        """Sign a payload.

        The algorithm is `headers["alg"]`, else `algorithm`, else the one of a `PyJWK`, else
        HS256. Raises `InvalidKeyError` for a key that does not fit or is too weak,
        `NotImplementedError` for an unknown algorithm, and `InvalidTokenError` for headers that
        no verifier should take.
        """
        name = self._signing_algorithm(key, algorithm, headers)
        if (
            not headers
            and not is_payload_detached
            and sort_headers
            and self.header_typ == "JWT"
            and name in self._algorithms
            and name not in self._own
        ):
            # What the rest of this function comes to.
            usual = f'{{"alg":"{name}","typ":"JWT"}}'
            return jws_sign(usual, payload, key, name, self._rust, self._enforces)
        header: dict[str, Any] = {"typ": self.header_typ, "alg": name}
        if headers:
            header.update(headers)
            if not header["alg"]:
                header["alg"] = name
        if not header["typ"]:
            del header["typ"]
        _check_members(header)
        if is_payload_detached or header.get("b64", True) is not True or "crit" in header:
            raise InvalidTokenError("Detached payloads, b64 and crit are not supported")
        header.pop("b64", None)
        header_json = json.dumps(
            header,
            separators=(",", ":"),
            cls=json_encoder,
            sort_keys=sort_headers,
            allow_nan=False,
        )
        own = self._own.get(name)
        if own is not None:
            return self._sign_with_own(own, header_json, payload, key)
        if name not in self._algorithms:
            raise NotImplementedError("Algorithm not supported")
        return jws_sign(header_json, payload, key, name, self._rust, self._enforces)

    @property
    def _enforces(self) -> bool:
        return bool(self.options.get("enforce_minimum_key_length", True))

    def _signing_algorithm(
        self, key: object, algorithm: str | None, headers: dict[str, Any] | None
    ) -> str:
        name = (headers.get("alg") if headers else None) or algorithm
        if name is UNSET or name is None:
            if isinstance(key, PyJWK):
                return key.algorithm_name
            name = "HS256" if name is UNSET else "none"
        if not isinstance(name, str):
            raise TypeError("The algorithm (alg) must be a string")
        if name == "none" and "none" not in self._own:
            raise InvalidAlgorithmError("Unsigned tokens are not made")
        return name

    def _sign_with_own(self, own: Algorithm, header_json: str, payload: bytes, key: Any) -> str:
        prepared = own.prepare_key(key.key if isinstance(key, PyJWK) else key)
        self._check_length(own, prepared, self._enforces)
        signed = base64url_encode(header_json.encode()) + b"." + base64url_encode(payload)
        token = signed + b"." + base64url_encode(own.sign(signed, prepared))
        return token.decode()

    @staticmethod
    def _check_length(own: Algorithm, key: Any, enforces: bool) -> None:
        sentence = own.check_key_length(key)
        if sentence and enforces:
            raise InvalidKeyError(sentence)
        if sentence:
            warnings.warn(sentence, InsecureKeyLengthWarning, stacklevel=4)

    def decode_complete(
        self,
        jwt: str | bytes,
        key: AllowedPublicKeys | PyJWK | str | bytes = "",
        algorithms: Iterable[str] | None = None,
        options: SigOptions | None = None,
        detached_payload: bytes | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Prove a token: its `header`, its `payload` as bytes, its `signature`."""
        _warn_of(kwargs)
        merged = self.options if options is None else {**self.options, **options}
        if detached_payload is not None:
            raise DecodeError("detached_payload needs a token with b64 false: not supported")
        verifies = bool(merged["verify_signature"])
        if verifies and not algorithms and not isinstance(key, PyJWK):
            raise DecodeError(ALGORITHMS_NEEDED)
        if not verifies:
            return self._unproven(jwt)
        enforces = bool(merged.get("enforce_minimum_key_length", True))
        if self._own:
            found = self._unproven(jwt)
            own = self._own.get(_algorithm_of(found["header"]))
            if own is not None:
                self._verify_with_own(own, jwt, found, key, algorithms, enforces)
                return found
        payload, header, signature = jws_verify(jwt, key, algorithms, self._rust, enforces)
        return {"header": header_members(header), "payload": payload, "signature": signature}

    def decode(
        self,
        jwt: str | bytes,
        key: AllowedPublicKeys | PyJWK | str | bytes = "",
        algorithms: Iterable[str] | None = None,
        options: SigOptions | None = None,
        detached_payload: bytes | None = None,
        **kwargs: Any,
    ) -> Any:
        """Prove a token: its payload, as bytes."""
        _warn_of(kwargs)
        return self.decode_complete(jwt, key, algorithms, options, detached_payload)["payload"]

    def get_unverified_header(self, jwt: str | bytes) -> dict[str, Any]:
        """The header, which nobody vouches for: to find a key, never to decide."""
        return cast(dict[str, Any], self._unproven(jwt)["header"])

    def _unproven(self, jwt: str | bytes) -> dict[str, Any]:
        header, payload, signature = danger_split(jwt)
        members = header_members(header)
        _check_members(members)
        for name in ("crit", "b64"):
            if name in members:
                raise InvalidTokenError(f"Unsupported critical extension: {name}")
        return {"header": members, "payload": payload, "signature": signature}

    def _verify_with_own(
        self,
        own: Algorithm,
        jwt: str | bytes,
        found: dict[str, Any],
        key: Any,
        algorithms: Iterable[str] | None,
        enforces: bool,
    ) -> None:
        """Prove a token under an algorithm of the caller's."""
        name = found["header"]["alg"]
        if isinstance(key, PyJWK):
            if name != key.algorithm_name:
                raise InvalidAlgorithmError(
                    "The token's algorithm does not match the key's algorithm"
                )
            key = key.key
        allowed = [algorithms] if isinstance(algorithms, str) else list(algorithms or [name])
        if name not in allowed:
            raise InvalidAlgorithmError("The specified alg value is not allowed")
        prepared = own.prepare_key(key)
        self._check_length(own, prepared, enforces)
        text = jwt.encode() if isinstance(jwt, str) else jwt
        if not own.verify(text.rpartition(b".")[0], prepared, found["signature"]):
            raise InvalidSignatureError("Signature verification failed")


def header_members(header: str) -> dict[str, Any]:
    """A header that the strict reader has read, as a dictionary."""
    try:
        return cast(dict[str, Any], json.loads(header))
    except ValueError:
        # The only thing left: an integer of more digits than Python converts.
        raise DecodeError("Invalid header string: a number is too long") from None


def _algorithm_of(header: dict[str, Any]) -> str:
    name = header.get("alg")
    return name if isinstance(name, str) else ""


def _check_members(header: dict[str, Any]) -> None:
    """What Rust refuses of `kid` and `typ`, for tokens that it only takes apart."""
    if "kid" in header:
        kid = header["kid"]
        if not isinstance(kid, str):
            raise InvalidTokenError("Key ID header parameter must be a string")
        if len(kid.encode(errors="replace")) > _LONGEST_KEY_ID:
            raise InvalidTokenError(f"Key ID of more than {_LONGEST_KEY_ID} bytes")
    if "typ" in header and not isinstance(header["typ"], str):
        raise InvalidTokenError("Type header parameter must be a string")


def _warn_of(kwargs: dict[str, Any]) -> None:
    if kwargs:
        warnings.warn(
            f"Arguments that do nothing: {tuple(kwargs)}", RemovedInPyjwt3Warning, stacklevel=3
        )


_jws_global_obj = PyJWS()
encode = _jws_global_obj.encode
decode_complete = _jws_global_obj.decode_complete
decode = _jws_global_obj.decode
register_algorithm = _jws_global_obj.register_algorithm
unregister_algorithm = _jws_global_obj.unregister_algorithm
get_algorithm_by_name = _jws_global_obj.get_algorithm_by_name
get_unverified_header = _jws_global_obj.get_unverified_header
