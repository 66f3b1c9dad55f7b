"""The token views. A project routes them itself; there is no `urls.py`.

Each answers POST alone, needs neither authentication nor permission, and takes its
serializer from `SIMPLE_JWT` unless the class sets one. A token that is no good is a 401
with `code` "token_not_valid".
"""

from __future__ import annotations

from typing import Any

from django.utils.module_loading import import_string
from rest_framework import generics, status
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.schemas import DefaultSchema
from rest_framework.serializers import BaseSerializer

from .authentication import header_types
from .exceptions import InvalidToken, TokenError
from .settings import FromSettings, api_settings
from .spectacular import openapi_if_used


class TokenViewSchema(DefaultSchema):
    """The attribute `schema` of the token views: the project's class, and what we know more.

    Read when a schema is made or a view asked for it, not by requests.
    """

    def __get__(self, instance: Any, owner: Any) -> Any:
        """Return the schema of a view, of the project's class in any case."""
        schema = super().__get__(instance, owner)
        # One that was set on this very view stays what it is.
        if instance in self.instance_schemas or (openapi := openapi_if_used()) is None:
            return schema
        return openapi.extended(schema, instance)


class TokenViewBase(generics.GenericAPIView[Any]):
    """What the token views share. Subclasses name the setting of their serializer."""

    permission_classes = ()
    authentication_classes = ()

    #: For drf-spectacular; any other schema class is as ever.
    schema = TokenViewSchema()

    serializer_class: type[BaseSerializer[Any]] | None = None
    #: The dotted path of the serializer, when `serializer_class` is not set; simplejwt's name.
    _serializer_class: str | FromSettings[str] = ""

    www_authenticate_realm = "api"

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return the class's own serializer, or the one that the settings name."""
        if self.serializer_class:
            return self.serializer_class
        path: Any = self._serializer_class
        try:
            return import_string(path)  # type: ignore[no-any-return]  # from the settings
        except ImportError as error:
            raise ImportError(f"Could not import serializer '{path}'") from error

    def get_authenticate_header(self, request: Request) -> str:
        """Return the challenge; without it DRF would turn 401 into 403."""
        return f'{header_types()[0]} realm="{self.www_authenticate_realm}"'

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer with what the serializer made of the body."""
        try:
            data = request.data
        except RecursionError as error:
            # JSON nested so deeply that Python's parser gives up; DRF knows only its other errors.
            raise ParseError("JSON parse error - nested too deeply") from error
        serializer = self.get_serializer(data=data)
        try:
            serializer.is_valid(raise_exception=True)
        except TokenError as error:
            raise InvalidToken(error.args[0]) from error
        return Response(serializer.validated_data, status=status.HTTP_200_OK)


class TokenObtainPairView(TokenViewBase):
    """Takes credentials and returns an access and a refresh token."""

    _serializer_class = FromSettings(lambda: str(api_settings.TOKEN_OBTAIN_SERIALIZER))


class TokenRefreshView(TokenViewBase):
    """Takes a refresh token and returns an access token."""

    _serializer_class = FromSettings(lambda: str(api_settings.TOKEN_REFRESH_SERIALIZER))


class TokenObtainSlidingView(TokenViewBase):
    """Takes credentials and returns a sliding token."""

    _serializer_class = FromSettings(lambda: str(api_settings.SLIDING_TOKEN_OBTAIN_SERIALIZER))


class TokenRefreshSlidingView(TokenViewBase):
    """Takes a sliding token and returns a renewed one while its window is open."""

    _serializer_class = FromSettings(lambda: str(api_settings.SLIDING_TOKEN_REFRESH_SERIALIZER))


class TokenVerifyView(TokenViewBase):
    """Takes any token and says whether it is sound, not what it may be used for."""

    _serializer_class = FromSettings(lambda: str(api_settings.TOKEN_VERIFY_SERIALIZER))


class TokenBlacklistView(TokenViewBase):
    """Takes a refresh token and revokes it, where the app `yett.drf.token_blacklist` is."""

    _serializer_class = FromSettings(lambda: str(api_settings.TOKEN_BLACKLIST_SERIALIZER))


token_obtain_pair = TokenObtainPairView.as_view()
token_refresh = TokenRefreshView.as_view()
token_obtain_sliding = TokenObtainSlidingView.as_view()
token_refresh_sliding = TokenRefreshSlidingView.as_view()
token_verify = TokenVerifyView.as_view()
token_blacklist = TokenBlacklistView.as_view()
