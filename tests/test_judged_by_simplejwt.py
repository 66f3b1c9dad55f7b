"""The edge's refusals, field by field beside those of the real simplejwt from its package.

One project, served by Yett with `yett.drf`, and asked in its own process with
`rest_framework_simplejwt`. For each view, method and credential, status, headers and JSON must
be the same; where the edge is to answer by itself, the access record must show that no worker
was asked.
"""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from forge import base64url, forge

from .conftest import PYTHON, REPOSITORY

PROJECT = REPOSITORY / "tests" / "projects" / "guarded"
KEY = "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz"

#: Views and methods; whether the edge answers a missing token; whether it answers a bad one.
VIEWS = (
    ("GET", "/api/items/", True, True),
    ("POST", "/api/items/", True, True),
    ("HEAD", "/api/items/", True, True),
    ("PUT", "/api/items/", False, False),
    ("OPTIONS", "/api/items/", False, False),
    ("GET", "/open/", False, True),
    ("GET", "/function/", True, True),
    ("GET", "/function/7/", False, False),
    ("GET", "/none/", False, False),
)


def claims(**changed: Any) -> dict[str, Any]:
    """Return the claims of a good access token, some of them changed, None taken out."""
    now = int(time.time())
    good = {
        "token_type": "access",
        "exp": now + 300,
        "iat": now,
        "jti": "0123456789abcdef",
        "user_id": "1",
        "aud": "notes",
        "iss": "https://issuer.example",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def credentials() -> dict[str, tuple[str | None, str]]:
    """Name each credential: the header, and who should answer it: edge or app."""
    now = int(time.time())
    good = forge(claims(), KEY)
    head, payload, signature = good.split(".")
    bearer = {
        "good": (good, "app"),
        "expired": (forge(claims(exp=now - 600), KEY), "edge"),
        "expired within the leeway": (forge(claims(exp=now - 1), KEY), "app"),
        "not yet valid": (forge(claims(nbf=now + 600), KEY), "edge"),
        "issued in the future": (forge(claims(iat=now + 600), KEY), "edge"),
        "wrong key": (forge(claims(), "x" * 64), "edge"),
        "wrong algorithm": (forge(claims(), KEY, alg="HS512"), "edge"),
        "none": (forge(claims(), KEY, alg="none"), "edge"),
        "no signature": (f"{head}.{payload}.", "edge"),
        "another payload": (
            f"{head}.{base64url(json.dumps(claims(user_id='2')).encode())}.{signature}",
            "edge",
        ),
        "wrong audience": (forge(claims(aud="others"), KEY), "edge"),
        "no audience": (forge(claims(aud=None), KEY), "edge"),
        "wrong issuer": (forge(claims(iss="https://other.example"), KEY), "edge"),
        "refresh token": (forge(claims(token_type="refresh"), KEY), "edge"),
        "no type": (forge(claims(token_type=None), KEY), "edge"),
        "no id": (forge(claims(jti=None), KEY), "edge"),
        "no expiry": (forge(claims(exp=None), KEY), "edge"),
        "no user": (forge(claims(user_id=None), KEY), "app"),
        "deleted user": (forge(claims(user_id="77"), KEY), "app"),
        "inactive user": (forge(claims(user_id="2"), KEY), "app"),
        "not a token": ("abc", "edge"),
        "four parts": (f"{good}.x", "edge"),
    }
    return {
        "nothing": (None, "missing"),
        "another scheme": ("Basic YTpi", "missing"),
        "scheme alone": ("Bearer", "edge"),
        "two spaces": ("Bearer a b", "edge"),
        **{name: (f"Bearer {token}", where) for name, (token, where) in bearer.items()},
    }


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Add what the project wants."""
    path = f"{PROJECT}:{environment['PYTHONPATH']}"
    database = str(tmp_path / "db.sqlite3")
    # DRF builds `Allow` of function views from a set, whose order is the process's own.
    extra = {"GUARDED_AUTH": "yett.drf", "GUARDED_DB": database, "PYTHONHASHSEED": "0"}
    return {**environment, **extra, "PYTHONPATH": path}


def compared(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers that the project made; the connection's own are the server's."""
    connection = ("date", "connection", "transfer-encoding", "content-length")
    return {name: value for name, value in headers.items() if name not in connection}


def test_edge_answers_as_simplejwt_does_field_by_field(serve: Any, environment: Any) -> None:
    asker = [PYTHON, str(PROJECT / "ask.py")]
    subprocess.run([*asker, "make"], env=environment, check=True)
    requests = [
        (method, target, header, name, on_missing, on_bad, where)
        for method, target, on_missing, on_bad in VIEWS
        for name, (header, where) in credentials().items()
    ]
    judge = subprocess.run(
        asker,
        env={**environment, "GUARDED_AUTH": "rest_framework_simplejwt"},
        input=json.dumps([request[:3] for request in requests]),
        capture_output=True,
        text=True,
        check=True,
    )
    server = serve("guarded_wsgi:application", folder=PROJECT)
    differences, misplaced = [], []
    for number, (request, expected) in enumerate(
        zip(requests, json.loads(judge.stdout), strict=True)
    ):
        method, target, header, name, on_missing, on_bad, where = request
        lines = [] if header is None else [f"Authorization: {header}"]
        answer = server.request(method, target, *lines)
        headers = {each.lower(): value for each, value in answer.headers.items()}
        got = [answer.status, compared(headers), answer.body.decode()]
        wanted = [expected[0], compared(expected[1]), expected[2]]
        if got != wanted:
            differences.append((method, target, name, got, wanted))
        record = server.records(number + 1)[number]
        at_edge = {"missing": on_missing, "edge": on_bad, "app": False}[where]
        if (record["worker"] is None) != at_edge:
            misplaced.append((method, target, name, record))
    assert differences == []
    assert misplaced == []
