"""Compressed answers, read by Python's gzip and by curl."""

import gzip
import http.client
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from .apps.text import TEXT
from .server import Server

CODINGS = ["gzip", "br", "zstd"]


@pytest.fixture
def server(serve: Callable[..., Server], tmp_path: Path) -> Server:
    """Return a server of text."""
    return serve("text:application", env={"STREAM": str(tmp_path)})


def curl(server: Server, path: str, *more: str) -> bytes:
    """Return what curl reads of an answer."""
    command = ["curl", "--silent", "--show-error", "--fail", *more, server.address + path]
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(("path", "times"), [("/", 1), ("/long", 200)])
def test_curl_reads_every_coding(server, coding, path, times):
    asks = ("-H", f"Accept-Encoding: {coding}")
    coded = curl(server, path, *asks)
    assert len(coded) < len(TEXT) * times / 5
    assert curl(server, path, "--compressed", *asks) == TEXT.encode() * times


def test_pythons_gzip_reads_it(server):
    answer = server.get("/", "Accept-Encoding: gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(answer.body) == TEXT.encode()
    plain = server.get("/")
    assert (plain.headers["Content-Encoding"], plain.body) == (None, TEXT.encode())
    assert plain.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("coding", CODINGS)
def test_conditions_hold_for_a_compressed_answer(server, coding):
    accepts = f"Accept-Encoding: {coding}"
    tag = server.get("/", accepts).headers["ETag"]
    assert tag == f'"v1;{coding}"'
    again = server.get("/", accepts, f"If-None-Match: {tag}")
    assert (again.status, again.headers["ETag"]) == (304, tag)
    assert server.get("/", accepts, f"If-Match: {tag}").status == 200
    assert server.get("/", accepts, 'If-Match: "v0"').status == 412


def test_streamed_word_is_read_before_the_next_one_exists(server, tmp_path):
    with server.wire() as wire:
        wire.ask("GET", "/stream", "Accept-Encoding: gzip")
        answer = wire.begin()
        unzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        read = b""
        while read != b"first ":
            read += unzip.decompress(answer.read1())
        (tmp_path / "go").touch()
        assert unzip.decompress(answer.read()) == b"second"
        assert unzip.eof


def test_answer_that_breaks_off_has_no_end(server):
    # In its body, or even before it, when the application was quick to fail.
    with pytest.raises(http.client.HTTPException):
        server.get("/break", "Accept-Encoding: gzip")


def test_foreign_page_with_a_cookie_gets_the_plain_text(server):
    asks = ("Accept-Encoding: gzip", "Cookie: sessionid=1")
    assert server.get("/", *asks).headers["Content-Encoding"] is None
    foreign = server.get("/", *asks, "Sec-Fetch-Site: cross-site")
    assert foreign.headers["Content-Encoding"] is None
    own = server.get("/", *asks, "Sec-Fetch-Site: same-origin")
    assert own.headers["Content-Encoding"] == "gzip"


def test_it_can_be_turned_off_and_always_on(serve):
    asks = ("Accept-Encoding: gzip", "Cookie: sessionid=1", "Sec-Fetch-Site: none")
    off = serve("text:application", "--compression", "off").get("/", *asks)
    assert (off.headers["Content-Encoding"], off.headers["Vary"]) == (None, None)
    always = serve("text:application", "--compression", "danger_always").get("/", *asks[:2])
    assert always.headers["Content-Encoding"] == "gzip"


def test_route_has_the_last_word(serve, tmp_path):
    (tmp_path / "yett.toml").write_text(
        """
        [compression]
        mode = "off"
        [[route]]
        path = "/on/"
        compress = true
        [[route]]
        path = "/on/secret"
        compress = false
        [[route]]
        path = "/always"
        compress = "danger_always"
        """
    )
    server = serve("text:application", "--config", str(tmp_path / "yett.toml"))
    plain = ("Accept-Encoding: gzip",)
    foreign = (*plain, "Cookie: sessionid=1", "Sec-Fetch-Site: cross-site")
    for path, asks, expected in [
        ("/", plain, None),
        ("/on/", plain, "gzip"),
        ("/on/", foreign, None),
        ("/on/secret/1", plain, None),
        ("/always", plain, "gzip"),
        ("/always/1", foreign, "gzip"),
        ("/alwaysnot", plain, None),
    ]:
        answer = server.get(path, *asks)
        assert answer.headers["Content-Encoding"] == expected, (path, asks)
