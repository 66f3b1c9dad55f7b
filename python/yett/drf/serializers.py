"""Bodies of the token views: what comes in, what is checked, what goes out.

Names, fields and messages are simplejwt's. Whether credentials are right is decided by
Django's `authenticate()` and `USER_AUTHENTICATION_RULE`, never here.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import update_last_login
from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, ValidationError

from .exceptions import TokenError
from .settings import api_settings
from .token_blacklist import records, step
from .token_blacklist.apps import is_installed
from .tokens import RefreshToken, SlidingToken, Token, UntypedToken
from .users import user_by
from .utils import NO_ID_OF_THE_MODEL, get_md5_hash_password


def default_on_login_success(user: Any, request: Any) -> None:
    """Write the user's `last_login`; called when `UPDATE_LAST_LOGIN` is set."""
    update_last_login(None, user)  # type: ignore[arg-type]  # the sender is not looked at


def default_on_login_failed(credentials: dict[str, Any], request: Any) -> None:
    """Do nothing: `authenticate()` has sent Django's `user_login_failed`."""


class PasswordField(serializers.CharField):
    """A password: shown as one in forms, never sent back."""

    def __init__(self, **kwargs: Any) -> None:
        style = {**kwargs.pop("style", {}), "input_type": "password"}
        super().__init__(**{**kwargs, "style": style, "write_only": True})


class TokenObtainSerializer(serializers.Serializer[Any]):
    """Credentials to a user; subclasses make the tokens of `token_class`."""

    username_field = str(get_user_model().USERNAME_FIELD)
    token_class: type[Token] | None = None

    default_error_messages = {  # noqa: RUF012  # DRF merges these along the class tree
        "no_active_account": _("No active account found with the given credentials")
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[self.username_field] = serializers.CharField(write_only=True)
        self.fields["password"] = PasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Authenticate; the user stands in `self.user` afterwards."""
        credentials = {
            self.username_field: attrs[self.username_field],
            "password": attrs["password"],
        }
        request = self.context.get("request")
        # Backends see the argument only when there is a request, as Django's own callers do.
        arguments = credentials if request is None else {**credentials, "request": request}
        self.user = authenticate(**arguments)

        if not api_settings.USER_AUTHENTICATION_RULE(self.user):
            shown = {**credentials, "password": "*" * 20}
            api_settings.ON_LOGIN_FAILED(shown, request)
            raise AuthenticationFailed(
                self.error_messages["no_active_account"], "no_active_account"
            )
        return {}

    def note_login(self) -> None:
        """Tell `ON_LOGIN_SUCCESS` of the login when `UPDATE_LAST_LOGIN` is set."""
        if api_settings.UPDATE_LAST_LOGIN:
            api_settings.ON_LOGIN_SUCCESS(self.user, self.context.get("request"))

    @classmethod
    def get_token(cls, user: Any) -> Token:
        """Make the token; the place where projects add claims."""
        assert cls.token_class is not None, f"{cls.__name__} has no token_class"
        return cls.token_class.for_user(user)


class TokenObtainPairSerializer(TokenObtainSerializer):
    """Credentials to a refresh and an access token."""

    token_class = RefreshToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return `refresh` and `access`."""
        data = super().validate(attrs)
        refresh: Any = self.get_token(self.user)
        data["refresh"] = str(refresh)
        data["access"] = str(refresh.access_token)
        self.note_login()
        return data


class TokenObtainSlidingSerializer(TokenObtainSerializer):
    """Credentials to a sliding token."""

    token_class = SlidingToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return `token`."""
        data = super().validate(attrs)
        data["token"] = str(self.get_token(self.user))
        self.note_login()
        return data


class TokenRefreshSerializer(serializers.Serializer[Any]):
    """A refresh token to a new access token, and to a new refresh token if so set."""

    refresh = serializers.CharField()
    access = serializers.CharField(read_only=True)
    token_class = RefreshToken

    default_error_messages = {  # noqa: RUF012  # DRF merges these along the class tree
        "no_active_account": _("No active account found for the given token."),
        "password_changed": _("The user's password has been changed."),
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return `access`, with `ROTATE_REFRESH_TOKENS` also `refresh`.

        With the blacklist, of all requests with one token exactly one gets a new pair.
        """
        raw_token = attrs["refresh"]
        return step.repeat(lambda: self.renew(raw_token)) if works_once() else self.renew(raw_token)

    def renew(self, raw_token: str) -> dict[str, Any]:
        """Prove the token and make what is to be returned."""
        refresh = self.token_class(raw_token)
        if user_id := refresh.get(api_settings.USER_ID_CLAIM):
            self.check_user(refresh, user_id)
        data = {"access": signed(refresh.access_token)}
        if api_settings.ROTATE_REFRESH_TOKENS:
            # Taking the old one and noting the new one: both, or neither.
            with step.one_step() if works_once() else nullcontext():
                if api_settings.BLACKLIST_AFTER_ROTATION:
                    take(refresh)
                data["refresh"] = successor(refresh)
        return data

    def check_user(self, refresh: RefreshToken, user_id: Any) -> None:
        """Check that the token's user still is, and may come in."""
        user_model = get_user_model()
        try:
            user = user_by(user_model, api_settings.USER_ID_FIELD, user_id)
        except (user_model.DoesNotExist, *NO_ID_OF_THE_MODEL) as error:
            raise _gone(self.error_messages["no_active_account"], error) from error
        refresh.known_user = user
        if not api_settings.USER_AUTHENTICATION_RULE(user):
            raise AuthenticationFailed(
                self.error_messages["no_active_account"], "no_active_account"
            )
        if api_settings.CHECK_REVOKE_TOKEN:
            fingerprint = refresh.get(api_settings.REVOKE_TOKEN_CLAIM)
            if fingerprint != get_md5_hash_password(user.password):
                revoke(refresh)
                raise AuthenticationFailed(
                    self.error_messages["password_changed"], "password_changed"
                )


def _gone(message: Any, error: Exception) -> AuthenticationFailed:
    """The refusal for a token whose user is no more.

    To simplejwt 5.5.1 it is the model's `DoesNotExist`, an answer of 500 unless the project
    catches that; to the release after it, this refusal. It is both here.
    """
    missing: type[Exception] = get_user_model().DoesNotExist

    class AccountGone(AuthenticationFailed, missing):  # type: ignore[misc, valid-type]  # the project's model
        def __str__(self) -> str:
            return str(error)

    return AccountGone(message, "no_active_account")


def signed(token: Token) -> str:
    """Return the raw token; `TokenError` when the claims it took over do not fit into one.

    They come from the token that was sent, perhaps of an issuer who writes them shorter.
    """
    try:
        return str(token)
    except ValueError as error:
        raise TokenError(_("Token is invalid")) from error


def works_once() -> bool:
    """Whether the project wants a refresh token to be used once, and has the tables for it."""
    is_wanted = api_settings.ROTATE_REFRESH_TOKENS and api_settings.BLACKLIST_AFTER_ROTATION
    return bool(is_wanted) and is_installed()


def revoke(token: Token) -> Any:
    """Blacklist a token where there is a blacklist (see `tokens.BlacklistMixin`)."""
    blacklist = getattr(token, "blacklist", None)
    return None if blacklist is None else blacklist()


def take(token: Token) -> None:
    """Revoke a token that is being used; `TokenError` when somebody else was first."""
    try:
        taken = revoke(token)
    except IntegrityError as error:
        # Under stricter isolation than the usual the other one's row stops ours unseen.
        raise TokenError(_("Token is blacklisted")) from error
    # A project's own `blacklist` may return what it likes: it then decides by itself.
    match taken:
        case (_row, False):
            raise TokenError(_("Token is blacklisted"))


def successor(token: Token) -> str:
    """Return the token with a new id and new times, noted as issued."""
    token.set_jti()
    token.set_exp()
    token.set_iat()
    token.outstand()
    return signed(token)


class TokenRefreshSlidingSerializer(serializers.Serializer[Any]):
    """A sliding token to a renewed one."""

    token = serializers.CharField()
    token_class = SlidingToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return `token`; its last renewal time stays what it was."""
        token = self.token_class(attrs["token"])
        token.check_exp(api_settings.SLIDING_TOKEN_REFRESH_EXP_CLAIM)
        token.set_exp()
        token.set_iat()
        return {"token": signed(token)}


class TokenVerifySerializer(serializers.Serializer[Any]):
    """Any token to the knowledge that it is sound."""

    token = serializers.CharField(write_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return nothing; a bad token raises `TokenError`.

        A revoked one is a `ValidationError`, where rotated tokens are revoked.
        """
        token = UntypedToken(attrs["token"])
        if api_settings.BLACKLIST_AFTER_ROTATION and is_installed():
            jti = token.get(api_settings.JTI_CLAIM)
            if records.is_blacklisted(jti):
                raise ValidationError(_("Token is blacklisted"))
        return {}


class TokenBlacklistSerializer(serializers.Serializer[Any]):
    """A refresh token to its end."""

    refresh = serializers.CharField(write_only=True)
    token_class = RefreshToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return nothing; a bad token raises `TokenError`, a database that stays locked is 503.

        Without the blacklist app nothing is revoked, as in simplejwt.
        """
        raw_token = attrs["refresh"]
        if is_installed():
            step.repeat(lambda: revoke(self.token_class(raw_token)))
        else:
            revoke(self.token_class(raw_token))
        return {}
