"""Tokens whose keys an issuer publishes (`JWK_URL`): the edge fetches the keys and proves.

The issuer is a small server on this machine, which a project in development may have.
"""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from jwt.algorithms import ECAlgorithm

from key_pairs import key_pair

from .conftest import PYTHON, REPOSITORY
from .server import eventually

PROJECT = REPOSITORY / "tests" / "projects" / "guarded"
ITEMS = "/api/items/"


class Issuer:
    """Publishes the keys whose numbers are in `published`; without any, it answers 503."""

    def __init__(self) -> None:
        self.published: list[int] = [0]
        self.asked = 0
        # Made before anybody asks: two threads that make one at once would make two.
        for number in (0, 1, 7, 8):
            key_pair("ES256", number)
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                keys = [issuer.jwk(number) for number in issuer.published]
                body = json.dumps({"keys": keys}).encode()
                self.send_response(200 if keys else 503)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/jwks"

    def jwk(self, number: int) -> dict[str, Any]:
        public = ECAlgorithm.to_jwk(key_pair("ES256", number).made.public_key(), as_dict=True)
        return {**public, "kid": f"key-{number}", "use": "sig", "alg": "ES256"}

    def token(self, number: int, signed_by: int | None = None) -> str:
        now = int(time.time())
        claims = {
            "token_type": "access",
            "exp": now + 300,
            "jti": "0123456789abcdef",
            "user_id": "1",
            "aud": "notes",
            "iss": "https://issuer.example",
        }
        private = key_pair("ES256", number if signed_by is None else signed_by).private
        return jwt.encode(claims, private, "ES256", headers={"kid": f"key-{number}"})

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    yield made
    made.close()


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path, issuer: Issuer) -> dict[str, str]:
    made = {
        **environment,
        "PYTHONPATH": f"{PROJECT}:{environment['PYTHONPATH']}",
        "GUARDED_AUTH": "yett.drf",
        "GUARDED_DB": str(tmp_path / "db.sqlite3"),
        "GUARDED_JWK_URL": issuer.url,
    }
    subprocess.run([PYTHON, str(PROJECT / "ask.py"), "make"], env=made, check=True)
    return made


class Asker:
    """Asks a server, and says who answered."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.count = 0

    def __call__(self, token: str) -> tuple[int, str, bytes]:
        answer = self.server.get(ITEMS, f"Authorization: Bearer {token}")
        self.count += 1
        record = self.server.records(self.count)[self.count - 1]
        return answer.status, "edge" if record["worker"] is None else "app", answer.body


def test_token_is_proven_with_the_issuers_key(serve: Any, environment: Any, issuer: Issuer) -> None:
    ask = Asker(serve("guarded_wsgi:application", folder=PROJECT))
    status, who, body = ask(issuer.token(0))
    assert (status, who, json.loads(body)) == (200, "app", {"user": 1})
    status, who, _ = ask(issuer.token(0, signed_by=1))
    assert (status, who) == (401, "edge")
    # Once for the edge. The app was handed the identity and asked nobody.
    assert issuer.asked == 1


def test_new_key_is_fetched_when_a_token_names_it(
    serve: Any, environment: Any, issuer: Issuer
) -> None:
    ask = Asker(serve("guarded_wsgi:application", folder=PROJECT))
    assert ask(issuer.token(0))[0] == 200
    issuer.published = [0, 1]
    assert ask(issuer.token(1))[0] == 200
    assert ask(issuer.token(0))[0] == 200
    assert issuer.asked == 2


def test_unknown_key_is_refused_after_one_fetch_and_then_left_to_the_app(
    serve: Any, environment: Any, issuer: Issuer
) -> None:
    ask = Asker(serve("guarded_wsgi:application", folder=PROJECT))
    assert ask(issuer.token(0))[0] == 200
    status, who, refusal = ask(issuer.token(7))
    assert (status, who) == (401, "edge")
    asked = issuer.asked
    # In the cooldown the edge does not ask again, so it does not know; the app says the same.
    status, who, body = ask(issuer.token(8))
    assert (status, who, body) == (401, "app", refusal)
    assert asked == 2


def test_withdrawn_key_is_refused_once_the_set_is_fetched_again(
    serve: Any, environment: Any, issuer: Issuer
) -> None:
    ask = Asker(serve("guarded_wsgi:application", folder=PROJECT))
    assert ask(issuer.token(0))[0] == 200
    issuer.published = [1]
    assert ask(issuer.token(1))[0] == 200
    status, _, _ = ask(issuer.token(0))
    assert status == 401


def test_while_the_issuer_is_down_the_app_decides_and_the_log_says_why(
    serve: Any, environment: Any, issuer: Issuer
) -> None:
    issuer.published = []
    server = serve("guarded_wsgi:application", folder=PROJECT)
    ask = Asker(server)
    status, who, _ = ask(issuer.token(0))
    assert (status, who) == (401, "app")
    eventually(lambda: "warning: JWK_URL: " in server.stderr)
    assert "the app checks every token itself" in server.stderr
    assert issuer.url not in server.stderr
