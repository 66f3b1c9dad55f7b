"""One small project with every token view and its OpenAPI document.

Run as a program, so that each run has settings of its own:

    python openapi_project.py yett.drf plain db.sqlite3 document

Commands: `document` prints the document and drf-spectacular's complaints; `answers` sends the
requests on standard input and prints the answers; `abuse` lets schemathesis loose and
prints what it found.
"""

import json
import sys
import time
from importlib import import_module
from itertools import count
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

from forge import forge

KEY = "a-key-for-tests-alone-of-more-than-thirty-two-bytes"
ROTATING = {"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True}
NUMBERS = count()
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rotating": ROTATING,
    "other_scheme": {"AUTH_HEADER_TYPES": ("JWT",)},
    "other_header": {"AUTH_HEADER_NAME": "HTTP_X_ACCESS_TOKEN"},
    "many_schemes": {"AUTH_HEADER_TYPES": ("JWT", "bearer")},
    "own_handler": {},
}


def own_handler(error: Exception, context: Any) -> Any:
    """Stand for a project's own error bodies."""
    from rest_framework.views import exception_handler

    return exception_handler(error, context)


def configure(package: str, variant: str, database: str) -> None:
    """Set Django up with the package's classes; a database that is new is filled."""
    settings.configure(
        SECRET_KEY=KEY,
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "rest_framework",
            "drf_spectacular",
            f"{package}.token_blacklist",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        USE_TZ=True,
        LOGGING_CONFIG=None,
        REST_FRAMEWORK={
            "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
            "DEFAULT_AUTHENTICATION_CLASSES": [f"{package}.authentication.JWTAuthentication"],
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
            **(
                {"EXCEPTION_HANDLER": f"{__name__}.own_handler"} if variant == "own_handler" else {}
            ),
        },
        SIMPLE_JWT=VARIANTS[variant],
    )
    django.setup()


def build_urls(package: str) -> list[Any]:
    """Return the URL patterns: the token views, and views that want a token."""
    from django.urls import path
    from drf_spectacular.utils import extend_schema, inline_serializer
    from drf_spectacular.views import SpectacularJSONAPIView
    from rest_framework import serializers
    from rest_framework.response import Response
    from rest_framework.views import APIView

    views = import_module(f"{package}.views")
    authentication = import_module(f"{package}.authentication")
    serializer_classes = import_module(f"{package}.serializers")
    Who = inline_serializer("Who", {"user": serializers.CharField()})

    class Me(APIView):
        @extend_schema(responses={200: Who, 401: None})
        def get(self, request: Any) -> Response:
            return Response({"user": str(request.user)})

    class Stateless(Me):
        authentication_classes = (authentication.JWTStatelessUserAuthentication,)

    class OwnAuthentication(authentication.JWTAuthentication):  # type: ignore[misc, name-defined]
        """As a project has it, to look elsewhere for the header."""

    class Own(Me):
        authentication_classes = (OwnAuthentication,)

    class WithRole(serializer_classes.TokenObtainPairSerializer):  # type: ignore[misc, name-defined]
        role = serializers.CharField(write_only=True)

    class OwnPair(views.TokenObtainPairView):  # type: ignore[misc, name-defined]
        serializer_class = WithRole

    class Described(views.TokenVerifyView):  # type: ignore[misc, name-defined]
        @extend_schema(responses={204: None}, summary="Described by the project")
        def post(self, request: Any, *args: Any, **kwargs: Any) -> Response:
            return super().post(request, *args, **kwargs)  # type: ignore[no-any-return]

    own = [
        path("own/", Own.as_view()),
        path("own/token/", OwnPair.as_view()),
        path("own/verify/", Described.as_view()),
    ]
    return [
        path("token/", views.TokenObtainPairView.as_view()),
        path("refresh/", views.TokenRefreshView.as_view()),
        path("verify/", views.TokenVerifyView.as_view()),
        path("sliding/", views.TokenObtainSlidingView.as_view()),
        path("sliding/refresh/", views.TokenRefreshSlidingView.as_view()),
        path("blacklist/", views.TokenBlacklistView.as_view()),
        path("me/", Me.as_view()),
        path("stateless/", Stateless.as_view()),
        path("schema/", SpectacularJSONAPIView.as_view(permission_classes=(), schema=None)),
        *(own if "abuse" not in sys.argv else []),
    ]


def document() -> dict[str, Any]:
    """Return the document, checked by drf-spectacular, and what it complained of."""
    from drf_spectacular.drainage import GENERATOR_STATS
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.validation import validate_schema

    with GENERATOR_STATS.silence():
        made = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(made)
    return {
        "document": made,
        "complaints": [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache],
    }


def people() -> None:
    """Fill the database."""
    from django.contrib.auth import get_user_model

    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user("ann", password="right")


def claims(**changes: Any) -> dict[str, Any]:
    """Return claims of ann's refresh token with changes."""
    now = int(time.time())
    return {
        "token_type": "refresh",
        "exp": now + 3600,
        "refresh_exp": now + 3600,
        "iat": now,
        # Each its own, so that revoking one says nothing of the others.
        "jti": f"{next(NUMBERS):032}",
        "user_id": "1",
        **changes,
    }


def answers() -> dict[str, Any]:
    """Return status and body by the names of the requests on standard input.

    `claims` of a request are signed and stand in its body and header as the token.
    """
    from django.test import Client

    people()
    client = Client(raise_request_exception=False)
    answered = {}
    for name, request in json.load(sys.stdin).items():
        body = request.get("body", "")
        extra = {}
        if "claims" in request:
            # Some issuers write UTF-8 as it is.
            text = json.dumps(
                claims(**request["claims"]),
                ensure_ascii=not request.get("utf8"),
                separators=(",", ":"),
            )
            token = forge(text, KEY)
            body = json.dumps({"refresh": token, "token": token})
            extra = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
        if "header" in request:
            extra = {"HTTP_AUTHORIZATION": request["header"]}
        response = client.generic(
            request.get("method", "POST"),
            request["path"],
            body.encode("utf-8", "surrogatepass"),
            content_type=request.get("content_type", "application/json"),
            **extra,
        )
        raised = getattr(response, "exc_info", None)
        answered[name] = {
            "status": response.status_code,
            "body": response.content.decode("utf-8", "replace")[:300],
            "raised": repr(raised[1])[:300] if raised else None,
        }
    return answered


urlpatterns: list[Any] = []

if __name__ == "__main__":
    package, variant, database, command = sys.argv[1:]
    configure(package, variant, database)
    urlpatterns = build_urls(package)
    if command == "abuse":
        from abuse import abuse

        people()
        json.dump(abuse(), sys.stdout)
    else:
        json.dump(globals()[command](), sys.stdout)
