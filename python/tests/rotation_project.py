"""One project whose refresh tokens work once: a process of it, driven by lines of JSON.

    python rotation_project.py SETTINGS

Each line on standard input is one call `[name, arguments]` of a function here; its result
comes back as one line. `storm` says "ready" in between and waits for a line, so that several
processes begin together.
"""

import io
import json
import logging
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any
from unittest import mock
from wsgiref.util import setup_testing_defaults

import django
from django.conf import settings
from django.core.management import call_command

SETTINGS: dict[str, Any] = {}
KEY = "a-key-for-tests-alone-of-more-than-thirty-two-bytes"
urlpatterns: list[Any] = []


class BlacklistElsewhere:
    """Keeps the blacklist, and what it refers to, in the database `other`."""

    def db_for_read(self, model: Any, **_hints: Any) -> str:
        return "other"

    db_for_write = db_for_read


def configure() -> None:
    """Set Django up; `SETTINGS` may name package, databases and settings of tokens."""
    databases = SETTINGS["databases"]
    for database in databases.values():
        level = database.get("OPTIONS", {}).get("isolation_level")
        if level is not None:
            import psycopg

            database["OPTIONS"]["isolation_level"] = psycopg.IsolationLevel[level]
    settings.configure(
        SECRET_KEY=KEY,
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "rest_framework",
            *([f"{package()}.token_blacklist"] if SETTINGS.get("app", True) else []),
        ],
        DATABASES=databases,
        DATABASE_ROUTERS=[f"{__name__}.BlacklistElsewhere"] if "other" in databases else [],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        USE_TZ=True,
        SIMPLE_JWT={
            "ROTATE_REFRESH_TOKENS": True,
            "BLACKLIST_AFTER_ROTATION": True,
            **SETTINGS.get("tokens", {}),
        },
    )
    django.setup()
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    from django.urls import path

    views = import_module(f"{package()}.views")
    urlpatterns.append(path("refresh/", views.TokenRefreshView.as_view()))
    urlpatterns.append(path("blacklist/", views.TokenBlacklistView.as_view()))


def package() -> str:
    """Return the package under test."""
    return str(SETTINGS.get("package", "yett.drf"))


def models() -> Any:
    """Return the module of the blacklist's tables."""
    return import_module(f"{package()}.token_blacklist.models")


def refresh_token() -> Any:
    """Return the class of refresh tokens."""
    return import_module(f"{package()}.tokens").RefreshToken


def prepare(journal: str | None = None) -> None:
    """Make the tables and one user."""
    from django.contrib.auth import get_user_model
    from django.db import connections

    for alias in SETTINGS["databases"]:
        if journal:
            with connections[alias].cursor() as cursor:
                cursor.execute(f"PRAGMA journal_mode = {journal}")
        call_command("migrate", database=alias, verbosity=0)
    get_user_model().objects.create(username="ann")


def issue() -> str:
    """Return a new refresh token, noted as issued."""
    from django.contrib.auth import get_user_model

    return str(refresh_token().for_user(get_user_model().objects.get(username="ann")))


def issue_unnoted() -> str:
    """Return a good refresh token of which the tables know nothing."""
    from django.contrib.auth import get_user_model

    token = refresh_token()()
    token["user_id"] = str(get_user_model().objects.get(username="ann").pk)
    return str(token)


def post(path: str, token: str) -> list[Any]:
    """Return status, body and `Retry-After` of a request with a refresh token."""
    from django.core.wsgi import WSGIHandler

    body = json.dumps({"refresh": token}).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    setup_testing_defaults(environ)
    started: list[Any] = []
    response = WSGIHandler()(environ, lambda *arguments: started.extend(arguments))
    text = b"".join(response)
    # Ends the request: Django closes the connection to the database, as it has no age.
    response.close()
    status = int(started[0].split()[0])
    is_json = response.headers["Content-Type"] == "application/json"
    return [status, json.loads(text) if is_json else text.decode(), response.get("Retry-After")]


def refresh(token: str) -> list[Any]:
    """Return the answer to a refresh."""
    return post("/refresh/", token)


def begin_together() -> None:
    """Tell that all threads are there, and wait for the other processes."""
    say("ready")
    sys.stdin.readline()


def storm(token: str, threads: int, meet: str, paths: list[str]) -> list[Any]:
    """Return the answers to simultaneous requests, `threads` for each path.

    `meet` says where all of them wait for one another: at the `start`, or when each has found
    that the token is not revoked (`check`), which is the worst moment.
    """
    barrier = threading.Barrier(threads * len(paths), action=begin_together, timeout=60)
    here = threading.local()
    answers: list[Any] = []
    check: Callable[..., None] = refresh_token().check_blacklist

    def meeting_check(self: Any) -> None:
        check(self)
        if not hasattr(here, "met"):
            here.met = True
            barrier.wait()

    def client(path: str) -> None:
        if meet == "start":
            barrier.wait()
        answers.append([path, *post(path, token)])

    clients = [threading.Thread(target=client, args=[path]) for path in paths * threads]
    patched = meeting_check if meet == "check" else check
    with mock.patch.object(refresh_token(), "check_blacklist", patched):
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
    return answers


def rows() -> dict[str, Any]:
    """Return the ids of the tokens that were issued and that were revoked, in order."""
    issued, revoked = models().OutstandingToken.objects, models().BlacklistedToken.objects
    return {
        "issued": list(issued.order_by("pk").values_list("jti", flat=True)),
        "revoked": list(revoked.order_by("pk").values_list("token__jti", flat=True)),
        "users": list(issued.values_list("user__username", flat=True).distinct().order_by()),
    }


def statements(token: str) -> list[str]:
    """Return what one refresh says to the database, each statement's beginning."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        serializer = import_module(f"{package()}.serializers").TokenRefreshSerializer(
            data={"refresh": token}
        )
        assert serializer.is_valid()
    return [query["sql"] for query in queries]


def failing(token: str, method: str) -> list[Any]:
    """Return the answer when a method of the token fails in the middle of the rotation."""
    with mock.patch.object(refresh_token(), method, side_effect=ZeroDivisionError):
        return refresh(token)


def failing_signature(token: str) -> list[Any]:
    """Return the answer when the new refresh token cannot be signed."""
    backend = import_module(f"{package()}.backends").TokenBackend
    encode = backend.encode

    def picky(self: Any, payload: Any, *arguments: Any) -> str:
        if payload["token_type"] == "refresh":
            raise ZeroDivisionError
        return str(encode(self, payload, *arguments))

    with mock.patch.object(backend, "encode", picky):
        return refresh(token)


def failing_database(token: str, code: str | int, times: int) -> list[Any]:
    """Return the answer when the database ends the rotation with an error, so many times."""
    from django.db import OperationalError

    cause = Exception()
    cause.sqlstate = code  # type: ignore[attr-defined]  # as psycopg's errors have it
    errors: list[BaseException] = []
    for _ in range(times):
        error = OperationalError("ended")
        error.__cause__ = cause
        errors.append(error)
    outstand = refresh_token().outstand

    def flaky(self: Any) -> Any:
        made = outstand(self)
        if errors:
            raise errors.pop()
        return made

    with mock.patch.object(refresh_token(), "outstand", flaky):
        return [*refresh(token), len(errors)]


def user_leaves_meanwhile(token: str) -> list[Any]:
    """Return the answer when the user is deleted between the check and the rotation."""
    from django.contrib.auth import get_user_model

    access_token = refresh_token().access_token

    def leave(self: Any) -> Any:
        get_user_model().objects.filter(username="ann").delete()
        return access_token.fget(self)

    with mock.patch.object(refresh_token(), "access_token", property(leave)):
        return refresh(token)


def while_another_writes(token: str, path: str = "/refresh/") -> list[Any]:
    """Return the answer while another connection holds SQLite's lock for writing."""
    import sqlite3

    other = sqlite3.connect(SETTINGS["databases"]["default"]["NAME"])
    other.execute("BEGIN IMMEDIATE")
    try:
        return post(path, token)
    finally:
        other.close()


def with_own_classes(token: str, returned: str) -> list[Any]:
    """Return the answer, and which methods of a project's own token class were called."""
    serializers = import_module(f"{package()}.serializers")
    calls: list[str] = []

    class Own(refresh_token()):  # type: ignore[misc]  # the package's class
        def blacklist(self) -> Any:
            calls.append("blacklist")
            result = super().blacklist()
            return {"nothing": None, "result": result}[returned]

        def set_jti(self) -> None:
            calls.append("set_jti")
            super().set_jti()

        def outstand(self) -> Any:
            calls.append("outstand")
            return super().outstand()

    class OwnSerializer(serializers.TokenRefreshSerializer):  # type: ignore[misc, name-defined]
        token_class = Own

        def validate(self, attrs: Any) -> Any:
            return {**super().validate(attrs), "more": True}

    views = import_module(f"{package()}.views")
    with mock.patch.object(views.TokenRefreshView, "serializer_class", OwnSerializer):
        # Constructing a token calls `set_jti` only when it is new.
        return [*refresh(token), calls]


def say(result: Any) -> None:
    """Write one line."""
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    SETTINGS.update(json.loads(sys.argv[1]))
    sys.modules.setdefault("rotation_project", sys.modules["__main__"])
    configure()
    while line := sys.stdin.readline():
        name, arguments = json.loads(line)
        say(globals()[name](**arguments))
