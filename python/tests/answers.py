"""One small project's answers to a list of requests, as JSON on standard output.

Run as a program, once with each package, so that neither sees the other:

    python answers.py rest_framework_simplejwt plain 1700000000

The arguments are the package whose classes the project uses, the variant of its
settings, and the time for which the tokens were forged (the clock is the real one).
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import count
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

from forge import base64url, forge, read

KEY = "a-key-for-tests-alone-of-more-than-thirty-two-bytes"
HEADERS_THAT_MATTER = ("WWW-Authenticate", "Content-Type", "Allow", "Vary")
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rotating": {"ROTATE_REFRESH_TOKENS": True, "UPDATE_LAST_LOGIN": True},
    "addressed": {"ISSUER": "https://issuer.test", "AUDIENCE": ["notes", "mail"]},
    "short_key": {"SIGNING_KEY": "short"},
    "lenient": {"LEEWAY": 600},
    "revoking": {"CHECK_REVOKE_TOKEN": True},
    "many_schemes": {"AUTH_HEADER_TYPES": ("JWT", "Bearer")},
    "untyped": {"TOKEN_TYPE_CLAIM": None},
    "blacklist": {},
    "blacklist_rotating": {"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True},
}


def configure(package: str, variant: str) -> None:
    """Set Django up with the package's classes and an empty database in memory."""
    settings.configure(
        SECRET_KEY=KEY,
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["testserver"],
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "rest_framework",
            *([f"{package}.token_blacklist"] if variant.startswith("blacklist") else []),
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        USE_TZ=True,
        LOGGING_CONFIG=None,
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [f"{package}.authentication.JWTAuthentication"],
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        },
        SIMPLE_JWT=VARIANTS[variant],
    )
    django.setup()
    call_command("migrate", verbosity=0)


def build_urls(package: str) -> list[Any]:
    """Return the project's URL patterns."""
    from django.urls import path
    from rest_framework.decorators import api_view, authentication_classes
    from rest_framework.response import Response

    views = import_module(f"{package}.views")
    authentication = import_module(f"{package}.authentication")

    @api_view(["GET", "POST"])
    def me(request: Any) -> Response:
        return Response({"user": request.user.username, "claims": sorted(request.auth.payload)})

    @api_view(["GET"])
    @authentication_classes([authentication.JWTStatelessUserAuthentication])
    def stateless(request: Any) -> Response:
        return Response({"user": str(request.user), "staff": request.user.is_staff})

    return [
        path("token/", views.TokenObtainPairView.as_view()),
        path("refresh/", views.TokenRefreshView.as_view()),
        path("verify/", views.TokenVerifyView.as_view()),
        path("sliding/", views.TokenObtainSlidingView.as_view()),
        path("sliding/refresh/", views.TokenRefreshSlidingView.as_view()),
        path("blacklist/", views.TokenBlacklistView.as_view()),
        path("me/", me),
        path("stateless/", stateless),
    ]


def credentials(now: int, users: dict[str, int], key: str) -> dict[str, str]:
    """Return forged tokens by name, and a few texts that are no tokens."""
    from django.contrib.auth import get_user_model

    stored = get_user_model().objects.get(pk=users["ann"]).password
    fingerprint = hashlib.md5(stored.encode()).hexdigest().upper()
    good = {
        "token_type": "access",
        "exp": now + 3600,
        "iat": now - 60,
        "jti": "0" * 32,
        "user_id": str(users["ann"]),
        "iss": "https://issuer.test",
        "aud": "notes",
        "hash_password": fingerprint,
    }

    def without(*names: str) -> dict[str, Any]:
        return {name: value for name, value in good.items() if name not in names}

    numbers = count(1)

    def tok(claims: Any = None, **changes: Any) -> str:
        made = {**(good if claims is None else claims), **changes}
        # Each its own, so that blacklisting one says nothing of the others.
        if made.get("jti") == good["jti"]:
            made["jti"] = f"{next(numbers):032}"
        return forge(made, key)

    repeated = json.dumps(good)[:-1] + ', "exp": 1}'
    head, body, signature = tok().split(".")
    return {
        "good": tok(),
        "good with many audiences": tok(aud=["other", "mail"]),
        "good with a key id": forge(good, key, kid="1"),
        "good of a staff member": tok(is_staff=True),
        "expired": tok(exp=now - 10_000),
        "expired a moment ago": tok(exp=now - 30),
        "ends this second": tok(exp=now),
        "not yet valid": tok(nbf=now + 1000),
        "issued in the future": tok(iat=now + 1000),
        "expired and of another issuer": tok(exp=now - 10_000, iss="other"),
        "wrong key": forge(good, "another-key-of-more-than-thirty-two-bytes"),
        "expired under a wrong key": forge({**good, "exp": 1}, "another-key" * 4),
        "wrong algorithm": forge(good, key, alg="HS512"),
        "algorithm in name only": forge(good, key, alg="HS512", sign_as="HS256"),
        "asymmetric algorithm": forge(good, key, alg="RS256", sign_as="HS256"),
        "none": forge(good, key, alg="none"),
        "None with a signature": forge(good, key, alg="None", sign_as="HS256"),
        "wrong audience": tok(aud="other"),
        "no audience": tok(without("aud")),
        "audience of a wrong type": tok(aud={"notes": 1}),
        "wrong issuer": tok(iss="https://issuer.test.evil"),
        "no issuer": tok(without("iss")),
        "no exp": tok(without("exp")),
        "no id": tok(without("jti")),
        "no type": tok(without("token_type")),
        "no exp, id and type": tok(without("exp", "jti", "token_type")),
        "no id and no type": tok(without("jti", "token_type")),
        "refresh token": tok(token_type="refresh"),
        "refresh token, expired": tok(token_type="refresh", exp=now - 10_000),
        "refresh token without a user": tok(without("user_id"), token_type="refresh"),
        "refresh token of a deleted user": tok(token_type="refresh", user_id="4242"),
        "refresh token of an inactive user": tok(token_type="refresh", user_id=str(users["ida"])),
        "refresh token of a user id that is no number": tok(token_type="refresh", user_id="ann"),
        "refresh token, other password": tok(token_type="refresh", hash_password="0" * 32),
        "refresh token with more claims": tok(
            token_type="refresh", role="editor", n=[1, 2.5, None]
        ),
        "sliding token": tok(token_type="sliding", refresh_exp=now + 7200),
        "sliding token, window over": tok(token_type="sliding", refresh_exp=now - 7200),
        "sliding token, no window": tok(token_type="sliding"),
        "type that is no text": tok(token_type=["access"]),
        "no user": tok(without("user_id")),
        "user that was deleted": tok(user_id="4242"),
        "inactive user": tok(user_id=str(users["ida"])),
        "user id as a number": tok(user_id=users["ann"]),
        "user id that is no number": tok(user_id="ann"),
        "other password": tok(hash_password="0" * 32),
        "exp as a text": tok(exp=str(now + 3600)),
        "exp as a word": tok(exp="tomorrow"),
        "exp null": tok(exp=None),
        "exp beyond the calendar": tok(exp=10**17),
        "id as a number": tok(jti=7),
        "payload that is a list": forge([good], key),
        "payload that is no JSON": forge("{", key),
        "a name twice": forge(repeated, key),
        "unknown critical header": forge(good, key, crit=["x"], x=1),
        "two parts": f"{head}.{body}",
        "four parts": f"{head}.{body}.{signature}.",
        "padded": f"{head}.{body}.{signature}=",
        "cut": f"{head}.{body}.{signature[:-2]}",
        "header that is no JSON": f"{base64url(b'x')}.{body}.{signature}",
        "no token": "abc",
        "dots": "..",
        "not ASCII": "t\xf6ken",
    }


def requests(now: int, users: dict[str, int], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a name and the test client's arguments for each request."""

    def api(authorization: str | None, method: str = "GET", path: str = "/me/") -> dict[str, Any]:
        extra = {} if authorization is None else {"HTTP_AUTHORIZATION": authorization}
        return {"method": method, "path": path, **extra}

    def post(path: str, body: Any) -> dict[str, Any]:
        return {
            "method": "POST",
            "path": path,
            "data": body if isinstance(body, str) else json.dumps(body),
            "content_type": "application/json",
        }

    tokens = credentials(now, users, key)
    good = tokens["good"]
    for name, token in tokens.items():
        yield f"api: {name}", api(f"Bearer {token}")
        yield f"refresh: {name}", post("/refresh/", {"refresh": token})
        yield f"verify: {name}", post("/verify/", {"token": token})
        yield f"sliding refresh: {name}", post("/sliding/refresh/", {"token": token})
    for name in ("good", "good of a staff member", "no user", "user that was deleted", "expired"):
        yield f"stateless: {name}", api(f"Bearer {tokens[name]}", path="/stateless/")

    for name, header in {
        "none": None,
        "empty": "",
        "other scheme": "Basic YTpi",
        "scheme alone": "Bearer",
        "scheme and a space": "Bearer ",
        "three parts": f"Bearer {good} x",
        "two spaces": f"Bearer  {good}",
        "a tab": f"Bearer\t{good}",
        "token alone": good,
        "scheme in small letters": f"bearer {good}",
        "second scheme": f"JWT {good}",
        "two headers joined": f"Bearer {good}, Bearer {good}",
    }.items():
        yield f"header: {name}", api(header)
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        yield f"method: {method} without a token", api(None, method)
        yield f"method: {method} with a bad token", api("Bearer abc", method)
        yield f"method: {method} with a good token", api(f"Bearer {good}", method)

    ann = {"username": "ann", "password": "right"}
    for name, body in {
        "good": ann,
        "wrong password": {**ann, "password": "wrong"},
        "unknown user": {**ann, "username": "nobody"},
        "inactive user": {**ann, "username": "ida"},
        "no password": {"username": "ann"},
        "nothing": {},
        "blank": {"username": "", "password": ""},
        "null": {"username": None, "password": None},
        "password of spaces": {**ann, "password": "  "},
        "list": [ann],
        "no JSON": "{",
        "NUL": {**ann, "username": "a\0"},
    }.items():
        yield f"obtain: {name}", post("/token/", body)
        yield f"sliding obtain: {name}", post("/sliding/", body)
    form = "application/x-www-form-urlencoded"
    yield (
        "obtain: as a form",
        post("/token/", "username=ann&password=right") | {"content_type": form},
    )
    yield "obtain: of a wrong type", post("/token/", ann) | {"content_type": "text/plain"}
    paths = ("/token/", "/refresh/", "/verify/", "/sliding/", "/sliding/refresh/", "/blacklist/")
    for path in paths:
        yield f"{path}: GET", api(None, path=path)
        yield f"{path}: GET with a token", api(f"Bearer {good}", path=path)
        yield f"{path}: OPTIONS", api(None, "OPTIONS", path)
        yield f"{path}: empty", post(path, {})
        yield f"{path}: null", post(path, {"refresh": None, "token": None})
        yield f"{path}: blank", post(path, {"refresh": " ", "token": " "})

    # Last, as it changes what the tokens are worth.
    for name, token in tokens.items():
        yield f"blacklist: {name}", post("/blacklist/", {"refresh": token})
    for name in ("good", "refresh token", "refresh token without a user", "sliding token"):
        token = tokens[name]
        yield f"after, again: {name}", post("/blacklist/", {"refresh": token})
        yield f"after, api: {name}", api(f"Bearer {token}")
        yield f"after, refresh: {name}", post("/refresh/", {"refresh": token})
        yield f"after, verify: {name}", post("/verify/", {"token": token})
        yield f"after, sliding refresh: {name}", post("/sliding/refresh/", {"token": token})


def shape(value: Any) -> Any:
    """Return a JSON value with each token put as what does not change from run to run."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, str) and value.count(".") == 2 and value.startswith("ey"):
        header, claims = read(value)
        changing: dict[str, Any] = {
            name: len(str(claims[name]))
            for name in ("jti", "exp", "iat", "refresh_exp")
            if name in claims
        }
        return {
            "header": list(header.items()),
            "claims": list({**claims, **changing}.items()),
            # Both are read off the clock, one after the other: a second may have passed between.
            "lifetime": round((claims["exp"] - claims["iat"]) / 60),
        }
    return value


def main(package: str, variant: str, now: int) -> dict[str, Any]:
    """Return status, headers and JSON by the name of the request."""
    configure(package, variant)
    global urlpatterns
    urlpatterns = build_urls(package)

    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password
    from django.test import Client

    # One stored text in both runs, so that its fingerprint in a token is the same; the salt
    # is long enough for Django not to hash anew at login.
    password = make_password("right", salt="s" * 22)
    users = {
        name: get_user_model()
        .objects.create(username=name, password=password, is_active=name != "ida")
        .pk
        for name in ("ann", "ida")
    }
    client = Client(raise_request_exception=False)
    key = str(VARIANTS[variant].get("SIGNING_KEY", KEY))
    answers = {}
    for name, arguments in requests(now, users, key):
        response = client.generic(**arguments)
        is_json = response.headers.get("Content-Type") == "application/json"
        answers[name] = {
            "status": response.status_code,
            "headers": {h: response.headers.get(h) for h in HEADERS_THAT_MATTER},
            "body": shape(json.loads(response.content)) if is_json and response.content else None,
        }
    if variant.startswith("blacklist"):
        answers["tables"] = tables(package)
    return answers


def tables(package: str) -> list[Any]:
    """Return what stands in the tables of the blacklist, without times."""
    models = import_module(f"{package}.token_blacklist.models")
    rows = models.OutstandingToken.objects.order_by("pk").select_related("blacklistedtoken")
    return [
        [
            row.user_id,
            row.jti if row.jti.isdecimal() else len(row.jti),
            shape(row.token),
            row.created_at is None,
            hasattr(row, "blacklistedtoken"),
        ]
        for row in rows
    ]


urlpatterns: list[Any] = []

if __name__ == "__main__":
    package, variant, now = sys.argv[1:]
    json.dump(main(package, variant, int(now)), sys.stdout)
