"""PEP 3333, clause by clause, where the shapes of `test_answers.py` do not look.

Each clause runs as it is and under `wsgiref.validate`.
"""

import socket
import struct

import pytest

from .server import eventually
from .wire import HOST


@pytest.fixture(params=["conforming:plain", "conforming:application"])
def server(request, serve, tmp_path):
    """Return a server of `apps/conforming.py`."""
    marks = tmp_path / "marks-of-the-app"
    marks.mkdir()
    return serve(request.param, "--workers", "1", env={"MARKS": str(marks)})


@pytest.fixture
def marks(tmp_path, server):
    """Return a function that gives the app's words so far."""

    def read() -> list[str]:
        file = tmp_path / "marks-of-the-app" / "marks"
        return file.read_text().splitlines() if file.exists() else []

    return read


@pytest.mark.parametrize("name", ["fails_first", "headless"])
def test_iterable_is_closed_when_it_gives_no_answer(server, marks, name):
    assert server.get(f"/{name}").status == 500
    eventually(lambda: marks() == [f"{name} closed"])


def test_iterable_is_closed_when_it_fails_and_the_client_sees_no_end(server, marks):
    raw = server.raw(b"GET /fails HTTP/1.1\r\n" + HOST + b"\r\n")
    assert not raw.endswith(b"0\r\n\r\n")
    eventually(lambda: marks() == ["fails closed"])


def test_iterable_is_closed_when_the_client_leaves(server, marks):
    with server.wire() as wire:
        wire.ask("GET", "/endless")
        assert wire.begin().read(100)
    eventually(lambda: marks() == ["endless closed"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_iterable_is_closed_when_its_body_is_not_sent(server, marks, method):
    assert server.request(method, "/bodyless").status == 304
    eventually(lambda: marks() == ["bodyless closed"])
    assert server.request("HEAD", "/endless").status == 200
    eventually(lambda: marks() == ["bodyless closed", "endless closed"])


def test_one_piece_and_several_pieces_arrive_whole(server, marks):
    assert server.get("/single").body == b"one"
    assert server.get("/several").body == b"abc"
    assert marks() == ["single closed"]


def test_answer_to_an_old_client_ends_with_its_connection(server):
    raw = server.raw(b"GET /single HTTP/1.0\r\n" + HOST + b"\r\n")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 OK")
    assert b"transfer-encoding" not in head.lower()
    assert body == b"one"


@pytest.mark.parametrize("rest", [1_000, 200_000])
def test_input_reads_the_same_from_memory_and_from_a_file(server, rest):
    body = b"first\nsecond\nthird\nfour\nfive\nsix\n" + b"x" * rest
    told = server.request("POST", "/reads", body=body).text
    assert told == repr(
        [
            *(b"", b"first\n", b"se", b"cond\n", [b"third\n"], b"fou", b"r\n"),
            *(rest + 9, b"", b"", [], []),
        ]
    )


def test_body_that_nobody_reads_is_no_harm(server):
    with server.wire() as wire:
        for size in (10, 300_000):
            wire.ask("POST", "/ignores", body=b"x" * size)
            assert wire.hear("POST").body == b"ignored"


@pytest.mark.parametrize(
    "upload",
    [
        b"Content-Length: 1000\r\n\r\n" + b"x" * 999,
        b"Content-Length: 300000\r\n\r\n" + b"x" * 299_999,
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n30000\r\n" + b"x" * 0x30000 + b"\r\n4\r\nhel",
    ],
)
@pytest.mark.parametrize("manner", ["cut", "reset"])
def test_half_a_body_never_reaches_the_application(server, marks, upload, manner):
    with server.wire() as wire:
        wire.send(b"POST /ignores HTTP/1.1\r\n" + HOST + upload)
        if manner == "cut":
            wire.socket.shutdown(socket.SHUT_WR)
            wire.rest()
        else:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    (record,) = server.records(1)
    assert (record["status"], record["fault"]) == (400, "client")
    # The worker is free, and was never asked.
    assert server.get("/several").body == b"abc"
    assert marks() == []


def test_early_hints_come_before_the_answer_and_never_inside_it(server, marks):
    raw = server.raw(b"GET /hints HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    first, second, rest = raw.split(b"\r\n\r\n", 2)
    assert first == b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload; as=style"
    assert second == b"HTTP/1.1 103 Early Hints\r\nlink: </b.js>; rel=preload"
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")
    assert rest.endswith(b"\r\n\r\nab")
    assert marks() == ["refused"] * 3


def test_old_client_gets_no_early_hints(server):
    raw = server.raw(b"GET /hints HTTP/1.0\r\n" + HOST + b"\r\n")
    assert raw.startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"103" not in raw
