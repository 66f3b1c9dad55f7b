"""The access log: one record for each request, which nothing in a request can forge."""

import json
import re
import socket

import pytest

from .wire import HOST

FIELDS = {
    "time",
    "client",
    "method",
    "target",
    "protocol",
    "status",
    "bytes",
    "received",
    "took_us",
    "waited_us",
    "app_us",
    "route",
    "worker",
    "fault",
    "failure",
    "reason",
    "user_agent",
}

#: What somebody who wants to forge a record would send in a header's value.
EVIL = [
    'x" 200 5 0.1ms app worker=1 agent="y',
    '","status":500,"x":"',
    "\\n2026-01-01T00:00:00.000Z 192.0.2.1 GET / 200",
    "\\",
    "\x85\u00a0\xff",
    "\xe2\x80\xa8next line",
    "\ttab",
]


def test_record_says_everything_about_a_request(serve):
    server = serve("hello:application")
    server.request("POST", "/a%2fb?c", "User-Agent: test/1", body=b"x")
    [record] = server.last_records()
    assert set(record) == FIELDS
    assert record["client"] == "127.0.0.1"
    assert (record["method"], record["protocol"]) == ("POST", "HTTP/1.1")
    assert record["target"].lower() == "/a%2fb?c"
    assert (record["status"], record["bytes"], record["received"]) == (200, 6, 1)
    assert 0 < record["app_us"] <= record["took_us"]
    assert (record["route"], record["user_agent"]) == ("app", "test/1")
    assert isinstance(record["worker"], int)
    assert (record["fault"], record["reason"]) == (None, None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])


def test_every_request_of_a_connection_has_a_record(serve):
    server = serve("hello:application")
    with server.wire() as wire:
        for number in range(50):
            wire.get(f"/{number}")
    targets = [record["target"] for record in server.last_records()]
    assert targets == [f"/{number}" for number in range(50)]


@pytest.mark.parametrize("body", [b"", b"x" * 1000])
def test_request_of_a_client_that_leaves_at_once_has_a_record(serve, body):
    server = serve("hello:application")
    with server.wire() as wire:
        wire.ask("POST", "/left", body=body)
        wire.socket.shutdown(socket.SHUT_WR)
        wire.rest()
    [record] = server.last_records()
    assert record["target"] == "/left"
    assert record["status"] in (200, 400, 499)


def test_last_record_is_written_by_a_quick_stop(serve):
    server = serve("hello:application")
    with server.wire() as wire:
        assert wire.get("/last").status == 200
        server.command("stop", "--quick")
    assert server.process.wait(timeout=30) == 0
    assert [record["target"] for record in server.access_records()] == ["/last"]


@pytest.mark.parametrize("value", EVIL)
def test_header_cannot_forge_a_json_record(serve, value):
    server = serve("hello:application")
    server.get("/", f"User-Agent: {value}", f"X-Other: {value}")
    assert server.stop() == 0
    [line, _] = server.stdout.split("\n")
    record = json.loads(line)
    assert record["status"] == 200
    assert set(record) == FIELDS


@pytest.mark.parametrize("value", EVIL)
def test_header_cannot_forge_a_text_record(serve, value):
    server = serve("hello:application", log_format="text")
    server.get("/", f"User-Agent: {value}")
    assert server.stop() == 0
    [line, _] = server.stdout.split("\n")
    assert line.isascii()
    assert line.isprintable()
    # Quotes that are not escaped: two around the request line, two around the agent.
    assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) == 4


@pytest.mark.parametrize(
    "line",
    [
        b'GET /"\x1b[31m HTTP/1.1',
        b"GET /\xe2\x80\xa8 HTTP/1.1",
        b'G"T / HTTP/1.1',
        b"GET /?%0d%0aforged HTTP/1.1",
        b"\x1b[2J\x07 \x00 \xff",
    ],
)
def test_request_line_cannot_forge_a_text_record(serve, line):
    server = serve("hello:application", log_format="text")
    server.raw(line + b"\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert server.stop() == 0
    [written, _] = server.stdout.split("\n")
    assert written.isascii()
    assert written.isprintable()


def test_long_target_is_cut_in_the_record(serve):
    server = serve("hello:application")
    assert server.get("/" + "a" * 20_000).status == 200
    [record] = server.last_records()
    assert len(record["target"]) < 3000


def test_credentials_are_not_written(serve):
    server = serve("hello:application")
    server.get("/", "Authorization: Bearer the.secret.token", "Cookie: the=secret")
    assert server.stop() == 0
    assert "secret" not in server.stdout + server.stderr


def test_access_log_can_be_turned_off(serve):
    server = serve("hello:application", "--no-access-log")
    assert server.get("/").status == 200
    assert server.stop() == 0
    assert server.stdout == ""


def test_text_record_is_readable(serve):
    server = serve("hello:application", log_format="text")
    server.get("/a", "User-Agent: test/1")
    assert server.stop() == 0
    pattern = r'\S+Z 127\.0\.0\.1 "GET /a HTTP/1\.1" 200 6 [\d.]+ms app worker=\d+ agent="test/1"\n'
    assert re.fullmatch(pattern, server.stdout), server.stdout
