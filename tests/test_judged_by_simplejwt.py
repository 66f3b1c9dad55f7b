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

import jwt
import pytest

from forge import base64url, forge
from key_pairs import key_pair

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


class HmacForger:
    """Makes tokens as the project makes them with HS256."""

    algorithm = "HS256"
    #: A token under a key that the attacker knows.
    confused = staticmethod(lambda: forge(claims(), ""))

    def good(self, claims: dict[str, Any]) -> str:
        """Sign as the project does."""
        return forge(claims, KEY)

    def strange(self, claims: dict[str, Any]) -> str:
        """Sign with another key."""
        return forge(claims, "x" * 64)


class PairForger:
    """Makes tokens as the project makes them with ES256."""

    algorithm = "ES256"

    def confused(self) -> str:
        """Sign with the public key as if it were a secret (RFC 8725 section 2.1)."""
        return forge(claims(), key_pair("ES256").public)

    def good(self, claims: dict[str, Any], number: int = 0) -> str:
        """Sign as the project does."""
        return jwt.encode(claims, key_pair("ES256", number).private, "ES256")

    def strange(self, claims: dict[str, Any]) -> str:
        """Sign with another key."""
        return self.good(claims, 1)


def credentials(forger: HmacForger | PairForger) -> dict[str, tuple[str | None, str]]:
    """Name each credential: the header, and who should answer it: edge or app."""
    now = int(time.time())
    sign = forger.good
    good = sign(claims())
    head, payload, signature = good.split(".")
    bearer = {
        "good": (good, "app"),
        "expired": (sign(claims(exp=now - 600)), "edge"),
        "expired within the leeway": (sign(claims(exp=now - 1)), "app"),
        "not yet valid": (sign(claims(nbf=now + 600)), "edge"),
        "issued in the future": (sign(claims(iat=now + 600)), "edge"),
        "wrong key": (forger.strange(claims()), "edge"),
        "wrong algorithm": (forge(claims(), KEY, alg="HS512"), "edge"),
        "confused algorithm": (forger.confused(), "edge"),
        "none": (forge(claims(), KEY, alg="none"), "edge"),
        "no signature": (f"{head}.{payload}.", "edge"),
        "another payload": (
            f"{head}.{base64url(json.dumps(claims(user_id='2')).encode())}.{signature}",
            "edge",
        ),
        "wrong audience": (sign(claims(aud="others")), "edge"),
        "no audience": (sign(claims(aud=None)), "edge"),
        "wrong issuer": (sign(claims(iss="https://other.example")), "edge"),
        "refresh token": (sign(claims(token_type="refresh")), "edge"),
        "no type": (sign(claims(token_type=None)), "edge"),
        "no id": (sign(claims(jti=None)), "edge"),
        "no expiry": (sign(claims(exp=None)), "edge"),
        "no user": (sign(claims(user_id=None)), "app"),
        "deleted user": (sign(claims(user_id="77")), "app"),
        "inactive user": (sign(claims(user_id="2")), "app"),
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


@pytest.fixture(params=[HmacForger, PairForger], ids=lambda kind: kind.algorithm)
def forger(request: pytest.FixtureRequest) -> HmacForger | PairForger:
    """Make tokens as the project does."""
    made: HmacForger | PairForger = request.param()
    return made


@pytest.fixture
def environment(
    environment: dict[str, str], tmp_path: Path, forger: HmacForger | PairForger
) -> dict[str, str]:
    """Add what the project wants."""
    path = f"{PROJECT}:{environment['PYTHONPATH']}"
    database = str(tmp_path / "db.sqlite3")
    # DRF builds `Allow` of function views from a set, whose order is the process's own.
    extra = {"GUARDED_AUTH": "yett.drf", "GUARDED_DB": database, "PYTHONHASHSEED": "0"}
    if isinstance(forger, PairForger):
        pair = key_pair("ES256")
        (tmp_path / "private.pem").write_text(pair.private)
        (tmp_path / "public.pem").write_text(pair.public)
        extra["GUARDED_KEYS"] = str(tmp_path)
    return {**environment, **extra, "PYTHONPATH": path}


def compared(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers that the project made; the connection's own are the server's."""
    connection = ("date", "connection", "transfer-encoding", "content-length")
    return {name: value for name, value in headers.items() if name not in connection}


def test_edge_answers_as_simplejwt_does_field_by_field(
    serve: Any, environment: Any, forger: Any
) -> None:
    asker = [PYTHON, str(PROJECT / "ask.py")]
    subprocess.run([*asker, "make"], env=environment, check=True)
    requests = [
        (method, target, header, name, on_missing, on_bad, where)
        for method, target, on_missing, on_bad in VIEWS
        for name, (header, where) in credentials(forger).items()
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


@pytest.mark.parametrize("forger", [HmacForger()], ids=[""])
def test_check_tells_what_is_left_of_simplejwt(yett: Any, environment: Any) -> None:
    done = yett(
        "check",
        "guarded_wsgi:application",
        cwd=PROJECT,
        env={**environment, "GUARDED_APPS": "rest_framework_simplejwt"},
    )
    assert done.code == 0, done.out + done.err
    assert (
        "the setting INSTALLED_APPS names rest_framework_simplejwt: write yett.drf" in done.out
    ), done.out


@pytest.mark.parametrize("forger", [HmacForger()], ids=[""])
def test_blacklist_app_of_simplejwt_beside_our_tokens_does_not_serve(
    yett: Any, environment: Any
) -> None:
    done = yett(
        "check",
        "guarded_wsgi:application",
        cwd=PROJECT,
        env={**environment, "GUARDED_APPS": "rest_framework_simplejwt.token_blacklist"},
    )
    assert done.code == 1
    assert "yett.drf.token_blacklist" in done.out
