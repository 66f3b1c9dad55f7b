"""JSON Web Tokens (RFC 7519), under PyJWT's names.

`decode` is one call into Rust: key, proof, rules, claims as a dictionary. Python is on the way
only for what a caller changes: hooks of subclasses, own algorithms, tokens without proof. The
rules for claims stand in Rust alone (`yett-jwt`, `rules.rs`).

The clock is `time.time`, looked up at each call, so that what freezes time there works here.
"""

import json
import warnings
from calendar import timegm
from collections.abc import Container, Iterable
from datetime import datetime, timedelta
from typing import Any, cast

from yett._yett import (
    Checks,
    check_claims,
    check_payload,
    jwt_decode,
    jwt_decode_complete,
    read_claims,
)
from yett.jwt.algorithms import AllowedPrivateKeys, AllowedPublicKeys
from yett.jwt.api_jwk import PyJWK
from yett.jwt.api_jws import (
    ALGORITHMS_NEEDED,
    UNSET,
    PyJWS,
    _jws_global_obj,
    header_members,
)
from yett.jwt.exceptions import DecodeError
from yett.jwt.types import FullOptions, Options, SigOptions
from yett.jwt.warnings import RemovedInPyjwt3Warning

#: What subclasses, and instances, may override. Each is called if, and only if, one does.
_HOOKS = ("decode_complete", "_decode_payload", "_validate_claims")

_REGISTERED = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")

_CHECKS = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")

_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


#: Different options of calls whose checks are remembered. A program has one or two.
_MOST_OF_CALLS = 8


class _Options(dict[str, Any]):
    """Options, and what Rust makes of them until somebody changes one."""

    compiled: Checks | None = None

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._of_calls: dict[tuple[Any, ...], Checks] = {}

    def checks(self) -> Checks:
        if self.compiled is None:
            self.compiled = _compile(self)
        return self.compiled

    def checks_of_call(self, options: Any) -> Checks:
        """The checks under a call's own options, which ask for a proof."""
        asked = tuple(options.items())
        try:
            found = self._of_calls.get(asked)
        except TypeError:
            # Something in them, such as a list, cannot be looked up.
            return _compile({**self, **options})
        if found is None:
            found = _compile({**self, **options})
            if len(self._of_calls) < _MOST_OF_CALLS:
                self._of_calls[asked] = found
        return found

    def _changed(self) -> None:
        self.compiled = None
        self._of_calls.clear()

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._changed()

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._changed()

    def update(self, *args: Any, **kwargs: Any) -> None:
        super().update(*args, **kwargs)
        self._changed()

    def clear(self) -> None:
        super().clear()
        self._changed()

    def pop(self, *args: Any) -> Any:
        self._changed()
        return super().pop(*args)

    def popitem(self) -> tuple[str, Any]:
        self._changed()
        return super().popitem()

    def setdefault(self, name: str, default: Any = None) -> Any:
        self._changed()
        return super().setdefault(name, default)

    def __ior__(self, other: Any) -> "_Options":  # type: ignore[override,misc]
        self.update(other)
        return self


def _compile(options: Any) -> Checks:
    return Checks(
        skip=[name for name in _CHECKS if not options[f"verify_{name}"]],
        require=list(options["require"]),
        strict_aud=bool(options.get("strict_aud", False)),
        enforce_minimum_key_length=bool(options.get("enforce_minimum_key_length", True)),
    )


class PyJWT:
    """Makes and proves tokens whose payload is a JSON object.

    Subclasses may override `_encode_payload` and `_decode_payload` (compressed payloads),
    `_validate_claims` and `decode_complete`.
    """

    _is_plain = True

    def __init__(self, options: Options | None = None) -> None:
        self.options = self._get_default_options()
        if options is not None:
            self.options = self._merge_options(options)
        self._jws = PyJWS(options=self._get_sig_options())

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in vars(cls):
            # Overriding it would have no effect, and whoever did may rely on it for security.
            if name.startswith("_validate_") and name != "_validate_claims":
                raise TypeError(f"{name} is no hook of yett.jwt: override _validate_claims")
        cls._is_plain = all(getattr(cls, name) is getattr(PyJWT, name) for name in _HOOKS)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in _HOOKS:
            super().__setattr__("_is_plain", False)

    @property
    def options(self) -> FullOptions:
        """The options that calls start from; may be changed."""
        return cast(FullOptions, self._options)

    @options.setter
    def options(self, options: FullOptions) -> None:
        self._options = _Options(options)

    @staticmethod
    def _get_default_options() -> FullOptions:
        return {
            "verify_signature": True,
            "verify_exp": True,
            "verify_nbf": True,
            "verify_iat": True,
            "verify_aud": True,
            "verify_iss": True,
            "verify_sub": True,
            "verify_jti": True,
            "require": [],
            "strict_aud": False,
            "enforce_minimum_key_length": True,
        }

    def _get_sig_options(self) -> SigOptions:
        return {
            "verify_signature": self.options["verify_signature"],
            "enforce_minimum_key_length": self.options.get("enforce_minimum_key_length", True),
        }

    def _merge_options(self, options: Options | None = None) -> FullOptions:
        if options is None:
            return self.options
        given: dict[str, Any] = dict(options)
        if not given.get("verify_signature", True):
            for name in _CHECKS:
                given.setdefault(f"verify_{name}", False)
        return cast(FullOptions, {**self._options, **given})

    def encode(
        self,
        payload: dict[str, Any],
        key: AllowedPrivateKeys | PyJWK | str | bytes,
        algorithm: str | None = UNSET,
        headers: dict[str, Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
        sort_headers: bool = True,
    ) -> str:
        """Sign claims. Datetimes in `exp`, `nbf` and `iat` become whole seconds.

        Raises as `PyJWS.encode` does; `TypeError` when `payload` is no dictionary, `iss` no
        string, or a value is no JSON; `ValueError` for infinities and other JSON that no
        verifier here would take.
        """
        if not isinstance(payload, dict):
            raise TypeError(
                "Expecting a dict object, as JWT only supports JSON objects as payloads."
            )
        payload = payload.copy()
        for name in ("exp", "iat", "nbf"):
            value = payload.get(name)
            if isinstance(value, datetime):
                payload[name] = timegm(value.utctimetuple())
        if "iss" in payload and not isinstance(payload["iss"], str):
            raise TypeError("Issuer (iss) must be a string.")
        encoded = self._encode_payload(payload, headers=headers, json_encoder=json_encoder)
        return self._jws.encode(
            encoded, key, algorithm, headers, json_encoder, sort_headers=sort_headers
        )

    def _encode_payload(
        self,
        payload: dict[str, Any],
        headers: dict[str, Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
    ) -> bytes:
        """The bytes to sign. A hook for subclasses."""
        if json_encoder is None:
            text = _to_json(payload)
        else:
            text = json.dumps(payload, separators=(",", ":"), cls=json_encoder, allow_nan=False)
        encoded = text.encode()
        check_payload(encoded)
        return encoded

    def decode(
        self,
        jwt: str | bytes,
        key: AllowedPublicKeys | PyJWK | str | bytes = "",
        algorithms: Iterable[str] | None = None,
        options: Options | None = None,
        verify: bool | None = None,
        detached_payload: bytes | None = None,
        audience: str | Iterable[str] | None = None,
        subject: str | None = None,
        issuer: str | Container[str] | None = None,
        leeway: float | timedelta = 0,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Prove a token and give its claims.

        `algorithms` are the only ones that count, and are required unless `key` is a `PyJWK`.
        The first check that fails raises; see `yett.jwt.exceptions`.
        """
        is_usual = verify is None and detached_payload is None and not kwargs
        if is_usual and self._is_plain and not self._jws._own:
            checks: Checks | None = None
            if options is None:
                # As with PyJWT, an instance's own `verify_signature` is only the default of its
                # other options: the proof is left out where a call says so.
                checks = self._options.compiled or self._options.checks()
            elif options.get("verify_signature", True):
                checks = self._options.checks_of_call(options)
            if checks is not None:
                return jwt_decode(
                    jwt, key, algorithms, self._jws._rust, checks, audience, issuer, subject, leeway
                )
        if kwargs:
            _warn_of(kwargs)
        found = self.decode_complete(
            jwt,
            key,
            algorithms,
            options,
            verify=verify,
            detached_payload=detached_payload,
            audience=audience,
            subject=subject,
            issuer=issuer,
            leeway=leeway,
        )
        return cast(dict[str, Any], found["payload"])

    def decode_complete(
        self,
        jwt: str | bytes,
        key: AllowedPublicKeys | PyJWK | str | bytes = "",
        algorithms: Iterable[str] | None = None,
        options: Options | None = None,
        verify: bool | None = None,
        detached_payload: bytes | None = None,
        audience: str | Iterable[str] | None = None,
        issuer: str | Container[str] | None = None,
        subject: str | None = None,
        leeway: float | timedelta = 0,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """As `decode`, but give `header`, `payload` (the claims) and `signature`."""
        if kwargs:
            _warn_of(kwargs)
        verifies = True if options is None else bool(options.get("verify_signature", True))
        if verify is not None and bool(verify) != verifies:
            warnings.warn(
                "The argument `verify` does nothing; the option `verify_signature` says otherwise",
                DeprecationWarning,
                stacklevel=2,
            )
        merged = self._merge_options(options)
        if verifies and self._is_plain and not self._jws._own and detached_payload is None:
            if not algorithms and not isinstance(key, PyJWK):
                raise DecodeError(ALGORITHMS_NEEDED)
            checks = self._options.checks() if options is None else _compile(merged)
            claims, header, signature = jwt_decode_complete(
                jwt, key, algorithms, self._jws._rust, checks, audience, issuer, subject, leeway
            )
            return {"header": header_members(header), "payload": claims, "signature": signature}
        sig_options: SigOptions = {
            "verify_signature": verifies,
            "enforce_minimum_key_length": merged.get("enforce_minimum_key_length", True),
        }
        decoded = self._jws.decode_complete(
            jwt, key, algorithms, sig_options, detached_payload=detached_payload
        )
        payload = self._decode_payload(decoded)
        self._validate_claims(
            payload, merged, audience=audience, issuer=issuer, subject=subject, leeway=leeway
        )
        decoded["payload"] = payload
        return decoded

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
        """The claims out of `decoded["payload"]`, which is bytes. A hook for subclasses."""
        return read_claims(decoded["payload"])

    def _validate_claims(
        self,
        payload: dict[str, Any],
        options: FullOptions,
        audience: Iterable[str] | str | None = None,
        issuer: Container[str] | str | None = None,
        subject: str | None = None,
        leeway: float | timedelta = 0,
    ) -> None:
        """Raise for the first rule that the claims break. A hook for subclasses."""
        check_claims(
            _judged(payload, options["require"]),
            _compile(options),
            audience,
            issuer,
            subject,
            leeway,
        )

    def _validate_iss(self, payload: dict[str, Any], issuer: Container[str] | str | None) -> None:
        """Raise unless `iss` is an expected issuer."""
        checks = Checks(skip=[name for name in _CHECKS if name != "iss"])
        check_claims(_judged(payload, ()), checks, None, issuer, None, 0)


def _judged(payload: dict[str, Any], required: Iterable[str]) -> bytes:
    """The claims that rules look at, as JSON. A hook may have put anything into the others."""
    judged: dict[str, Any] = {n: payload[n] for n in _REGISTERED if n in payload}
    for name in required:
        if name not in judged:
            judged[name] = None if payload.get(name) is None else True
    try:
        return _to_json(judged).encode()
    except (TypeError, ValueError, RecursionError):
        raise DecodeError("A registered claim is not JSON") from None


def _warn_of(kwargs: dict[str, Any]) -> None:
    warnings.warn(
        f"Arguments that do nothing: {tuple(kwargs)}", RemovedInPyjwt3Warning, stacklevel=3
    )


_jwt_global_obj = PyJWT()
_jwt_global_obj._jws = _jws_global_obj
encode = _jwt_global_obj.encode
decode_complete = _jwt_global_obj.decode_complete
decode = _jwt_global_obj.decode
