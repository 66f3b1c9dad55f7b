"""The matrix: every URL pattern of a varied project, asked with every credential.

`matrix.txt` says for each request and credential who answers, edge or app, and the status. Besides,
every answer (status, headers, body) must be what the same project gives without any edge, with the
real djangorestframework-simplejwt in place of `yett.drf`. Not compared are the headers that belong
to the connection: `CONNECTION` below.

No flag rewrites the matrix. Where it does not hold, the test prints the line that would; read it,
and copy it by hand if it is right.
"""

import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forge import forge

from .conftest import PYTHON, REPOSITORY

PROJECT = REPOSITORY / "tests" / "projects" / "matrix"
KEY = "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz"
#: A file that the server itself answers with.
STATIC_FILE = "/assets/site.css?"
#: Headers that the server makes for its connection, whatever the project says.
CONNECTION = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})
#: What differs from one answer to the next, and what is compared in its place.
OF_THE_MOMENT = (
    (re.compile(r"csrftoken=\w{32}; expires=[^;]+"), "csrftoken=…; expires=…"),
    (re.compile(r'(csrfToken|csrfmiddlewaretoken)"[^"]{1,10}"\w{64}"'), "csrf token …"),
)
#: What else a request may say, by its name in the matrix.
SITUATIONS: dict[str, tuple[str, ...]] = {
    "": (),
    "https": ("X-Forwarded-Proto: https",),
    "said http": ("X-Forwarded-Proto: http",),
    "friend": ("Origin: https://friend.example",),
    "friend, https": ("Origin: https://friend.example", "X-Forwarded-Proto: https"),
    "stranger": ("Origin: https://stranger.example",),
    "preflight": (
        "Origin: https://friend.example",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization",
    ),
    "deutsch": ("Accept-Language: de",),
    "cookie": ("Cookie: django_language=de",),
    "gzip": ("Accept-Encoding: gzip",),
    "json": ("Accept: application/json",),
    "html": ("Accept: text/html",),
    "etag": ('If-None-Match: "x"',),
}


def claims(**changed: Any) -> dict[str, Any]:
    """Return the claims of a good access token, some of them changed."""
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
    return {**good, **changed}


def credentials() -> dict[str, str | None]:
    """Name the columns of the matrix: values of `Authorization`."""
    now = int(time.time())
    good = forge(claims(), KEY)
    tokens = {
        "expired": forge(claims(exp=now - 600), KEY),
        "not yet": forge(claims(nbf=now + 600), KEY),
        "key": forge(claims(), "x" * 64),
        "HS512": forge(claims(), KEY, alg="HS512"),
        "unsigned": forge(claims(), KEY, alg="none"),
        "audience": forge(claims(aud="others"), KEY),
        "issuer": forge(claims(iss="https://other.example"), KEY),
        "refresh": forge(claims(token_type="refresh"), KEY),
        "deleted": forge(claims(user_id="77"), KEY),
        "inactive": forge(claims(user_id="2"), KEY),
        "good": good,
    }
    return {
        "nothing": None,
        "scheme": "Basic YTpi",
        "alone": "Bearer",
        "abc": "Bearer abc",
        "a b": "Bearer a b",
        "spaces": f"Bearer  {tokens['key']}",
        **{name: f"Bearer {token}" for name, token in tokens.items()},
    }


@dataclass
class Request:
    """A line of the matrix."""

    line: str
    method: str
    target: str
    situation: str

    @classmethod
    def read(cls, line: str) -> "Request":
        """Read `GET /target [situation] | …`."""
        what = line.partition("|")[0].strip()
        method, _, rest = what.partition(" ")
        target, _, situation = rest.partition(" [")
        return cls(line.strip(), method, target.strip(), situation.removesuffix("]"))

    @property
    def name(self) -> str:
        """Return the first cell."""
        return f"{self.method} {self.target}" + (f" [{self.situation}]" if self.situation else "")


def matrix(part: str) -> list[Request]:
    """Return the lines of one part of the matrix."""
    text = (REPOSITORY / "tests" / "matrix.txt").read_text()
    (found,) = (each for each in text.split("\n== ")[1:] if each.partition(" ==\n")[0] == part)
    lines = [line for line in found.partition("==\n")[2].splitlines() if line.strip()]
    assert lines[0].split("|")[1:] == header().split("|")[1:], "the columns have changed"
    return [Request.read(line) for line in lines[1:]]


def line(name: str, cells: list[str]) -> str:
    """Write a line as it stands in the matrix."""
    return " | ".join([f"{name:<44}", *(f"{cell:<8}" for cell in cells)]).rstrip()


def header() -> str:
    """Write the line of the columns."""
    return line("request", list(credentials()))


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Add what the project wants."""
    path = f"{PROJECT}:{environment['PYTHONPATH']}"
    database = str(tmp_path / "db.sqlite3")
    # DRF builds `Allow` of function views from a set, whose order is the process's own.
    extra = {"MATRIX_AUTH": "yett.drf", "MATRIX_DB": database, "PYTHONHASHSEED": "0"}
    return {**environment, **extra, "PYTHONPATH": path}


def lasting(text: str) -> str:
    """Return a text without what is made anew for each answer."""
    for pattern, instead in OF_THE_MOMENT:
        text = pattern.sub(instead, text)
    return text


def compared(headers: Any) -> list[tuple[str, str]]:
    """Return the headers that the project made; `Expires` of `never_cache` is the time of day."""
    shown = []
    for name, value in headers:
        if (name := name.lower()) not in CONNECTION:
            shown.append((name, "now" if name == "expires" else lasting(value.strip())))
    return sorted(shown)


@pytest.mark.parametrize(
    ("part", "variant"),
    [("everyday", {}), ("redirected to https", {"MATRIX_REDIRECT": "1"})],
    ids=("everyday", "redirect"),
)
def test_matrix_holds(part: str, variant: dict[str, str], serve: Any, environment: Any) -> None:
    environment = {**environment, **variant}
    columns = credentials()
    rows = matrix(part)
    asked = []
    for row in rows:
        for credential in columns.values():
            lines = [*SITUATIONS[row.situation]]
            if credential is not None:
                lines.append(f"Authorization: {credential}")
            mark = f"{'&' if '?' in row.target else '?'}n={len(asked)}"
            asked.append((row.method, row.target + mark, lines))

    asker = [PYTHON, str(PROJECT / "ask.py")]
    subprocess.run([*asker, "make"], env=environment, check=True)
    judge = subprocess.run(
        asker,
        env={**environment, "MATRIX_AUTH": "rest_framework_simplejwt"},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    judged = json.loads(judge.stdout)
    assert variant or judged["missed"] == [], "patterns without a line in the matrix"

    # Of nobody else would the scheme be believed.
    flags = ("--workers", "1", "--threads", "1", "--trust-proxy", "127.0.0.1")
    server = serve("matrix_wsgi:application", *flags, folder=PROJECT, env=variant)
    answers = []
    with server.wire() as wire:
        for method, target, lines in asked:
            wire.ask(method, target, *lines)
            answers.append(wire.hear(method))
    records = {record["target"]: record for record in server.records(len(asked))}

    differences, cells = [], []
    for (method, target, lines), answer, (status, headers, body) in zip(
        asked, answers, judged["answers"], strict=True
    ):
        text = lasting(answer.body.decode("latin-1"))
        got = (answer.status, compared(answer.headers.items()), text)
        wanted = (status, compared(headers), "" if method == "HEAD" else lasting(body))
        if target.startswith(STATIC_FILE):
            # The server's own answer: same status and same bytes, with headers of its own.
            got, wanted = (got[0], [], got[2]), (wanted[0], [], wanted[2])
        if got != wanted:
            differences.append((method, target, lines, got, wanted))
        worker = records[target]["worker"]
        cells.append(f"{'edge' if worker is None else 'app'} {answer.status}")
    assert differences == []

    width = len(columns)
    told = [line(row.name, cells[n * width :][:width]) for n, row in enumerate(rows)]
    wrong = [new for row, new in zip(rows, told, strict=True) if new != row.line]
    assert not wrong, "\n".join(
        ["these lines of tests/matrix.txt do not hold; they would be:", *wrong]
    )
