"""DRF authentication by a bearer token, with simplejwt's classes, hooks and errors.

Behind Yett the server has often proved the token already and hands it over as an
`Identity` in the request's environ. It is used only when it is the very token that this
class was about to verify and the project's rules are the ordinary ones; in every other
case, and under every other server, the class verifies by itself with the same code.
A client cannot set the identity: it is no header, and only the server can make one.
"""

from __future__ import annotations

from functools import lru_cache
from operator import is_
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _
from rest_framework import HTTP_HEADER_ENCODING, authentication
from rest_framework.request import Request

from yett._yett import Identity

from . import state
from .backends import TokenBackend
from .exceptions import AuthenticationFailed, InvalidToken, TokenError
from .settings import api_settings
from .spectacular import openapi_if_used
from .tokens import AccessToken, Token
from .users import user_by
from .utils import NO_ID_OF_THE_MODEL, get_md5_hash_password

#: Where the server puts the identity: `environ` under WSGI, `scope` under ASGI.
IDENTITY_KEY = "yett.identity"


def header_types() -> tuple[str, ...]:
    """Return the accepted schemes as the settings spell them; the first is announced."""
    types = api_settings.AUTH_HEADER_TYPES
    return tuple(types) if isinstance(types, (list, tuple)) else (types,)


@lru_cache(maxsize=8)
def _scheme_bytes(types: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(scheme.lower().encode(HTTP_HEADER_ENCODING) for scheme in types)


def __getattr__(name: str) -> Any:
    """Answer for simplejwt's module constants, from the settings as they are now."""
    if name == "AUTH_HEADER_TYPES":
        return header_types()
    if name == "AUTH_HEADER_TYPE_BYTES":
        return {scheme.encode(HTTP_HEADER_ENCODING) for scheme in header_types()}
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class JWTAuthentication(authentication.BaseAuthentication):
    """Authenticates a request by the token in its header; one SELECT for the user."""

    www_authenticate_realm = "api"
    media_type = "application/json"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user_model = get_user_model()
        # drf-spectacular, when there is one, asks for the scheme of an authenticator that it made.
        openapi_if_used()

    def authenticate(self, request: Request) -> tuple[Any, Token] | None:
        """Return the user and the token, or `None` when the request brings no token.

        Raises `AuthenticationFailed` or `InvalidToken` for a token that is no good.
        """
        header = self.get_header(request)
        if header is None:
            return None
        raw_token = self.get_raw_token(header)
        if raw_token is None:
            return None
        validated_token = self.handed_over_token(request, raw_token)
        if validated_token is None:
            validated_token = self.get_validated_token(raw_token)
        return self.get_user(validated_token), validated_token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge for `WWW-Authenticate`."""
        return f'{header_types()[0]} realm="{self.www_authenticate_realm}"'

    def get_header(self, request: Request) -> bytes | None:
        """Return the header that carries the token, or `None`."""
        header = request.META.get(api_settings.AUTH_HEADER_NAME)
        return header.encode(HTTP_HEADER_ENCODING) if isinstance(header, str) else header

    def get_raw_token(self, header: bytes) -> bytes | None:
        """Return the token in a header value, or `None` when the scheme is not ours.

        The scheme is compared without regard to case (RFC 9110 section 11.1).
        """
        parts = header.split()
        if not parts or parts[0].lower() not in _scheme_bytes(header_types()):
            return None
        if len(parts) != 2:
            raise AuthenticationFailed(
                _("Authorization header must contain two space-delimited values"),
                code="bad_authorization_header",
            )
        return parts[1]

    def handed_over_token(self, request: Request, raw_token: bytes) -> Token | None:
        """Return the token that the server proved, if it may stand for our own proof."""
        identity = request.META.get(IDENTITY_KEY)
        if identity is None:
            identity = (getattr(request, "scope", None) or {}).get(IDENTITY_KEY)
        if not isinstance(identity, Identity) or not self._rules_are_ordinary():
            return None
        # A middleware may have put another token into the header since.
        if identity.token.encode() != raw_token:
            return None
        try:
            return AccessToken.from_identity(identity)
        except TokenError:
            # For one, it ended while the request waited: let the ordinary way say so.
            return None

    def _rules_are_ordinary(self) -> bool:
        return (
            type(self).get_validated_token is _PROOF[0]
            and all(map(is_, _proof(), _PROOF))
            and AccessToken._token_backend is None
            and tuple(api_settings.AUTH_TOKEN_CLASSES) == (AccessToken,)
            and type(state.token_backend) is TokenBackend
            and vars(state.token_backend).keys().isdisjoint(_OVERRIDABLE)
        )

    def get_validated_token(self, raw_token: bytes) -> Token:
        """Return the first of `AUTH_TOKEN_CLASSES` that accepts the raw token.

        Raises `InvalidToken` with every class's reason.
        """
        messages = []
        for token_class in api_settings.AUTH_TOKEN_CLASSES:
            try:
                return token_class(raw_token)  # type: ignore[no-any-return]  # from the settings
            except TokenError as error:
                messages.append(
                    {
                        "token_class": token_class.__name__,
                        "token_type": token_class.token_type,
                        "message": error.args[0],
                    }
                )
        raise InvalidToken(
            {"detail": _("Given token not valid for any token type"), "messages": messages}
        )

    def get_user(self, validated_token: Token) -> Any:
        """Return the user whom the token names, if that user may come in."""
        try:
            user_id = validated_token[api_settings.USER_ID_CLAIM]
        except KeyError as error:
            raise InvalidToken(_("Token contained no recognizable user identification")) from error

        try:
            user = user_by(self.user_model, api_settings.USER_ID_FIELD, user_id)
        except (self.user_model.DoesNotExist, *NO_ID_OF_THE_MODEL) as error:
            raise AuthenticationFailed(_("User not found"), code="user_not_found") from error

        if api_settings.CHECK_USER_IS_ACTIVE and not user.is_active:
            raise AuthenticationFailed(_("User is inactive"), code="user_inactive")
        if api_settings.CHECK_REVOKE_TOKEN:
            fingerprint = validated_token.get(api_settings.REVOKE_TOKEN_CLAIM)
            if fingerprint != get_md5_hash_password(user.password):
                raise AuthenticationFailed(
                    _("The user's password has been changed."), code="password_changed"
                )
        return user


class JWTStatelessUserAuthentication(JWTAuthentication):
    """Authenticates by the token alone; the user is a `TokenUser`, no database is read."""

    def get_user(self, validated_token: Token) -> Any:
        """Return the user that the claims describe."""
        if api_settings.USER_ID_CLAIM not in validated_token:
            raise InvalidToken(_("Token contained no recognizable user identification"))
        return api_settings.TOKEN_USER_CLASS(validated_token)


JWTTokenUserAuthentication = JWTStatelessUserAuthentication


def default_user_authentication_rule(user: Any) -> bool:
    """Return whether a user may get a token: known, and active if that is asked for."""
    if user is None:
        return False
    return not api_settings.CHECK_USER_IS_ACTIVE or bool(user.is_active)


def _proof() -> tuple[Any, ...]:
    """What proves a token where no server has done it, as it stands now."""
    return (
        JWTAuthentication.get_validated_token,
        TokenBackend.decode,
        TokenBackend.get_verifying_key,
        AccessToken.__init__,
        AccessToken.get_token_backend,
        AccessToken.token_backend,
    )


#: The same as we wrote it. A project that put something else in its place, say a list of
#: revoked tokens, is asked for every token: what the edge proved does not count then.
_PROOF = _proof()
_OVERRIDABLE = frozenset({"decode", "get_verifying_key"})
