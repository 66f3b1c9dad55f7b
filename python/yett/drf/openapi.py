"""What drf-spectacular needs to describe the token views and the authentication classes.

Imported only in a project whose schema class is drf-spectacular's, when a schema is made:
`spectacular.py` asks for it, the rest of the package never does. Nothing here runs in a
request. A project's own `@extend_schema`, extension or schema class wins over what is said here.
"""

from __future__ import annotations

from functools import lru_cache
from inspect import getdoc
from typing import Any

from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiResponse
from rest_framework import serializers
from rest_framework.settings import api_settings as rest_framework_settings
from rest_framework.views import exception_handler

from .authentication import JWTAuthentication, header_types
from .serializers import (
    TokenBlacklistSerializer,
    TokenObtainPairSerializer,
    TokenObtainSerializer,
    TokenObtainSlidingSerializer,
    TokenRefreshSerializer,
    TokenVerifySerializer,
)
from .settings import api_settings
from .views import TokenViewBase

#: A new JSON schema at each call: drf-spectacular changes what it is given.
Schema = dict[str, Any]


class JWTScheme(OpenApiAuthenticationExtension):
    """The security scheme of `JWTAuthentication`, the stateless one, and classes made from them.

    `http` with `bearer` (RFC 6750). OpenAPI has no word for another scheme or another header
    that carries one: then it is a header whose value is described.
    """

    target_class = JWTAuthentication
    match_subclasses = True
    priority = -1
    #: What drf-spectacular calls simplejwt's: generated clients keep their names.
    name = "jwtAuth"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:
        """Return the scheme under the settings as they are now."""
        schemes = header_types()
        header = api_settings.AUTH_HEADER_NAME.removeprefix("HTTP_").replace("_", "-").title()
        if header == "Authorization" and "bearer" in (scheme.lower() for scheme in schemes):
            return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        return {
            "type": "apiKey",
            "in": "header",
            "name": header,
            "description": f'Token-based authentication with required prefix "{schemes[0]}"',
        }


# Several classes with one scheme: no mistake to be warned of.
set_override(JWTAuthentication, "suppress_collision_warning", True)


class _TokenSerializer(OpenApiSerializerExtension):
    """A token serializer as it is declared, and what only its `validate` knows."""

    match_subclasses = True
    priority = -1
    #: Tokens in the answer that are not declared as fields.
    answered: tuple[str, ...] = ()

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Schema:
        """Return the declared fields and the tokens of the answer."""
        schema: Schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        for name in self.answered:
            if name not in schema.setdefault("properties", {}):
                schema["properties"][name] = {"type": "string", "readOnly": True}
                schema["required"] = sorted({*schema.get("required", ()), name})
        return schema


class ObtainPair(_TokenSerializer):
    """Credentials in, both tokens out."""

    target_class = TokenObtainPairSerializer
    answered = ("access", "refresh")


class ObtainSliding(_TokenSerializer):
    """Credentials in, a sliding token out."""

    target_class = TokenObtainSlidingSerializer
    answered = ("token",)


class Refresh(_TokenSerializer):
    """A refresh token in; it comes out only where `ROTATE_REFRESH_TOKENS` is set."""

    target_class = TokenRefreshSerializer

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Schema:
        """Return the declared fields; without rotation `refresh` is for the request alone."""
        schema = super().map_serializer(auto_schema, direction)
        if not api_settings.ROTATE_REFRESH_TOKENS and "refresh" in schema["properties"]:
            schema["properties"]["refresh"]["writeOnly"] = True
        return schema


class RefusedToken(serializers.Serializer[Any]):
    """The body of a 401."""

    detail = serializers.CharField(help_text="For people; in the language of the request.")
    code = serializers.CharField(
        required=False, help_text='For programs: "token_not_valid". Not there for bad credentials.'
    )


class TokenViewSchema(AutoSchema):
    """What a token view answers beside the tokens; mixed into the project's schema class."""

    def get_description(self) -> str:  # type: ignore[override]  # mypy takes DRF's for the base
        """Return what the view says of itself, rather than what `post` says to programmers."""
        view = type(self.view)
        if getattr(view, "post", None) is TokenViewBase.post:
            return getdoc(view) or ""
        return str(super().get_description())

    def get_response_serializers(self) -> Any:
        """Return the answers by status, unless the project's class has said them all."""
        serializer = super().get_response_serializers()
        if not isinstance(serializer, serializers.Serializer):
            return serializer
        answer: Any = serializer
        if _answers_nothing(serializer):
            nothing = {"type": "object", "maxProperties": 0}
            answer = OpenApiResponse(nothing, description="An empty object.")
        return {200: answer, 400: _mistakes(serializer), 401: _refusal(serializer)}


def _answers_nothing(serializer: serializers.Serializer[Any]) -> bool:
    """Whether it is one of the two that return nothing, and still does."""
    return any(
        isinstance(serializer, known) and type(serializer).validate is known.validate
        for known in (TokenVerifySerializer, TokenBlacklistSerializer)
    )


def _mistakes(serializer: serializers.Serializer[Any]) -> OpenApiResponse:
    names = [name for name, field in serializer.fields.items() if not field.read_only]
    names.append(rest_framework_settings.NON_FIELD_ERRORS_KEY)
    texts = {name: {"type": "array", "items": {"type": "string"}} for name in names}
    # `detail` when the body could not be read at all.
    schema = {"type": "object", "properties": {"detail": {"type": "string"}, **texts}}
    return _if_bodies_are_drf_s(schema, "The body is not what is asked for.")


def _refusal(serializer: serializers.Serializer[Any]) -> OpenApiResponse:
    if isinstance(serializer, TokenObtainSerializer):
        return _if_bodies_are_drf_s(RefusedToken, "No active account has these credentials.")
    return _if_bodies_are_drf_s(RefusedToken, "The token or its user is not accepted.")


def _if_bodies_are_drf_s(body: Any, description: str) -> OpenApiResponse:
    """Leave the body open where the project's own handler may write what it likes."""
    is_plain = rest_framework_settings.EXCEPTION_HANDLER is exception_handler
    return OpenApiResponse(body if is_plain else None, description=description)


def extended(schema: Any, view: Any) -> Any:
    """Return what describes a token view in the place of the project's schema object for it.

    That object itself when it is not drf-spectacular's.
    """
    if not isinstance(schema, AutoSchema):
        return schema
    schema_class: Any = type(schema)
    for_view = _with_answers(schema_class)()
    for_view.view = view
    return for_view


@lru_cache(maxsize=8)
def _with_answers(schema_class: Any) -> Any:
    return type(schema_class.__name__, (TokenViewSchema, schema_class), {})
