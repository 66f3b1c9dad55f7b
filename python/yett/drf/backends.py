"""`TokenBackend`: payload to token and back, by the Rust library.

It keeps simplejwt's attributes and errors. It never chooses the algorithm from the
token, never accepts a key that looks like a public key, and never reads the clock
anywhere but in `decode`. Claims are written in the order of the payload, JSON without
spaces, so a token has the very bytes that PyJWT would give it.
"""

import json
import math
import time
from calendar import timegm
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from yett._yett import Refused, Signer, Verifier, danger_peek

from .exceptions import TokenBackendError, TokenBackendExpiredToken
from .utils import format_lazy, logger

#: What this release signs and verifies.
SUPPORTED_ALGORITHMS = frozenset({"HS256"})
#: What simplejwt knows beside it: named, so that the error can say "not yet".
KNOWN_ALGORITHMS = SUPPORTED_ALGORITHMS | {
    *("HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "ES521", "ES256K", "EdDSA"),
}

#: RFC 7518 section 3.2: an HMAC key has at least the length of the hash.
LEAST_KEY_LENGTH = 32

_warned_of_short_key = False


class TokenBackend:
    """Signs and verifies under one key and one set of rules.

    Changing an attribute takes effect at the next call.
    """

    def __init__(
        self,
        algorithm: str,
        signing_key: str | bytes | None = None,
        verifying_key: str | bytes | None = "",
        audience: str | Iterable[str] | None = None,
        issuer: str | None = None,
        jwk_url: str | None = None,
        leeway: float | timedelta | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
    ) -> None:
        """Keep the settings; the key is looked at when it is first needed.

        `verifying_key` and `jwk_url` belong to algorithms with a public key, so HS256 does
        not look at them. Raises `TokenBackendError` for a name that is no algorithm and
        `ImproperlyConfigured` for one that is not supported yet.
        """
        if algorithm not in KNOWN_ALGORITHMS:
            raise TokenBackendError(format_lazy(_("Unrecognized algorithm type '{}'"), algorithm))
        if algorithm not in SUPPORTED_ALGORITHMS:
            raise ImproperlyConfigured(
                f"SIMPLE_JWT: ALGORITHM is {algorithm}; yett.drf signs and verifies HS256 only so "
                "far."
            )
        self.algorithm = algorithm
        self.signing_key = signing_key
        self.verifying_key = verifying_key
        self.audience = audience
        self.issuer = issuer
        self.jwks_client = None
        self.leeway = leeway
        self.json_encoder = json_encoder

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute and drop what was prepared from the old ones."""
        for prepared in ("signer", "verifier"):
            self.__dict__.pop(prepared, None)
        super().__setattr__(name, value)

    @cached_property
    def signer(self) -> Signer:
        """The key, ready to sign; `ImproperlyConfigured` when it cannot be used."""
        key = self.key_bytes()
        try:
            return Signer(self.algorithm, key, danger_short_key=self.short_key_is_allowed(key))
        except ValueError as error:
            raise ImproperlyConfigured(f"SIMPLE_JWT: SIGNING_KEY: {error}") from error

    @cached_property
    def verifier(self) -> Verifier:
        """The key and the rules, ready to verify; `ImproperlyConfigured` when unusable."""
        key = self.key_bytes()
        try:
            return Verifier(
                self.algorithm,
                key,
                leeway=self.leeway_seconds(),
                issuer=self.checked_issuer(),
                audience=self.audience_list(),
                danger_short_key=self.short_key_is_allowed(key),
            )
        except ValueError as error:
            raise ImproperlyConfigured(f"SIMPLE_JWT: SIGNING_KEY: {error}") from error

    def key_bytes(self) -> bytes:
        """Return the signing key as bytes; text counts as UTF-8, as in PyJWT."""
        key = self.signing_key
        if isinstance(key, str):
            key = key.encode()
        if not isinstance(key, bytes) or not key:
            raise ImproperlyConfigured(
                "SIMPLE_JWT: SIGNING_KEY must be a text or bytes, not empty."
            )
        return key

    @staticmethod
    def short_key_is_allowed(key: bytes) -> bool:
        """Return whether the key's length must be waived; the first time, warn of it.

        simplejwt accepts such keys, so refusing would stop working projects; a short key
        can be guessed offline from any one token.
        """
        global _warned_of_short_key
        if len(key) >= LEAST_KEY_LENGTH:
            return False
        if not _warned_of_short_key:
            _warned_of_short_key = True
            logger.warning(
                "danger_short_key: SIGNING_KEY has %d bytes; HS256 needs at least %d. Anyone with "
                "one token can try keys offline. Set a longer SIGNING_KEY.",
                len(key),
                LEAST_KEY_LENGTH,
            )
        return True

    def audience_list(self) -> list[str] | None:
        """Return the audiences of which a token must name one, or `None` for no check."""
        if self.audience is None:
            return None
        names = [self.audience] if isinstance(self.audience, str) else list(self.audience)
        if not names or not all(isinstance(name, str) for name in names):
            raise ImproperlyConfigured("SIMPLE_JWT: AUDIENCE must be a text or a list of texts.")
        return names

    def checked_issuer(self) -> str | None:
        """Return the issuer that a token must name, or `None` for no check."""
        if self.issuer is not None and not isinstance(self.issuer, str):
            raise ImproperlyConfigured("SIMPLE_JWT: ISSUER must be a text.")
        return self.issuer

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
        """Return the tolerance in whole seconds; fractions are dropped, the stricter way."""
        seconds = math.floor(self.get_leeway().total_seconds())
        if seconds < 0:
            raise ImproperlyConfigured("SIMPLE_JWT: LEEWAY must not be negative.")
        return seconds

    def encode(self, payload: dict[str, Any]) -> str:
        """Return the signed token; the given dictionary stays as it is."""
        claims = dict(payload)
        if self.audience is not None:
            claims["aud"] = self.audience
        if self.issuer is not None:
            claims["iss"] = self.issuer
        for name in ("exp", "iat", "nbf"):
            if isinstance(claims.get(name), datetime):
                claims[name] = timegm(claims[name].utctimetuple())
        text = json.dumps(claims, separators=(",", ":"), cls=self.json_encoder)
        return self.signer.sign(text.encode())

    def decode(self, token: str | bytes, verify: bool = True) -> dict[str, Any]:
        """Return the claims of a token that is proved and in its time.

        Raises `TokenBackendExpiredToken` when only the time is over and
        `TokenBackendError` for everything else. With `verify=False` nothing is proved:
        never trust the result.
        """
        try:
            text = token.decode("ascii") if isinstance(token, bytes) else token
            text.encode("ascii")
            claims = self.verifier.verify(text, int(time.time())) if verify else danger_peek(text)
            return json.loads(claims)  # type: ignore[no-any-return]  # Rust saw an object
        except Refused as refusal:
            if refusal.kind == "expired":
                raise TokenBackendExpiredToken(_("Token is expired")) from refusal
            if refusal.kind == "algorithm":
                raise TokenBackendError(_("Invalid algorithm specified")) from refusal
            raise TokenBackendError(_("Token is invalid")) from refusal
        except (ValueError, RecursionError) as error:
            # Not ASCII, or a number that Python declines to read.
            raise TokenBackendError(_("Token is invalid")) from error
