"""The project's `SIMPLE_JWT` settings over simplejwt's defaults.

Names, defaults and meanings are simplejwt's. Two differences, both so that a project
sees what it wrote: `api_settings` is one object that is refreshed in place when Django
sends `setting_changed`, so no module keeps an old copy; and a dotted path that begins
with `rest_framework_simplejwt.` names the class of the same name here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.core.signals import setting_changed
from rest_framework.settings import APISettings as RestFrameworkSettings

V = TypeVar("V")

DEFAULTS: dict[str, Any] = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
    "ROTATE_REFRESH_TOKENS": False,
    "BLACKLIST_AFTER_ROTATION": False,
    "UPDATE_LAST_LOGIN": False,
    "ALGORITHM": "HS256",
    "SIGNING_KEY": settings.SECRET_KEY,
    "VERIFYING_KEY": "",
    "AUDIENCE": None,
    "ISSUER": None,
    "JSON_ENCODER": None,
    "JWK_URL": None,
    "LEEWAY": 0,
    "AUTH_HEADER_TYPES": ("Bearer",),
    "AUTH_HEADER_NAME": "HTTP_AUTHORIZATION",
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "user_id",
    "USER_AUTHENTICATION_RULE": "yett.drf.authentication.default_user_authentication_rule",
    "ON_LOGIN_SUCCESS": "yett.drf.serializers.default_on_login_success",
    "ON_LOGIN_FAILED": "yett.drf.serializers.default_on_login_failed",
    "AUTH_TOKEN_CLASSES": ("yett.drf.tokens.AccessToken",),
    "TOKEN_TYPE_CLAIM": "token_type",
    "JTI_CLAIM": "jti",
    "TOKEN_USER_CLASS": "yett.drf.models.TokenUser",
    "SLIDING_TOKEN_REFRESH_EXP_CLAIM": "refresh_exp",
    "SLIDING_TOKEN_LIFETIME": timedelta(minutes=5),
    "SLIDING_TOKEN_REFRESH_LIFETIME": timedelta(days=1),
    "TOKEN_OBTAIN_SERIALIZER": "yett.drf.serializers.TokenObtainPairSerializer",
    "TOKEN_REFRESH_SERIALIZER": "yett.drf.serializers.TokenRefreshSerializer",
    "TOKEN_VERIFY_SERIALIZER": "yett.drf.serializers.TokenVerifySerializer",
    "TOKEN_BLACKLIST_SERIALIZER": "yett.drf.serializers.TokenBlacklistSerializer",
    "SLIDING_TOKEN_OBTAIN_SERIALIZER": "yett.drf.serializers.TokenObtainSlidingSerializer",
    "SLIDING_TOKEN_REFRESH_SERIALIZER": "yett.drf.serializers.TokenRefreshSlidingSerializer",
    "CHECK_REVOKE_TOKEN": False,
    "REVOKE_TOKEN_CLAIM": "hash_password",
    "CHECK_USER_IS_ACTIVE": True,
    # Ours: a key set over plain http, which whoever is on the way can replace, from another
    # machine. simplejwt does not look at it.
    "DANGER_JWK_URL_OVER_HTTP": False,
}

#: Settings whose dotted paths are imported when they are read.
IMPORT_STRINGS = (
    "AUTH_TOKEN_CLASSES",
    "JSON_ENCODER",
    "ON_LOGIN_FAILED",
    "ON_LOGIN_SUCCESS",
    "TOKEN_USER_CLASS",
    "USER_AUTHENTICATION_RULE",
)

#: Names that old releases of simplejwt knew. Silence would leave the project unprotected.
REMOVED_SETTINGS = {
    "AUTH_HEADER_TYPE": "AUTH_HEADER_TYPES",
    "AUTH_TOKEN_CLASS": "AUTH_TOKEN_CLASSES",
    "SECRET_KEY": "SIGNING_KEY",
    "TOKEN_BACKEND_CLASS": None,
}


class FromSettings(Generic[V]):
    """A class attribute that reads the settings each time; assigning replaces it."""

    def __init__(self, read: Callable[[], V]) -> None:
        self.read = read

    def __get__(self, instance: object, owner: type) -> V:
        return self.read()


def _own_path(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("rest_framework_simplejwt."):
        return "yett.drf." + value.removeprefix("rest_framework_simplejwt.")
    if isinstance(value, (list, tuple)):
        return type(value)(_own_path(item) for item in value)
    return value


class APISettings(RestFrameworkSettings):
    """Attribute access to the settings; DRF's class, reading `SIMPLE_JWT`."""

    @property
    def user_settings(self) -> dict[str, Any]:
        """Return what the project set, checked, with paths turned to this package.

        Raises `RuntimeError` for a removed name.
        """
        if not hasattr(self, "_user_settings"):
            written: dict[str, Any] = getattr(settings, "SIMPLE_JWT", None) or {}
            for name in REMOVED_SETTINGS.keys() & written.keys():
                instead = REMOVED_SETTINGS[name]
                hint = f"use '{instead}'" if instead else "there is nothing in its place"
                raise RuntimeError(f"SIMPLE_JWT: the setting '{name}' was removed; {hint}.")
            self._user_settings = {name: _own_path(value) for name, value in written.items()}
        return self._user_settings

    def reload(self) -> None:
        """Forget everything read so far."""
        for name in self._cached_attrs:
            self.__dict__.pop(name, None)
        self._cached_attrs.clear()
        self.__dict__.pop("_user_settings", None)


# The stub of DRF's class knows DRF's own names only.
api_settings = APISettings(None, DEFAULTS, IMPORT_STRINGS)  # type: ignore[arg-type]
# Read once now: a removed name must stop the start, not the first request.
_ = api_settings.user_settings


def reload_api_settings(*, setting: str, **_kwargs: Any) -> None:
    """Receive Django's `setting_changed` (tests that override settings)."""
    if setting == "SECRET_KEY":
        DEFAULTS["SIGNING_KEY"] = settings.SECRET_KEY
    if setting in ("SECRET_KEY", "SIMPLE_JWT"):
        api_settings.reload()


setting_changed.connect(reload_api_settings)
