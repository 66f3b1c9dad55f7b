"""A project on djoser or django-ninja-jwt, walked through from login to revocation.

Run as a program, on the packages as they are or on yett's under their names:

    python peer_flows_project.py djoser|ninja itself|yett ALGORITHM

Prints each step's status, challenge and JSON. A token in it stands as its header and claims,
without what is new each time.
"""

import json
import logging
import re
import sys
import time
from types import SimpleNamespace
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from peer_names import take_the_names

from forge import forge, read
from key_pairs import key_pair

KEY = "a-key-for-tests-alone-of-more-than-thirty-two-bytes"
PASSWORD, NEW_PASSWORD = "first-Secret-77", "second-Secret-88"
TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
VOLATILE = ("exp", "iat", "jti", "hash_password")

JSON = dict[str, Any]
urlpatterns: list[Any] = []


def configure(peer: str, algorithm: str) -> None:
    """Set Django up with the peer's apps."""
    names = {
        "djoser": ["rest_framework", "rest_framework_simplejwt.token_blacklist", "djoser"],
        "ninja": ["ninja_extra", "ninja_jwt", "ninja_jwt.token_blacklist"],
    }
    pair = None if algorithm == "HS256" else key_pair(algorithm)
    settings.configure(
        SECRET_KEY=KEY,
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["testserver"],
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            *names[peer],
        ],
        # djoser ends a session as well when it deletes an account.
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        USE_TZ=True,
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [
                "rest_framework_simplejwt.authentication.JWTAuthentication"
            ]
        },
        DJOSER={"TOKEN_MODEL": None},
        SIMPLE_JWT={
            "ROTATE_REFRESH_TOKENS": True,
            "BLACKLIST_AFTER_ROTATION": True,
            "CHECK_REVOKE_TOKEN": True,
            "ALGORITHM": algorithm,
            "SIGNING_KEY": pair.private if pair else KEY,
            "VERIFYING_KEY": pair.public if pair else "",
            "AUDIENCE": "flows",
            "ISSUER": "https://issuer.example",
        },
    )
    django.setup()
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    call_command("migrate", verbosity=0)


def masked(value: Any) -> Any:
    """Return an answer with its tokens opened."""
    if isinstance(value, dict):
        return {name: masked(below) for name, below in value.items()}
    if isinstance(value, list):
        return [masked(below) for below in value]
    if isinstance(value, str) and TOKEN.fullmatch(value):
        header, claims = read(value)
        return [header, {name: name in VOLATILE or claims[name] for name in claims}]
    return value


class Walk:
    """A client, and the answers that it got."""

    def __init__(self) -> None:
        from django.test import Client

        self.client = Client(raise_request_exception=False)
        self.steps: dict[str, Any] = {}

    def step(self, name: str, method: str, path: str, body: Any = None, token: str = "") -> JSON:
        """Ask, write the answer down, and return its JSON."""
        assert name not in self.steps
        sent = {"content_type": "application/json", "data": json.dumps(body)} if body else {}
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.client.generic(method, path, headers=headers, **sent)
        content = json.loads(answer.content) if answer.content and answer.status_code < 500 else {}
        self.steps[name] = [answer.status_code, answer.get("WWW-Authenticate"), masked(content)]
        return content if isinstance(content, dict) else {}


def bad_tokens(access: str, refresh: str) -> JSON:
    """Return tokens that must open nothing."""
    import jwt

    header, claims = read(access)
    algorithm = header["alg"]

    def signed(**changed: Any) -> str:
        key = settings.SIMPLE_JWT["SIGNING_KEY"]
        return jwt.encode({**claims, **changed}, key, algorithm=algorithm)

    public = key_pair(algorithm).public if algorithm != "HS256" else "x" * 64
    return {
        "a refresh token": refresh,
        "no token": "broken",
        "changed": f"{access.rsplit('.', 1)[0]}.{refresh.rsplit('.', 1)[1]}",
        "unsigned": forge(claims, "", alg="none"),
        # RFC 8725 section 2.1: for a pair, its public half as if it were a secret.
        "of another key": forge(claims, public),
        "over": signed(exp=int(time.time()) - 60),
        "for others": signed(aud="others"),
        "of others": signed(iss="https://others.example"),
    }


def refresh_and_revoke(walk: Walk, at: SimpleNamespace, pair: JSON) -> JSON:
    """Walk the part that the peers have in common; returns a pair that is good at its end."""
    walk.step("enter", "GET", at.me, token=pair["access"])
    walk.step("enter without a token", "GET", at.me)
    for name, token in bad_tokens(pair["access"], pair["refresh"]).items():
        walk.step(f"enter with a token: {name}", "GET", at.me, token=token)
        if name != "a refresh token":
            walk.step(f"refresh with a token: {name}", "POST", at.refresh, {"refresh": token})
            walk.step(f"verify a token: {name}", "POST", at.verify, {"token": token})
    walk.step("verify", "POST", at.verify, {"token": pair["access"]})
    walk.step("refresh with an access token", "POST", at.refresh, {"refresh": pair["access"]})
    second = walk.step("refresh", "POST", at.refresh, {"refresh": pair["refresh"]})
    walk.step("refresh once more", "POST", at.refresh, {"refresh": pair["refresh"]})
    walk.step("verify a used refresh token", "POST", at.verify, {"token": pair["refresh"]})
    walk.step("enter after refresh", "GET", at.me, token=second["access"])
    third = walk.step("refresh the new one", "POST", at.refresh, {"refresh": second["refresh"]})
    walk.step("log out", "POST", at.blacklist, {"refresh": third["refresh"]})
    walk.step("log out twice", "POST", at.blacklist, {"refresh": third["refresh"]})
    walk.step("refresh after logout", "POST", at.refresh, {"refresh": third["refresh"]})
    return walk.step("log in again", "POST", at.login, {"username": "ann", "password": PASSWORD})


def djoser() -> JSON:
    """Register, walk, change the password, delete the account."""
    from django.contrib.auth import get_user_model
    from django.urls import include, path
    from djoser.social.token.jwt import TokenStrategy
    from rest_framework_simplejwt.views import TokenBlacklistView

    urlpatterns.extend(
        [
            path("", include("djoser.urls")),
            path("", include("djoser.urls.jwt")),
            path("jwt/blacklist/", TokenBlacklistView.as_view()),
        ]
    )
    walk = Walk()
    at = SimpleNamespace(
        login="/jwt/create/",
        refresh="/jwt/refresh/",
        verify="/jwt/verify/",
        blacklist="/jwt/blacklist/",
        me="/users/me/",
    )
    ann = {"username": "ann", "password": PASSWORD}
    walk.step("register", "POST", "/users/", ann)
    walk.step("log in with a wrong password", "POST", at.login, {**ann, "password": "wrong"})
    walk.step("log in without a password", "POST", at.login, {"username": "ann"})
    pair = refresh_and_revoke(walk, at, walk.step("log in", "POST", at.login, ann))

    social = TokenStrategy.obtain(get_user_model().objects.get())
    walk.step("enter by a social login", "GET", at.me, token=social["access"])
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    walk.step("change the password", "POST", "/users/set_password/", change, pair["access"])
    walk.step("enter after the change", "GET", at.me, token=pair["access"])
    walk.step("refresh after the change", "POST", at.refresh, {"refresh": pair["refresh"]})
    walk.step("log in with the old password", "POST", at.login, ann)
    ann["password"] = NEW_PASSWORD
    pair = walk.step("log in with the new password", "POST", at.login, ann)
    leave = {"current_password": NEW_PASSWORD}
    walk.step("delete the account", "DELETE", at.me, leave, pair["access"])
    walk.step("enter after deletion", "GET", at.me, token=pair["access"])
    walk.step("refresh after deletion", "POST", at.refresh, {"refresh": pair["refresh"]})
    return walk.steps


def ninja() -> JSON:
    """Walk, and delete the user."""
    from django.contrib.auth import get_user_model
    from django.urls import path
    from ninja_extra import NinjaExtraAPI
    from ninja_jwt.authentication import JWTAuth
    from ninja_jwt.controller import NinjaJWTDefaultController
    from ninja_jwt.routers.blacklist import blacklist_router

    api = NinjaExtraAPI()
    api.register_controllers(NinjaJWTDefaultController)
    api.add_router("/token", blacklist_router)

    @api.get("/me", auth=JWTAuth())
    def me(request: Any) -> JSON:
        return {"username": request.user.username}

    urlpatterns.append(path("", api.urls))
    user = get_user_model().objects.create_user("ann", password=PASSWORD)
    walk = Walk()
    at = SimpleNamespace(
        login="/token/pair",
        refresh="/token/refresh",
        verify="/token/verify",
        blacklist="/token/blacklist",
        me="/me",
    )
    ann = {"username": "ann", "password": PASSWORD}
    walk.step("log in with a wrong password", "POST", at.login, {**ann, "password": "wrong"})
    walk.step("log in without a password", "POST", at.login, {"username": "ann"})
    pair = refresh_and_revoke(walk, at, walk.step("log in", "POST", at.login, ann))
    user.delete()
    walk.step("enter after deletion", "GET", at.me, token=pair["access"])
    return walk.steps


if __name__ == "__main__":
    peer, packages, algorithm = sys.argv[1:]
    if packages == "yett":
        take_the_names()
    configure(peer, algorithm)
    steps = globals()[peer]()
    # The module that proved the tokens, so that the judge knows whom it judged.
    import jwt

    proved = [jwt.decode.__module__]
    if peer == "djoser":
        from djoser.urls.jwt import views

        proved.append(views.TokenRefreshView.__module__)
    json.dump({"proved": proved, "steps": steps}, sys.stdout)
