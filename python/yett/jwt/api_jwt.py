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
from yett.jwt._options import CHECKED, OptionsInUse, compiled, read_once
from yett.jwt.algorithms import AllowedPrivateKeys, AllowedPublicKeys
from yett.jwt.api_jwk import PyJWK
from yett.jwt.api_jws import (
    ALGORITHMS_NEEDED,
    UNSET,
    PyJWS,
    _jws_global_obj,
    header_members,
    refuse_in_vain,
)
from yett.jwt.exceptions import DecodeError
from yett.jwt.types import FullOptions, Options, SigOptions
from yett.jwt.warnings import RemovedInPyjwt3Warning

#: What classes and instances may override, at any time. Each is called if, and only if, one does.
_HOOKS = ("decode_complete", "_decode_payload", "_validate_claims")

_REGISTERED = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")

#: What PyJWT calls on the way and nobody calls here.
_IN_VAIN = ("_validate_required_claims", *(f"_validate_{name}" for name in CHECKED))

_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class PyJWT:
    """Makes and proves tokens whose payload is a JSON object.

    Subclasses may override `_encode_payload` and `_decode_payload` (compressed payloads),
    `_validate_claims` and `decode_complete`.
    """

    #: Whether the instance itself, and not its class, has a hook.
    _has_hook = False

    def __init__(self, options: Options | None = None) -> None:
        self.options = self._get_default_options()
        if options is not None:
            self.options = self._merge_options(options)
        self._jws = PyJWS(options=self._get_sig_options())

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_in_vain(cls, PyJWT, _IN_VAIN, "_validate_claims")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _IN_VAIN:
            raise TypeError(f"{name} is no hook of yett.jwt: override _validate_claims")
        super().__setattr__(name, value)
        if name in _HOOKS:
            super().__setattr__("_has_hook", True)

    @property
    def options(self) -> FullOptions:
        """The options that calls start from; may be changed."""
        return cast(FullOptions, self._options)

    @options.setter
    def options(self, options: FullOptions) -> None:
        self._options = OptionsInUse(options)

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
            for name in CHECKED:
                given.setdefault(f"verify_{name}", False)
        if "require" in given:
            given["require"] = read_once(given["require"])
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
        if is_usual and _is_plain(self):
            checks: Checks | None = None
            if options is None:
                # As with PyJWT, an instance's own `verify_signature` is only the default of its
                # other options: the proof is left out where a call says so.
                kept = self._options
                checks = kept.compiled
                if checks is None or kept["require"] != kept.required:
                    checks = kept.checks()
            elif options.get("verify_signature", True):
                checks = self._options.checks_of_call(options)
                if checks is None:
                    checks = compiled(self._merge_options(options))
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
        if verifies and detached_payload is None and _is_plain(self):
            if not algorithms and not isinstance(key, PyJWK):
                raise DecodeError(ALGORITHMS_NEEDED)
            checks = self._options.checks() if options is None else compiled(merged)
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
            compiled(options),
            audience,
            issuer,
            subject,
            leeway,
        )

    def _validate_iss(self, payload: dict[str, Any], issuer: Container[str] | str | None) -> None:
        """Raise unless `iss` is an expected issuer."""
        checks = Checks(skip=[name for name in CHECKED if name != "iss"])
        check_claims(_judged(payload, ()), checks, None, issuer, None, 0)


_DECODE_COMPLETE = PyJWT.decode_complete
_DECODE_PAYLOAD = PyJWT._decode_payload
_VALIDATE_CLAIMS = PyJWT._validate_claims
_VALIDATE_ISS = PyJWT._validate_iss
_PROVE = PyJWS.decode_complete


def _is_plain(one: PyJWT) -> bool:
    """Whether Rust may do it all. Asked at each call: a test may have patched a class since."""
    cls, jws = type(one), one._jws
    if cls is not PyJWT or PyJWT._validate_iss is not _VALIDATE_ISS:
        _refuse_in_vain_since(cls)
    return (
        cls._validate_claims is _VALIDATE_CLAIMS
        and cls._decode_payload is _DECODE_PAYLOAD
        and cls.decode_complete is _DECODE_COMPLETE
        and not one._has_hook
        and type(jws) is PyJWS
        and jws._is_plain
        and PyJWS.decode_complete is _PROVE
    )


def _refuse_in_vain_since(cls: type[PyJWT]) -> None:
    """For what was put into a class after it was made."""
    if cls._validate_iss is not _VALIDATE_ISS:
        raise TypeError("_validate_iss is no hook of yett.jwt: override _validate_claims")
    for name in _IN_VAIN:
        if name != "_validate_iss" and hasattr(cls, name):
            # Unless it stands behind PyJWT, where PyJWT would not find it either.
            refuse_in_vain(cls, PyJWT, _IN_VAIN, "_validate_claims")


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
