"""Token classes: claims with a purpose, a lifetime and the rules that make them good.

A token object is made from a raw token, which is then proved and checked, or from
nothing, which makes a new one; `str()` signs it. Messages of `TokenError` reach clients
and are simplejwt's. Rules come from `SIMPLE_JWT` as it is now, not as it was at import.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import uuid4

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from yett._yett import Identity

from . import state
from .exceptions import ExpiredTokenError, TokenBackendError, TokenBackendExpiredToken, TokenError
from .settings import FromSettings, api_settings
from .token_blacklist import records
from .token_blacklist.apps import NAME, is_installed, other_blacklist
from .token_blacklist.models import BlacklistedToken, OutstandingToken
from .utils import (
    aware_utcnow,
    datetime_from_epoch,
    datetime_to_epoch,
    format_lazy,
    get_md5_hash_password,
    logger,
)

if TYPE_CHECKING:
    from .backends import TokenBackend

T = TypeVar("T", bound="Token")

if stranger := other_blacklist():
    # Going on would accept tokens that the project has revoked.
    raise ImproperlyConfigured(
        f"INSTALLED_APPS has {stranger}, which yett.drf does not look into: revoked tokens would "
        f"be accepted. Write {NAME!r} in its place; tables and migrations stay the same."
    )


class Token:
    """A mapping of claims. Subclasses give `token_type` and `lifetime`."""

    token_type: str | None = None
    lifetime: timedelta | FromSettings[timedelta] | None = None

    _token_backend: TokenBackend | None = None

    #: The row of the user whom the token names, when somebody has fetched it: the tables of
    #: the blacklist need it too.
    known_user: Any = None

    def __init__(self, token: str | bytes | None = None, verify: bool = True) -> None:
        """Prove and check a raw token, or make a new one when none is given.

        Raises `TokenError` with a text for the client. With `verify=False` nothing is
        proved: never trust such an object.
        """
        if self.token_type is None or self.lifetime is None:
            raise TokenError(_("Cannot create token with no type or lifetime"))

        self.token = token
        self.current_time = aware_utcnow()

        if token is None:
            self.payload: dict[str, Any] = {api_settings.TOKEN_TYPE_CLAIM: self.token_type}
            self.set_exp(from_time=self.current_time, lifetime=self.lifetime)
            self.set_iat(at_time=self.current_time)
            self.set_jti()
            return

        try:
            self.payload = self.get_token_backend().decode(token, verify=verify)
        except TokenBackendExpiredToken as error:
            raise ExpiredTokenError(_("Token is expired")) from error
        except TokenBackendError as error:
            raise TokenError(_("Token is invalid")) from error
        if verify:
            self.verify()

    @classmethod
    def from_identity(cls: type[T], identity: Identity) -> T:
        """Make a token from what the server proved: no second signature check.

        The checks of `verify` run all the same; `TokenError` as in the constructor.
        """
        token = cls.__new__(cls)
        token.token = identity.token.encode()
        token.current_time = aware_utcnow()
        token.payload = identity.claims
        token.verify()
        return token

    def __repr__(self) -> str:
        return repr(self.payload)

    def __getitem__(self, key: str) -> Any:
        return self.payload[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.payload[key] = value

    def __delitem__(self, key: str) -> None:
        del self.payload[key]

    def __contains__(self, key: object) -> bool:
        return key in self.payload

    def get(self, key: str, default: Any = None) -> Any:
        """Return a claim, or `default`."""
        return self.payload.get(key, default)

    def __str__(self) -> str:
        """Sign the claims as they are now."""
        return self.get_token_backend().encode(self.payload)

    def verify(self) -> None:
        """Check what a proof does not: a time limit, an id, the right type.

        Subclasses may add to it. Raises `TokenError`.
        """
        # RFC 7519 leaves `exp` open; a token that never ends is not accepted here.
        self.check_exp()
        if api_settings.JTI_CLAIM is not None and api_settings.JTI_CLAIM not in self.payload:
            raise TokenError(_("Token has no id"))
        if api_settings.TOKEN_TYPE_CLAIM is not None:
            self.verify_token_type()

    def verify_token_type(self) -> None:
        """Check that the token was made for this class."""
        try:
            token_type = self.payload[api_settings.TOKEN_TYPE_CLAIM]
        except KeyError as error:
            raise TokenError(_("Token has no type")) from error
        if token_type != self.token_type:
            raise TokenError(_("Token has wrong type"))

    def set_jti(self) -> None:
        """Give the token a new random id (RFC 7519 section 4.1.7)."""
        self.payload[api_settings.JTI_CLAIM] = uuid4().hex

    def set_exp(
        self,
        claim: str = "exp",
        from_time: datetime | None = None,
        lifetime: timedelta | None = None,
    ) -> None:
        """Let the token end `lifetime` after `from_time` (default: its own, from now)."""
        start = self.current_time if from_time is None else from_time
        length = self.lifetime if lifetime is None else lifetime
        self.payload[claim] = datetime_to_epoch(start + length)  # type: ignore[operator]  # a timedelta by now

    def set_iat(self, claim: str = "iat", at_time: datetime | None = None) -> None:
        """Say when the token was issued (default: now)."""
        self.payload[claim] = datetime_to_epoch(self.current_time if at_time is None else at_time)

    def check_exp(self, claim: str = "exp", current_time: datetime | None = None) -> None:
        """Check that the time in a claim has not passed; `LEEWAY` counts."""
        now = self.current_time if current_time is None else current_time
        try:
            value = self.payload[claim]
        except KeyError as error:
            raise TokenError(format_lazy(_("Token has no '{}' claim"), claim)) from error
        try:
            end = datetime_from_epoch(value)
        except (TypeError, ValueError, OverflowError, OSError) as error:
            # No number, or none that a calendar can hold.
            raise TokenError(_("Token is invalid")) from error
        if end <= now - self.get_token_backend().get_leeway():
            raise TokenError(format_lazy(_("Token '{}' claim has expired"), claim))

    def outstand(self) -> Any:
        """Note the token as issued; only tokens of a blacklist do that."""
        return None

    @classmethod
    def for_user(cls: type[T], user: Any) -> T:
        """Make a new token for a user whose credentials were checked by the caller."""
        if not getattr(user, "is_active", True):
            logger.warning("A token is issued for the inactive user %s.", user.pk)
        token = cls()
        # Text whatever the field is: other services compare claims as text.
        token[api_settings.USER_ID_CLAIM] = str(getattr(user, api_settings.USER_ID_FIELD))
        if api_settings.CHECK_REVOKE_TOKEN:
            token[api_settings.REVOKE_TOKEN_CLAIM] = get_md5_hash_password(user.password)
        return token

    @property
    def token_backend(self) -> TokenBackend:
        """The backend that signs and verifies this token."""
        return self._token_backend or state.token_backend

    def get_token_backend(self) -> TokenBackend:
        """Return `token_backend`; older projects override this name."""
        return self.token_backend


class BlacklistMixin(Generic[T]):
    """Looks into the blacklist, and notes what is issued, where its app is installed.

    Elsewhere its methods do not exist, so code that asks for them sees that there is none.
    What they do to the tables stands in `token_blacklist.records`.
    """

    payload: dict[str, Any]

    if is_installed():

        def verify(self, *args: Any, **kwargs: Any) -> None:
            """Check the blacklist first, then the rest."""
            self.check_blacklist()
            super().verify(*args, **kwargs)  # type: ignore[misc]  # of the class mixed into

        def check_blacklist(self) -> None:
            """Raise `TokenError` for a token that was revoked."""
            if records.is_blacklisted(records.token_id(self._as_token())):
                raise TokenError(_("Token is blacklisted"))

        def blacklist(self) -> tuple[BlacklistedToken, bool]:
            """Revoke this token; return its row, and whether it was not revoked before."""
            return records.blacklist(self._as_token())

        def outstand(self) -> tuple[OutstandingToken, bool]:
            """Note the token as issued, unless it is; return its row, and whether it is new."""
            return records.outstand(self._as_token())

        @classmethod
        def for_user(cls: type[T], user: Any) -> T:  # type: ignore[misc]  # as above
            """Make a new token for a user and note it as issued."""
            token: T = super().for_user(user)  # type: ignore[misc]  # as above
            records.outstand_for(token, user)
            return token

        def _as_token(self) -> Token:
            return self  # type: ignore[return-value]  # as above


class SlidingToken(BlacklistMixin["SlidingToken"], Token):
    """One token that is used and renewed, until `SLIDING_TOKEN_REFRESH_LIFETIME` is over."""

    token_type = "sliding"
    lifetime = FromSettings[timedelta](lambda: api_settings.SLIDING_TOKEN_LIFETIME)

    def __init__(self, token: str | bytes | None = None, verify: bool = True) -> None:
        """As in `Token`; a new one also gets the end of its renewals."""
        super().__init__(token, verify)
        if self.token is None:
            self.set_exp(
                api_settings.SLIDING_TOKEN_REFRESH_EXP_CLAIM,
                from_time=self.current_time,
                lifetime=api_settings.SLIDING_TOKEN_REFRESH_LIFETIME,
            )


class AccessToken(Token):
    """Opens the API for a short time."""

    token_type = "access"
    lifetime = FromSettings[timedelta](lambda: api_settings.ACCESS_TOKEN_LIFETIME)


class RefreshToken(BlacklistMixin["RefreshToken"], Token):
    """Buys new access tokens."""

    token_type = "refresh"
    lifetime = FromSettings[timedelta](lambda: api_settings.REFRESH_TOKEN_LIFETIME)
    #: Claims that belong to this token alone. The plain "jti" stands beside the configured
    #: name, because a foreign token may carry both.
    no_copy_claims: tuple[str, ...] | FromSettings[tuple[str, ...]] = FromSettings(
        lambda: (api_settings.TOKEN_TYPE_CLAIM, "exp", api_settings.JTI_CLAIM, "jti", "iat")
    )
    access_token_class: type[AccessToken] = AccessToken

    @property
    def access_token(self) -> AccessToken:
        """A new access token with this token's other claims.

        Its time counts from when this object was made, so that a pair issued together
        ends as one expects.
        """
        access = self.access_token_class()
        access.set_exp(from_time=self.current_time)
        kept_back = self.no_copy_claims
        for claim, value in self.payload.items():
            if claim not in kept_back:
                access[claim] = value
        return access


class UntypedToken(Token):
    """Any token, whatever its type: for checks that do not say what it may be used for."""

    token_type = "untyped"
    lifetime = timedelta(0)

    def verify_token_type(self) -> None:
        """Accept every type."""
