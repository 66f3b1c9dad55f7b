"""`TokenBackend`: payload to token and back, by `yett.jwt`.

It keeps simplejwt's attributes, names and errors. It never chooses the algorithm from the
token, never signs with a key that looks like a public one, and reads no clock: `yett.jwt`
does. Claims are written in the order of the payload, JSON without spaces, so a token has
the very bytes that simplejwt would give it.

A key or rule that cannot be used is an `ImproperlyConfigured` that names the setting, at the
first use: a service that only verifies needs no signing key. No error holds a key.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from yett._yett import Key

from .. import jwt
from ..jwt import (
    ExpiredSignatureError,
    InvalidAlgorithmError,
    InvalidKeyError,
    InvalidTokenError,
    algorithms,
)
from ..jwt.types import Options
from .exceptions import TokenBackendError, TokenBackendExpiredToken
from .utils import format_lazy, logger

# simplejwt's name for an old PyJWT without the client. Here it is always there; the form of
# the statement is what simplejwt's own tests get hold of.
try:
    from ..jwt import PyJWKClient, PyJWKClientError

    JWK_CLIENT_AVAILABLE = True
except ImportError:
    JWK_CLIENT_AVAILABLE = False

#: PyJWT's old name of ES512, which simplejwt takes and writes into the header.
_ES521 = "ES521"

ALLOWED_ALGORITHMS = {"HS256", "HS384", "HS512", _ES521} | algorithms.requires_cryptography

#: Longer tokens are neither made nor read, in bytes: the edge's bound, and about what servers
#: take of a header line.
LONGEST_TOKEN = 8 * 1024

_warned_of_short_key = False


class Library(Protocol):
    """What the backend asks of `yett.jwt`: the module itself, or an object of its class."""

    def encode(
        self,
        payload: dict[str, Any],
        key: Any,
        algorithm: str | None = ...,
        headers: dict[str, Any] | None = ...,
        json_encoder: type[json.JSONEncoder] | None = ...,
    ) -> str: ...

    def decode(
        self,
        jwt: str | bytes,
        key: Any = ...,
        algorithms: Iterable[str] | None = ...,
        options: Options | None = ...,
        *,
        audience: Any = ...,
        issuer: Any = ...,
        leeway: float | timedelta = ...,
    ) -> dict[str, Any]: ...


def _library_with_es521() -> jwt.PyJWT:
    library = jwt.PyJWT()
    own = algorithms.ECAlgorithm(hashlib.sha512, "secp521r1")
    library._jws.register_algorithm(_ES521, own)
    return library


_with_es521 = _library_with_es521()
_with_short_keys = jwt.PyJWT({"enforce_minimum_key_length": False})


class TokenBackend:
    """Signs and verifies under one algorithm and one set of rules.

    Changing an attribute takes effect at the next call.
    """

    def __init__(
        self,
        algorithm: str,
        signing_key: Any = None,
        verifying_key: Any = "",
        audience: str | Iterable[str] | None = None,
        issuer: Any = None,
        jwk_url: str | None = None,
        leeway: float | timedelta | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
        *,
        danger_jwk_url_over_http: bool = False,
    ) -> None:
        """Keep the settings; keys are looked at when they are first needed.

        `signing_key` is the shared secret of HS*, else a private key; `verifying_key` a public
        key or a certificate, which HS* does not look at, nor at `jwk_url`. Raises
        `TokenBackendError` for a name that is no algorithm, `ImproperlyConfigured` for an
        address that keys may not come from.
        """
        self._validate_algorithm(algorithm)
        self.algorithm = algorithm
        self.signing_key = signing_key
        self.verifying_key = verifying_key
        self.audience = audience
        self.issuer = issuer
        self.jwks_client = None
        if JWK_CLIENT_AVAILABLE and jwk_url and not self.is_symmetric:
            try:
                self.jwks_client = PyJWKClient(jwk_url, danger_allow_http=danger_jwk_url_over_http)
            except PyJWKClientError as error:
                raise ImproperlyConfigured(f"SIMPLE_JWT: JWK_URL: {error}") from error
        self.leeway = leeway
        self.json_encoder = json_encoder

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute and drop what was prepared from the old ones."""
        for prepared in _PREPARED:
            self.__dict__.pop(prepared, None)
        super().__setattr__(name, value)

    @staticmethod
    def _validate_algorithm(algorithm: str) -> None:
        if algorithm not in ALLOWED_ALGORITHMS:
            raise TokenBackendError(format_lazy(_("Unrecognized algorithm type '{}'"), algorithm))
        # Always so; simplejwt's tests ask what happens when it is not.
        if algorithm in algorithms.requires_cryptography and not algorithms.has_crypto:
            raise TokenBackendError(
                format_lazy(_("You must have cryptography installed to use {}."), algorithm)
            )

    @property
    def is_symmetric(self) -> bool:
        """Whether the key that signs also verifies."""
        return self.algorithm.startswith("HS")

    @cached_property
    def prepared_signing_key(self) -> Key | None:
        """The key, ready to sign; `None` when there is none."""
        return self._prepare_key("SIGNING_KEY", self.signing_key)

    @cached_property
    def prepared_verifying_key(self) -> Key | None:
        """The public key, ready to verify; `None` when there is none."""
        return self._prepare_key("VERIFYING_KEY", self.verifying_key)

    def _prepare_key(self, setting: str, key: Any) -> Key | None:
        if not key:
            return None
        algorithm = "ES512" if self.algorithm == _ES521 else self.algorithm
        try:
            prepared = algorithms.prepared(algorithm, key)
        except (InvalidKeyError, TypeError, ValueError) as error:
            raise ImproperlyConfigured(f"SIMPLE_JWT: {setting}: {error}") from error
        if prepared.weakness is not None:
            _warn_of_short_key(prepared.weakness)
        return prepared

    def own_verifying_key(self) -> Key:
        """Return the key of the settings that verifies: of HS* the secret, else the public one.

        Raises `ImproperlyConfigured` when there is none, or none that can be used.
        """
        name = "SIGNING_KEY" if self.is_symmetric else "VERIFYING_KEY"
        key = self.prepared_signing_key if self.is_symmetric else self.prepared_verifying_key
        if key is None:
            raise ImproperlyConfigured(f"SIMPLE_JWT: {name} must not be empty.")
        return key

    @cached_property
    def _own_key(self) -> Key:
        return self.own_verifying_key()

    def get_verifying_key(self, token: str | bytes) -> Any:
        """Return the key to verify a token with; with `JWK_URL` the one that its header names.

        Raises `TokenBackendError` when the key set does not have it or cannot be fetched.
        """
        if self.jwks_client is None:
            return self._own_key
        try:
            return self.jwks_client.get_signing_key_from_jwt(token).key
        except PyJWKClientError as error:
            if isinstance(error, jwt.PyJWKClientConnectionError):
                # Else an outage would look like bad tokens. The text holds nothing of the token.
                logger.warning("JWK_URL: %s", error)
            raise TokenBackendError(_("Token is invalid")) from error

    @cached_property
    def _own_library(self) -> Library | None:
        """What signs and verifies with keys that `yett.jwt` by itself would not take."""
        if self.algorithm == _ES521:
            return _with_es521
        if self.is_symmetric:
            key = self.prepared_signing_key
            return None if key is None or key.weakness is None else _with_short_keys
        return None

    def audience_list(self) -> list[str] | None:
        """Return the audiences of which a token must name one, or `None` for no check."""
        if self.audience is None:
            return None
        names = [self.audience] if isinstance(self.audience, str) else list(self.audience)
        if not names or not all(isinstance(name, str) for name in names):
            raise ImproperlyConfigured("SIMPLE_JWT: AUDIENCE must be a text or a list of texts.")
        return names

    def checked_issuer(self) -> str | list[str] | None:
        """Return the issuer, or the list of those, that a token must name; `None` for no check."""
        if self.issuer is None or isinstance(self.issuer, str):
            return self.issuer
        names = list(self.issuer) if isinstance(self.issuer, (list, tuple, set, frozenset)) else []
        if not names or not all(isinstance(name, str) for name in names):
            raise ImproperlyConfigured("SIMPLE_JWT: ISSUER must be a text or a list of texts.")
        return names

    def get_leeway(self) -> timedelta:
        """Return the tolerance for clocks that differ."""
        if self.leeway is None:
            return timedelta()
        if isinstance(self.leeway, timedelta):
            return self.leeway
        if isinstance(self.leeway, (int, float)):
            return timedelta(seconds=self.leeway)
        raise TokenBackendError(
            format_lazy(
                _("Unrecognized type '{}', 'leeway' must be of type int, float or timedelta."),
                type(self.leeway),
            )
        )

    def leeway_seconds(self) -> int:
        """Return the tolerance in whole seconds, rounded up: `Token` then counts exactly."""
        seconds = math.ceil(self.get_leeway().total_seconds())
        if seconds < 0:
            raise ImproperlyConfigured("SIMPLE_JWT: LEEWAY must not be negative.")
        return seconds

    @cached_property
    def _rules(self) -> dict[str, Any]:
        """The arguments of each decoding, from the settings."""
        return {
            "algorithms": [self.algorithm],
            "audience": self.audience_list(),
            "issuer": self.checked_issuer(),
            "leeway": self.leeway_seconds(),
        }

    @cached_property
    def _options(self) -> Options:
        return {"verify_aud": self.audience is not None, "verify_signature": True}

    def encode(self, payload: dict[str, Any]) -> str:
        """Return the signed token; the given dictionary stays as it is.

        Raises `ImproperlyConfigured` without a usable `SIGNING_KEY`, `TypeError` for claims
        that are no JSON and `ValueError` for those that nobody would read.
        """
        claims = payload
        if self.audience is not None:
            claims = {**claims, "aud": self.audience}
        if self.issuer is not None:
            if not isinstance(self.issuer, str):
                raise ImproperlyConfigured("SIMPLE_JWT: ISSUER must be one text to issue tokens.")
            claims = {**claims, "iss": self.issuer}
        key: Any = self.prepared_signing_key
        try:
            token: Any = (self._own_library or jwt).encode(
                claims,
                "" if key is None else key,
                algorithm=self.algorithm,
                json_encoder=self.json_encoder,
            )
        except InvalidKeyError as error:
            raise ImproperlyConfigured(f"SIMPLE_JWT: SIGNING_KEY: {error}") from error
        if len(token) > LONGEST_TOKEN:
            raise ValueError(f"The token has more than {LONGEST_TOKEN} bytes: too many claims")
        # Bytes only from an encoder that somebody put in the place of ours.
        return token.decode() if isinstance(token, bytes) else token

    def decode(self, token: str | bytes, verify: bool = True) -> dict[str, Any]:
        """Return the claims of a token that is proved and in its time.

        Raises `TokenBackendExpiredToken` when only the time is over and
        `TokenBackendError` for everything else. With `verify=False` nothing is proved:
        never trust the result.
        """
        if isinstance(token, (str, bytes)) and len(token) > LONGEST_TOKEN:
            raise TokenBackendError(_("Token is invalid"))
        try:
            # The module's function is looked up at each call, as simplejwt does with PyJWT's.
            claims = (self._own_library or jwt).decode(
                token,
                self.get_verifying_key(token) if verify else "",
                options=self._options if verify else {**self._options, "verify_signature": False},
                **self._rules,
            )
        except InvalidAlgorithmError as error:
            raise TokenBackendError(_("Invalid algorithm specified")) from error
        except ExpiredSignatureError as error:
            raise TokenBackendExpiredToken(_("Token is expired")) from error
        except InvalidTokenError as error:
            raise TokenBackendError(_("Token is invalid")) from error
        except InvalidKeyError as error:
            # Ours were looked at before, so it is one of JWK_URL: not for this algorithm.
            logger.warning("JWK_URL: a key of the set cannot be used: %s", error)
            raise TokenBackendError(_("Token is invalid")) from error
        if verify and "aud" in claims and self.audience is None and not _is_audience(claims["aud"]):
            raise TokenBackendError(_("Token is invalid"))
        return claims


#: What is prepared from the attributes, and dropped when one of them changes.
_PREPARED = tuple(
    name for name, value in vars(TokenBackend).items() if isinstance(value, cached_property)
)


def _is_audience(value: Any) -> bool:
    """Whether it is what `aud` may be (RFC 7519 section 4.1.3), though it is not asked for."""
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    )


def _warn_of_short_key(weakness: str) -> None:
    """Warn once of a secret that can be guessed offline from any one token.

    simplejwt accepts such keys, so refusing would stop working projects.
    """
    global _warned_of_short_key
    if not _warned_of_short_key:
        _warned_of_short_key = True
        logger.warning(
            "danger_short_key: SIGNING_KEY: %s. Anyone with one token can try keys offline. Set a "
            "longer SIGNING_KEY.",
            weakness,
        )
