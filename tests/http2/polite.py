"""Clients that keep the rules: Python's h2, curl, nghttp and h2load."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ..hold import Hold
from ..server import Server
from .client import Polite

Serve = Callable[..., Server]


def run(*words: str) -> str:
    """Run a client that must succeed, where it is installed."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_environ_says_what_it_says_over_http_1(serve: Serve) -> None:
    """The same names and values, but for the protocol."""
    server = serve("mirror:application", "--workers", "1")
    with Polite(server.port) as client:
        answer = client.get("/a%20b?c=d", ("cookie", "e=1"), ("cookie", "f=2"), ("x_user", "root"))
    told = json.loads(answer.body)
    same = json.loads(server.get("/a%20b?c=d", "Cookie: e=1; f=2").body)
    assert answer.status == 200
    assert told["SERVER_PROTOCOL"] == "HTTP/2"
    assert same["SERVER_PROTOCOL"] == "HTTP/1.1"
    differs = {"SERVER_PROTOCOL", "REMOTE_PORT", "HTTP_HOST"}
    assert {name: told.get(name) for name in told.keys() | same.keys() if name not in differs} == {
        name: same.get(name) for name in told.keys() | same.keys() if name not in differs
    }


def test_bodies_of_any_size_arrive_whole(serve: Serve) -> None:
    """Uploads with and without a length, larger than every window."""
    server = serve("echo:application", "--workers", "1")
    with Polite(server.port) as client:
        for size in (0, 1, 70_000, 5 << 20):
            body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            for headers in ([("content-length", str(size))], []):
                stream = client.ask("POST", "/", *headers, end=False)
                client.send(stream, body)
                answer = client.answer(stream)
                told = json.loads(answer.body)
                assert (answer.status, told["length"]) == (200, size)
                assert told["sha256"] == hashlib.sha256(body).hexdigest()


def test_slow_request_delays_no_other_one_of_its_connection(serve: Serve, hold: Hold) -> None:
    """Answers come as they are ready."""
    server = serve("held:application", "--workers", "1", "--threads", "2", env=hold.environment)
    with Polite(server.port) as client:
        slow = client.ask("GET", "/")
        hold.await_entered(1)
        assert client.get("/free").body == b"done"
        assert not client.answers[slow].ended
        hold.let_go()
        assert client.answer(slow).body == b"done"


def test_stop_says_goodbye_and_ends(serve: Serve) -> None:
    """An idle connection hears GOAWAY and does not hold the server up."""
    server = serve("hello:application", "--workers", "1")
    with Polite(server.port) as client:
        assert client.get("/").status == 200
        server.process.terminate()
        client.until(lambda: client.goodbye is not None)
        assert client.goodbye == 0
        assert server.process.wait(20) == 0


def test_reload_fails_no_request(serve: Serve) -> None:
    """The connection outlives a generation."""
    server = serve("hello:application", "--workers", "1")
    with Polite(server.port) as client:
        assert client.get("/").status == 200
        assert server.command("reload", "--pid", str(server.pid)).returncode == 0
        assert client.get("/").status == 200


def test_every_stream_has_one_record(serve: Serve) -> None:
    """Also the one that is taken back."""
    server = serve("hello:application", "--workers", "1")
    with Polite(server.port) as client:
        for path in ("/1", "/2"):
            assert client.get(path).status == 200
    records = server.last_records()
    told = [(each["target"], each["status"], each["protocol"]) for each in records]
    assert told == [("/1", 200, "HTTP/2"), ("/2", 200, "HTTP/2")]


def test_http2_can_be_off(serve: Serve) -> None:
    """Then its preface is no request."""
    server = serve("hello:application", "--workers", "1", "--http2", "off")
    said = server.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 505 "), said


def test_curl_speaks_it(serve: Serve, tmp_path: Path) -> None:
    """With prior knowledge; an upload that waits for a word; and no upgrade from HTTP/1.1."""
    server = serve("echo:application", "--workers", "1")
    body = tmp_path / "body"
    body.write_bytes(b"0123456789" * 200_000)
    write = ("--write-out", "%{http_version} %{response_code}")
    quiet = ("curl", "--silent", "--show-error", "--max-time", "20", *write)
    out = tmp_path / "out"
    upload = ("--data-binary", f"@{body}", "--output", str(out))
    said = run(*quiet, "--http2-prior-knowledge", *upload, server.address)
    assert said == "2 200"
    assert json.loads(out.read_bytes())["length"] == 2_000_000
    waiting = ("--header", "Expect: 100-continue", *upload)
    assert run(*quiet, "--http2-prior-knowledge", *waiting, server.address) == "2 200"
    assert run(*quiet, "--http2", *upload, server.address) == "1.1 200"


def test_nghttp_and_h2load_speak_it(serve: Serve) -> None:
    """Another implementation's windows and priorities; many streams at a time."""
    server = serve("hello:application", "--workers", "2")
    assert "hello" in run("nghttp", "--no-dep", f"{server.address}/").lower()
    assert "hello" in run("nghttp", "--window-bits=1", f"{server.address}/").lower()
    said = run("h2load", "-n", "2000", "-c", "10", "-m", "50", f"{server.address}/")
    assert "2000 succeeded, 0 failed, 0 errored" in said, said
