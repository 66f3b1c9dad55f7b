"""HTTP/2's limits from both sides: what just fits, and what is one over, which is counted."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from .hold import Hold
from .met import ADMIN, KIB, MIB, ONE, SMALL, await_met
from .server import Server, eventually
from .wire import Wire

Serve = Callable[..., Server]


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
WINDOW_UPDATE, CONTINUATION = 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 7, 8, 11


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return a frame (RFC 9113 section 4.1)."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload


def text(said: bytes) -> bytes:
    """Return a string literal, not compressed (RFC 7541 section 5.2)."""
    if len(said) < 127:
        return bytes([len(said)]) + said
    length, rest = b"\x7f", len(said) - 127
    while rest >= 128:
        length += bytes([rest % 128 + 128])
        rest //= 128
    return length + bytes([rest]) + said


def block(*fields: tuple[bytes, bytes], method: bytes = b"\x82") -> bytes:
    """Return a header block: GET http://a/ and these fields."""
    named = (b"\x00" + text(name) + text(value) for name, value in fields)
    return method + b"\x86\x84\x01" + text(b"a") + b"".join(named)


def size(*fields: tuple[bytes, bytes]) -> int:
    """Return the size of a head of [`block`], as RFC 9113 section 6.5.2 counts it."""
    pseudo = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a")]
    return sum(len(name) + len(value) + 32 for name, value in [*pseudo, *fields])


class Http2(Wire):
    """A connection on which frames are written by hand."""

    def __init__(self, server: Server) -> None:
        """Connect and greet."""
        super().__init__(server.address)
        self.send(PREFACE + frame(SETTINGS, 0, 0))

    def __enter__(self) -> "Http2":
        return self

    def next(self) -> tuple[int, int, int, bytes]:
        """Read kind, flags, stream and payload of a frame."""
        head = self.file.read(9)
        assert len(head) == 9, "the server closed"
        payload = self.file.read(int.from_bytes(head[:3], "big"))
        return head[3], head[4], int.from_bytes(head[5:], "big"), payload

    def code(self, wanted: int, stream: int = 0) -> int:
        """Read on to a RESET or GOAWAY, and return its code."""
        while True:
            kind, _, about, payload = self.next()
            if (kind, about) == (wanted, stream):
                return int.from_bytes(payload[-4:] if kind == RESET else payload[4:8], "big")

    def await_end(self, stream: int) -> None:
        """Read on to the end of a stream's answer."""
        while True:
            kind, flags, about, _ = self.next()
            assert (kind, about) != (RESET, stream)
            if kind in (DATA, HEADERS) and about == stream and flags & END_STREAM:
                return

    def await_pong(self) -> None:
        """Ask for a sign of life, and read on to it: all that was sent before was read."""
        self.send(frame(PING, 0, 0, b"the last"))
        while True:
            kind, flags, _, payload = self.next()
            assert kind != GOAWAY
            if (kind, flags & ACK, payload) == (PING, ACK, b"the last"):
                return

    def flood(self, piece: bytes) -> None:
        """Send as much as the server takes."""
        with suppress(ConnectionError):
            self.send(piece)


def test_stream_beyond_those_of_its_connection_is_refused(serve: Serve, hold: Hold) -> None:
    flags = ("--workers", "1", "--threads", "2", *ADMIN, "--http2-max-streams", "2")
    server = serve("held:application", *flags, env=hold.environment)
    with Http2(server) as client:
        for stream in (1, 3):
            client.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, block()))
        hold.await_entered(2)
        await_met(server)
        client.send(frame(HEADERS, END_STREAM | END_HEADERS, 5, block()))
        assert client.code(RESET, 5) == REFUSED_STREAM
        await_met(server, http2_streams=1)
        hold.let_go(2)
        eventually(lambda: len(server.access_records()) == 3)
    statuses = sorted(record["status"] for record in server.access_records())
    assert statuses == [200, 200, 503]


def test_requests_may_be_taken_back_until_it_is_too_much(serve: Serve) -> None:
    server = serve("hello:application", *ONE, *ADMIN)

    def taken_back(first: int, count: int) -> bytes:
        return b"".join(
            frame(HEADERS, END_STREAM | END_HEADERS, stream, block())
            + frame(RESET, 0, stream, CANCEL.to_bytes(4, "big"))
            for stream in range(first, first + 2 * count, 2)
        )

    with Http2(server) as client:
        client.send(taken_back(1, 200))
        client.await_pong()
        await_met(server)
        client.flood(taken_back(401, 5000))
        assert client.code(GOAWAY) == ENHANCE_YOUR_CALM
    await_met(server, http2_resets=1)


#: As often as it is allowed at once, and far beyond.
FLOODS = {
    "pings": (frame(PING, ACK, 0, b"x" * 8), 990),
    "settings": (frame(SETTINGS, 0, 0), 245),
    "unknown frames": (frame(0x42, 0, 0, b"grease"), 990),
}


@pytest.mark.parametrize("what", FLOODS)
def test_frames_that_carry_nothing_may_come_until_it_is_too_much(serve: Serve, what: str) -> None:
    piece, fits = FLOODS[what]
    server = serve("hello:application", *ONE, *ADMIN)
    with Http2(server) as client:
        client.send(piece * fits)
        client.await_pong()
        await_met(server)
        client.flood(piece * 20_000)
        assert client.code(GOAWAY) == ENHANCE_YOUR_CALM
    await_met(server, http2_frames=1)


def test_hundred_empty_pieces_of_a_body_pass_and_one_more_ends_the_connection(
    serve: Serve,
) -> None:
    server = serve("echo:application", *ONE, *ADMIN)
    with Http2(server) as client:
        client.send(frame(HEADERS, END_HEADERS, 1, block(method=b"\x83")))
        client.send(frame(DATA, 0, 1) * 100 + frame(DATA, END_STREAM, 1, b"x"))
        client.await_end(1)
        await_met(server)
        client.send(frame(HEADERS, END_HEADERS, 3, block(method=b"\x83")) + frame(DATA, 0, 3))
        assert client.code(GOAWAY) == ENHANCE_YOUR_CALM
    await_met(server, http2_frames=1)


def test_five_continuations_of_a_head_pass_and_one_more_ends_the_connection(serve: Serve) -> None:
    server = serve("hello:application", *ONE, *ADMIN)
    with Http2(server) as client:
        for stream, more in ((1, 5), (3, 6)):
            client.send(frame(HEADERS, END_STREAM, stream, block()))
            client.send(frame(CONTINUATION, 0, stream) * more)
            if more == 5:
                client.send(frame(CONTINUATION, END_HEADERS, stream))
                client.await_end(stream)
                await_met(server)
        assert client.code(GOAWAY) == ENHANCE_YOUR_CALM
    await_met(server, http2_frames=1)


LONG = KIB - 1 - size((b"x", b""))

#: Two requests of a connection, the limit that the second one meets, and its status.
HTTP2_REQUESTS = {
    "size of a head": ([(b"x", b"y" * LONG)], [(b"x", b"y" * (LONG + 2))], 431, "head_size"),
    "number of headers": ([(b"x", b"y")] * 4, [(b"x", b"y")] * 5, 431, "headers"),
    "cookies are one header": (
        [(b"cookie", b"y=z")] * 9,
        [(b"x", b"y")] * 4 + [(b"cookie", b"y=z")] * 2,
        431,
        "headers",
    ),
}


@pytest.mark.parametrize("what", HTTP2_REQUESTS)
def test_stream_at_a_limit_is_answered_and_one_above_it_refused(serve: Serve, what: str) -> None:
    fits, exceeds, status, limit = HTTP2_REQUESTS[what]
    server = serve("hello:application", *ONE, *ADMIN, *SMALL)
    with Http2(server) as client:
        client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, block(*fits)))
        client.await_end(1)
        await_met(server)
        client.send(frame(HEADERS, END_STREAM | END_HEADERS, 3, block(*exceeds)))
        await_met(server, **{limit: 1})
        # And the others go on.
        client.send(frame(HEADERS, END_STREAM | END_HEADERS, 5, block()))
        client.await_end(5)
    assert [record["status"] for record in server.records(3)] == [200, status, 200]


def test_body_of_a_stream_may_be_as_long_as_the_limit_and_not_longer(serve: Serve) -> None:
    server = serve("echo:application", *ONE, *ADMIN, *SMALL)
    with Http2(server) as client:
        for stream, length in ((1, KIB), (3, KIB + 1)):
            client.send(frame(HEADERS, END_HEADERS, stream, block(method=b"\x83")))
            client.send(frame(DATA, END_STREAM, stream, b"x" * length))
            client.await_end(stream)
            await_met(server, body_size=0 if stream == 1 else 1)
    assert [record["status"] for record in server.records(2)] == [200, 413]


def test_client_is_told_how_much_it_may_send(serve: Serve) -> None:
    """Streams, bytes of each body and of all, and of a head, as the guide has them."""
    server = serve("hello:application", *ONE)
    told: dict[int, int] = {}
    window = 65_535
    with Http2(server) as client:
        while not told or window == 65_535:
            kind, flags, stream, payload = client.next()
            if kind == SETTINGS and not flags & ACK:
                pairs = [payload[at : at + 6] for at in range(0, len(payload), 6)]
                told = {int.from_bytes(p[:2], "big"): int.from_bytes(p[2:], "big") for p in pairs}
            if (kind, stream) == (WINDOW_UPDATE, 0):
                window += int.from_bytes(payload, "big")
    streams, each, head = told[3], told[4], told[6]
    assert (streams, each, window, head) == (128, MIB, 2 * MIB, 64 * KIB)
