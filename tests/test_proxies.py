"""Behind a proxy: who is believed what, by headers and by the PROXY protocol."""

from pathlib import Path
from typing import Any

import pytest

from .server import eventually
from .wire import HOST

FORWARDED = (
    "X-Forwarded-For: 6.6.6.6, 203.0.113.9",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.example",
    "X-Real-IP: 6.6.6.6",
)
GET = b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
V1 = b"PROXY TCP4 203.0.113.9 198.51.100.2 4660 443\r\n"
V2 = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\xc6\x33\x64\x02\x12\x34\x01\xbb"


def test_nobody_is_believed_by_default(serve: Any) -> None:
    told = serve("mirror:application").get("/", *FORWARDED).json()
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"]) == ("127.0.0.1", "http")
    assert [name for name in told if "FORWARDED" in name or "REAL_IP" in name] == []


def test_trusted_proxy_names_client_and_scheme_and_not_the_host(serve: Any) -> None:
    server = serve("mirror:application", "--trust-proxy", "127.0.0.0/8")
    told = server.get("/", *FORWARDED).json()
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"]) == ("203.0.113.9", "https")
    assert told["HTTP_HOST"] == "127.0.0.1"
    assert told["HTTP_X_FORWARDED_FOR"] == told["HTTP_X_REAL_IP"] == "203.0.113.9"
    assert "HTTP_X_FORWARDED_HOST" not in told
    assert server.get("/", "X-Forwarded-For: unknown").status == 400
    records = server.last_records()
    assert [record["client"] for record in records] == ["203.0.113.9", "127.0.0.1"]


def test_trusted_proxy_names_the_host_where_it_may(serve: Any) -> None:
    server = serve("mirror:application", "--trust-proxy", "private", "--proxy-host", "on")
    told = server.get("/", "X-Forwarded-Host: shop.example", "X-Forwarded-Port: 8443").json()
    assert (told["HTTP_HOST"], told["SERVER_PORT"]) == ("shop.example", "8443")


def test_forwarded_is_read_where_it_is_chosen(serve: Any) -> None:
    flags = ("--trust-proxy", "127.0.0.1", "--proxy-headers", "forwarded")
    server = serve("mirror:application", *flags)
    told = server.get("/", *FORWARDED, "Forwarded: for=192.0.2.7;proto=https").json()
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"]) == ("192.0.2.7", "https")
    assert "HTTP_X_FORWARDED_FOR" not in told


@pytest.mark.parametrize("header", [V1, V2], ids=["version 1", "version 2"])
def test_proxy_header_names_the_client(serve: Any, header: bytes) -> None:
    server = serve("mirror:application", "--trust-proxy", "127.0.0.1", "--proxy-protocol")
    with server.wire() as wire:
        # In two pieces, and with the request right behind.
        wire.send(header[:9])
        wire.send(header[9:] + GET)
        told = wire.hear().json()
    assert (told["REMOTE_ADDR"], told["SERVER_PORT"]) == ("203.0.113.9", "443")
    # Who stands behind the header is no proxy.
    with server.wire() as wire:
        forged = GET.replace(b"Connection", b"X-Forwarded-For: 6.6.6.6\r\nConnection")
        wire.send(header + forged)
        assert wire.hear().json()["REMOTE_ADDR"] == "203.0.113.9"


def test_who_is_no_trusted_proxy_or_sends_no_header_is_let_go(serve: Any) -> None:
    server = serve("mirror:application", "--trust-proxy", "127.0.0.1", "--proxy-protocol")
    for _ in range(3):
        assert server.raw(GET) == b""
    assert server.last_records() == []
    closed = "warning: a connection from 127.0.0.1 was closed: "
    eventually(lambda: closed in server.stderr)
    told = [line for line in server.stderr.splitlines() if line.startswith(closed)]
    assert told == [f"{closed}the connection does not begin with a PROXY header"]
    server = serve("mirror:application", "--trust-proxy", "192.0.2.1", "--proxy-protocol")
    assert server.raw(V1 + GET) == b""
    assert server.last_records() == []
    reason = "a PROXY header is expected, and the peer is no trusted proxy"
    eventually(lambda: f"{closed}{reason}\n" in server.stderr)


def test_foreign_host_is_misdirected_for_files_too(serve: Any, tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.css").write_text("a")
    flags = ("--static", f"/static/={tmp_path}/assets", "--allowed-host", ".shop.example")
    server = serve("hello:application", *flags)

    def status(target: str, host: str) -> int:
        with server.wire() as wire:
            wire.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            found: int = wire.hear().status
            return found

    assert status("/", "shop.example:8000") == status("/static/a.css", "a.shop.example") == 200
    assert status("/", "127.0.0.1") == status("/static/a.css", "evil.example") == 421
