"""Bytes that are not a request as it must be: each is refused, recorded once, and harms nobody.

The table is also run pipelined behind a good request, which must be answered first.
"""

import re

import pytest

from .wire import HOST, chunked

LENGTH = b"Content-Length: 5\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LIMITS = ("--max-head", "4KiB", "--max-body", "1KiB")


def get(*lines: bytes) -> bytes:
    """Return a GET with these header lines, and a Host."""
    return b"GET / HTTP/1.1\r\n" + HOST + b"".join(lines) + b"\r\n"


def post(*lines: bytes, body: bytes = b"") -> bytes:
    """Return a POST with these header lines, and a Host."""
    return b"POST / HTTP/1.1\r\n" + HOST + b"".join(lines) + b"\r\n" + body


#: What is refused, with which status, and whether the connection must close after it.
TABLE = {
    "head too long in one header": (get(b"X: " + b"a" * 5000 + b"\r\n"), 431),
    "head too long in its target": (
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        431,
    ),
    "head that never ends": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000, 431),
    "too many headers": (get(*[b"X-%d: 1\r\n" % n for n in range(200)]), 431),
    "body too long by its length": (post(b"Content-Length: 1025\r\n"), 413),
    "body too long by its chunks": (post(CHUNKED, body=chunked(b"x" * 1025)), 413),
    "no request line": (b"hello\r\n\r\n", 400),
    "request line without a version": (b"GET /\r\n" + HOST + b"\r\n", 400),
    "request line with two blanks": (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    # What follows the second blank is read as the version.
    "target with a blank": (b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", 505),
    "target with a control character": (b"GET /\x01 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "target with a fragment": (b"GET /#a HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "method with a bracket": (b"G(T / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "TLS on a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "version 2 in a request line": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    "header without a colon": (get(b"X\r\n"), 400),
    "header with a blank before the colon": (get(b"X : 1\r\n"), 400),
    "header without a name": (get(b": 1\r\n"), 400),
    "header folded over lines": (get(b"X: 1\r\n 2\r\n"), 400),
    "header with a NUL": (get(b"X: \0\r\n"), 400),
    "header with a bare CR": (get(b"X: 1\rY: 2\r\n"), 400),
    "header line ended by a bare LF": (get(b"X: 1\n"), 400),
    "request line ended by a bare LF": (b"GET / HTTP/1.1\n" + HOST + b"\r\n", 400),
    "head ended by a bare LF": (b"GET / HTTP/1.1\r\n" + HOST + b"\n", 400),
    "two different lengths": (post(LENGTH, b"Content-Length: 6\r\n", body=b"12345"), 400),
    "two equal lengths": (post(LENGTH, LENGTH, body=b"12345"), 400),
    "list of lengths": (post(b"Content-Length: 5, 5\r\n", body=b"12345"), 400),
    "length with a sign": (post(b"Content-Length: +5\r\n", body=b"12345"), 400),
    "length in hexadecimal": (post(b"Content-Length: 0x5\r\n", body=b"12345"), 400),
    "length of many digits": (post(b"Content-Length: " + b"9" * 30 + b"\r\n"), 400),
    "length beside chunked": (post(LENGTH, CHUNKED, body=chunked(b"12345")), 400),
    "chunked beside length": (post(CHUNKED, LENGTH, body=chunked(b"12345")), 400),
    "chunked twice": (post(CHUNKED, CHUNKED, body=chunked(b"1")), 400),
    "chunked in HTTP/1.0": (b"POST / HTTP/1.0\r\n" + CHUNKED + b"\r\n" + chunked(b"1"), 400),
    "chunked that is not last": (post(b"Transfer-Encoding: chunked, gzip\r\n"), 400),
    "chunked behind a vertical tab": (post(b"Transfer-Encoding: \x0bchunked\r\n"), 400),
    "unknown transfer coding": (post(b"Transfer-Encoding: gzip\r\n"), 501),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (get(HOST), 400),
    "two different hosts": (get(b"Host: other.test\r\n"), 400),
    "host with a path": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "host that is empty": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
    "host and target that differ": (b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400),
    "scheme that is not served": (b"GET ftp://127.0.0.1/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "two authorizations": (get(b"Authorization: a\r\n", b"Authorization: b\r\n"), 400),
    "connect": (b"CONNECT 127.0.0.1:80 HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "dots in the path": (b"GET /a/../b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "encoded dots in the path": (b"GET /a/%2e%2e/b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "encoded NUL in the path": (b"GET /%00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "broken escape in the path": (b"GET /%f HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "chunk whose size is no number": (post(CHUNKED, body=b"x\r\n"), 400),
    "chunk whose size is negative": (post(CHUNKED, body=b"-1\r\n"), 400),
    "chunk whose size is too large": (post(CHUNKED, body=b"f" * 17 + b"\r\n"), 400),
    "chunk that is longer than its size": (post(CHUNKED, body=b"1\r\nab\r\n0\r\n\r\n"), 400),
    "chunk line ended by a bare LF": (post(CHUNKED, body=b"1\na\r\n0\r\n\r\n"), 400),
    "chunk line that never ends": (post(CHUNKED, body=b"1;" + b"a" * 1000), 400),
    "trailers that never end": (post(CHUNKED, body=b"0\r\n" + b"X: y\r\n" * 3000), 400),
}

STATUS = re.compile(rb"^HTTP/1\.1 (\d{3}) ", re.MULTILINE)


def statuses(answers: bytes) -> list[int]:
    """Return the statuses of what came back."""
    return [int(status) for status in STATUS.findall(answers)]


@pytest.mark.parametrize("what", TABLE)
def test_bad_request_is_refused_and_recorded_once(serve, what):
    data, status = TABLE[what]
    server = serve("echo:application", *LIMITS)
    with server.wire() as wire:
        wire.send(data)
        assert wire.hear().status == status
    [record] = server.last_records()
    assert (record["status"], record["fault"]) == (status, "client")
    assert record["reason"]
    assert record["worker"] is None


@pytest.mark.parametrize("what", TABLE)
def test_good_request_before_a_bad_one_is_answered_first(serve, what):
    data, status = TABLE[what]
    server = serve("echo:application", *LIMITS)
    with server.wire() as wire:
        wire.send(post(LENGTH, body=b"12345") + data)
        assert [wire.hear().status, wire.hear().status] == [200, status]
    assert [record["status"] for record in server.last_records()] == [200, status]


#: After these nobody can know where the next request begins.
OUT_OF_STEP = [
    "head that never ends",
    "no request line",
    "header line ended by a bare LF",
    "two different lengths",
    "length beside chunked",
    "unknown transfer coding",
    "body too long by its length",
    "body too long by its chunks",
    "chunk whose size is no number",
    "trailers that never end",
]


@pytest.mark.parametrize("what", OUT_OF_STEP)
def test_nothing_behind_a_bad_request_is_read(serve, what):
    data, status = TABLE[what]
    server = serve("echo:application", *LIMITS)
    answers = server.raw(data + get() * 3)
    assert statuses(answers) == [status], answers
    assert b"connection: close" in answers.lower()
    assert len(server.last_records()) == 1


@pytest.mark.parametrize(
    "data",
    [
        post(b"Content-Length: 200000\r\n", body=b"x" * 200_000),
        post(CHUNKED, body=chunked(b"x" * 200_000)),
    ],
    ids=["by its length", "by its chunks"],
)
def test_refusal_of_a_long_body_reaches_a_client_that_sends_it_all(serve, data):
    server = serve("echo:application", *LIMITS)
    with server.wire() as wire:
        wire.send(data)
        assert wire.hear("POST").status == 413
        assert wire.is_closed_by_server()


def test_connection_that_says_nothing_writes_no_record(serve):
    server = serve("hello:application")
    server.wire().close()
    with server.wire() as wire:
        wire.send(b"\r\n")
    assert server.get("/").status == 200
    assert len(server.last_records()) == 1


def test_body_at_the_limit_is_taken(serve):
    server = serve("echo:application", *LIMITS)
    assert server.request("POST", "/", body=b"x" * 1024).json()["length"] == 1024


def test_empty_line_before_a_request_is_forgiven_once(serve):
    server = serve("hello:application")
    with server.wire() as wire:
        wire.send(b"\r\n" + get())
        assert wire.hear().status == 200
        wire.send(b"\r\n\r\n" + get())
        assert wire.hear().status == 400
