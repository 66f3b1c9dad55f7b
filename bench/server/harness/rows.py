"""What is asked, and what the answer must be.

A row's expectation comes from the application itself, called without any server: bare ones have
it written here, those of the project come from `project/prepare.py`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

HELLO = b"Hello, World!"
BIG = b"x" * (100 * 1024)
#: 10 KiB in which no two places look alike for long, so that a shifted byte is seen.
SENT = b"".join(b"%08d" % number for number in range(10 * 1024 // 8))


@dataclass(frozen=True)
class Request:
    """One HTTP/1.1 request, always the same."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def encoded(self, port: int) -> bytes:
        """Return the bytes that go over the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + self.body


@dataclass(frozen=True)
class Expected:
    """The answer: its whole body, or its length and a look at it where it differs each time."""

    status: int
    body: bytes | None
    length: int
    looks_right: Callable[[bytes], bool] | None = None

    def is_met_by(self, status: int, body: bytes) -> bool:
        """Whether an answer is the expected one."""
        if status != self.status or len(body) != self.length:
            return False
        if self.body is not None and body != self.body:
            return False
        return self.looks_right is None or self.looks_right(body)


@dataclass(frozen=True)
class Row:
    """One kind of request."""

    name: str
    title: str
    interface: str
    #: Rows of one group share a start of the server: the folder and the application.
    group: str
    request: Request
    expected: Expected


#: Where the application of each group stands, below `bench/server`.
GROUPS = {
    "bare": ("apps", "bare_wsgi:application"),
    "bare-asgi": ("apps", "bare_asgi:application"),
    "project": ("project", "wsgi:application"),
}

BINARY = ("Content-Type", "application/octet-stream")


def exactly(status: int, body: bytes) -> Expected:
    """Return the expectation of one body."""
    return Expected(status, body, len(body))


def bare_rows() -> list[Row]:
    """Return the rows that need no framework."""
    root = Request("GET", "/")
    hello = exactly(200, HELLO)
    return [
        Row("plain", "plaintext, bare WSGI", "wsgi", "bare", root, hello),
        Row(
            "big",
            "answer of 100 KiB, bare WSGI",
            "wsgi",
            "bare",
            Request("GET", "/big"),
            exactly(200, BIG),
        ),
        Row(
            "echo",
            "echo of 10 KiB, bare WSGI",
            "wsgi",
            "bare",
            Request("POST", "/echo", (BINARY,), SENT),
            exactly(200, SENT),
        ),
        Row("plain-asgi", "plaintext, bare ASGI", "asgi", "bare-asgi", root, hello),
    ]


def is_fresh_access(body: bytes) -> bool:
    """Whether a refresh gave an access token and nothing else."""
    answer = json.loads(body)
    return list(answer) == ["access"] and answer["access"].count(".") == 2


def project_rows(prepared: Mapping[str, str]) -> list[Row]:
    """Return the rows of the Django project, with what `project/prepare.py` printed."""

    def row(name: str, title: str, path: str, status: int, token: str = "") -> Row:
        headers = (("Authorization", f"Bearer {prepared[token]}"),) if token else ()
        expected = exactly(status, prepared[f"{name} body"].encode())
        return Row(name, title, "wsgi", "project", Request("GET", path, headers), expected)

    refresh = Request(
        "POST",
        "/api/token/refresh/",
        (("Content-Type", "application/json"),),
        json.dumps({"refresh": prepared["refresh"]}).encode(),
    )
    length = len(prepared["refresh body"])
    return [
        row("django", "Django, no database", "/plain", 200),
        row("drf", "DRF, no database", "/api/public/", 200),
        row("token", "DRF, list from the database, good token", "/api/notes/", 200, "access"),
        row("bad-token", "DRF, bad signature: 401", "/api/notes/", 401, "bad"),
        Row(
            "refresh",
            "refresh of a token",
            "wsgi",
            "project",
            refresh,
            Expected(200, None, length, is_fresh_access),
        ),
    ]


NAMES = (
    "plain",
    "big",
    "echo",
    "plain-asgi",
    "django",
    "drf",
    "token",
    "bad-token",
    "refresh",
)
