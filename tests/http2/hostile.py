"""Clients that mean harm: their connection ends, or their stream, and nobody else notices."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import hyperframe.frame as frames
import pytest

from ..server import Server, eventually, memory
from .client import (
    CANCEL,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    PREFACE,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    Hostile,
    Polite,
)

Serve = Callable[..., Server]

#: What an attack may leave behind in the server's memory, in bytes.
MOST_MEMORY = 32 << 20


@pytest.fixture
def server(serve: Serve) -> Iterator[Server]:
    """Return a server that must serve others during and after an attack, in little memory."""
    server = serve("hello:application", "--workers", "1")
    with Polite(server.port) as bystander:
        assert bystander.get("/").status == 200
        before = memory(server.pid)
        yield server
        assert bystander.get("/").status == 200
        assert server.get("/").status == 200
        assert memory(server.pid) - before < MOST_MEMORY


def flood(client: Hostile, piece: bytes, times: int = 200) -> None:
    """Send a piece again and again until the server takes no more."""
    for _ in range(times):
        if not client.send(piece):
            return


def odd(count: int) -> Iterator[int]:
    """Yield so many numbers of streams."""
    yield from range(1, 2 * count, 2)


def test_rapid_reset_ends_the_connection(server: Server) -> None:
    """CVE-2023-44487: requests taken back as fast as they are made."""
    with Hostile(server.port) as client:
        for stream in odd(5000):
            cancel = frames.RstStreamFrame(stream, error_code=CANCEL)
            if not client.send(client.headers(stream), cancel):
                break
        assert client.goodbye() == ENHANCE_YOUR_CALM


def test_making_the_server_reset_ends_the_connection(server: Server) -> None:
    """CVE-2025-8671: streams broken so that the server must reset them."""
    with Hostile(server.port) as client:
        for stream in odd(5000):
            window = frames.WindowUpdateFrame(stream, window_increment=(1 << 31) - 1)
            if not client.send(client.headers(stream), window):
                break
        assert client.goodbye() == ENHANCE_YOUR_CALM


def test_streams_beyond_the_limit_are_refused(serve: Serve) -> None:
    """And can be sent again: nothing of them was begun."""
    server = serve("hello:application", "--workers", "1", "--http2-max-streams", "5")
    with Hostile(server.port) as client:
        block = [client.block(method="POST") for _ in odd(8)]
        heads = [client.headers(each, block.pop(0), "END_HEADERS") for each in odd(8)]
        client.send(*heads)
        assert client.resets(3) == dict.fromkeys((11, 13, 15), REFUSED_STREAM)
    with Polite(server.port) as client:
        assert client.get("/").status == 200


@pytest.mark.parametrize("piece", [b"", b"\0" * 16384], ids=["empty", "full"])
def test_endless_continuation_ends_the_connection(server: Server, piece: bytes) -> None:
    """CVE-2024-27316 and its kin: a head that never ends."""
    with Hostile(server.port) as client:
        client.send(client.headers(1, client.block(), "END_STREAM"))
        flood(client, frames.ContinuationFrame(1, data=piece).serialize())
        assert client.goodbye() != 0


FLOODS: dict[str, bytes] = {
    "ping": frames.PingFrame(0, opaque_data=b"12345678").serialize(),
    "settings": frames.SettingsFrame(0, settings={4: 65535}).serialize(),
    "priority": frames.PriorityFrame(1, depends_on=0, stream_weight=1).serialize(),
    "window": frames.WindowUpdateFrame(0, window_increment=1).serialize(),
    "unknown": b"\0\0\6\x42\0\0\0\0\0grease",
}


@pytest.mark.parametrize("name", FLOODS)
def test_flood_of_frames_ends_the_connection(server: Server, name: str) -> None:
    """CVE-2019-9512, 9513, 9515 and others."""
    with Hostile(server.port) as client:
        flood(client, FLOODS[name] * 50)
        assert client.goodbye() == ENHANCE_YOUR_CALM


@pytest.mark.parametrize("piece", [b"", b"x"], ids=["empty", "tiny"])
def test_flood_of_data_ends_the_connection(server: Server, piece: bytes) -> None:
    """CVE-2019-9518."""
    with Hostile(server.port) as client:
        client.send(client.headers(1, client.block(method="POST"), "END_HEADERS"))
        flood(client, frames.DataFrame(1, data=piece).serialize() * 50)
        assert client.goodbye() == ENHANCE_YOUR_CALM


def test_header_bomb_ends_the_connection(server: Server) -> None:
    """CVE-2016-6581: a few bytes that unpack to megabytes."""
    with Hostile(server.port) as client:
        block = client.block(("x", "y" * 4000))
        # The newest entry of the table, again and again.
        client.send(client.headers(1, block + b"\xbe" * 10_000))
        assert client.goodbye() == ENHANCE_YOUR_CALM


def test_large_head_is_answered_and_the_connection_goes_on(server: Server) -> None:
    """Between one and four times what it may be: 431."""
    with Hostile(server.port) as client:
        block = client.block(("x", "y" * 4000))
        client.send(client.headers(1, block + b"\xbe" * 20))
        client.send(client.headers(3))
        answered = set()
        for frame in client.frames():
            if isinstance(frame, frames.HeadersFrame):
                answered.add(frame.stream_id)
            if answered == {1, 3}:
                break
    statuses = {each["status"] for each in server.records(3)}
    assert 431 in statuses


def test_window_of_one_byte_ends_the_connection(serve: Serve, tmp_path: Path) -> None:
    """CVE-2019-9511 and 9517: an answer in pieces of one byte."""
    server = serve("stream:application", "--workers", "1", env={"STREAM": str(tmp_path)})
    with Hostile(server.port, greet=False) as client:
        client.send(PREFACE, frames.SettingsFrame(0, settings={4: 0}))
        client.send(frames.SettingsFrame(0, flags=["ACK"]))
        client.send(client.headers(1, client.block(path="/?1")))
        client.socket.settimeout(20)
        window = frames.WindowUpdateFrame(1, window_increment=1)
        code = None
        for frame in client.frames():
            if isinstance(frame, frames.GoAwayFrame):
                code = frame.error_code
            elif isinstance(frame, (frames.DataFrame, frames.HeadersFrame)):
                client.send(window)
        assert code == ENHANCE_YOUR_CALM
    progress = tmp_path / "progress"
    eventually(lambda: progress.read_text().endswith("closed\n"))


def test_answers_that_nobody_takes_are_held_in_little_memory(serve: Serve, tmp_path: Path) -> None:
    """CVE-2019-9517: many large answers, and a socket that is not read."""
    for folder in range(20):
        (tmp_path / str(folder)).mkdir()
    flags = ("--workers", "1", "--threads", "20")
    server = serve("stream:application", *flags, env={"STREAM": str(tmp_path)})
    with Polite(server.port) as bystander:
        bystander.get("/0?0")
        before = memory(server.pid)
        with Hostile(server.port) as client:
            client.send(frames.WindowUpdateFrame(0, window_increment=(1 << 30)))
            client.send(frames.SettingsFrame(0, settings={4: 1 << 30}))
            for stream, folder in zip(odd(19), range(1, 20), strict=True):
                client.send(client.headers(stream, client.block(path=f"/{folder}?100")))
            began = [tmp_path / str(folder) / "progress" for folder in range(1, 20)]
            eventually(lambda: all(each.exists() for each in began))
            assert bystander.get("/0?0").status == 200
            assert memory(server.pid) - before < MOST_MEMORY
        eventually(lambda: all(each.read_text().endswith("closed\n") for each in began))


def test_slow_upload_holds_no_worker(server: Server) -> None:
    """Many bodies that do not come."""
    with Hostile(server.port) as client:
        heads = [
            client.headers(each, client.block(method="POST"), "END_HEADERS") for each in odd(100)
        ]
        client.send(*heads)
        client.send(*[frames.DataFrame(each, data=b"x" * 100) for each in odd(100)])
        with Polite(server.port) as other:
            assert other.get("/").status == 200


BROKEN: dict[str, tuple[Callable[[Hostile], list[frames.Frame | bytes]], int]] = {
    "data without a stream": (lambda _: [frames.DataFrame(1, data=b"x")], PROTOCOL_ERROR),
    "even stream": (lambda client: [client.headers(2)], PROTOCOL_ERROR),
    "older stream": (lambda client: [client.headers(5), client.headers(3)], PROTOCOL_ERROR),
    "push": (
        lambda client: [
            frames.PushPromiseFrame(
                1, promised_stream_id=2, data=client.block(), flags=["END_HEADERS"]
            )
        ],
        PROTOCOL_ERROR,
    ),
    "continuation without a head": (
        lambda _: [frames.ContinuationFrame(1, flags=["END_HEADERS"])],
        PROTOCOL_ERROR,
    ),
    "frame between head and continuation": (
        lambda client: [
            client.headers(1, client.block(), "END_STREAM"),
            frames.PingFrame(0, opaque_data=b"12345678"),
        ],
        PROTOCOL_ERROR,
    ),
    "frame too long": (lambda _: [b"\x00\x40\x01\0\0\0\0\0\x01" + bytes(16385)], FRAME_SIZE_ERROR),
    "connection's window": (
        lambda _: [frames.WindowUpdateFrame(0, window_increment=(1 << 31) - 1)],
        FLOW_CONTROL_ERROR,
    ),
    "window that grows by nothing": (
        lambda _: [b"\0\0\x04\x08\0\0\0\0\0" + bytes(4)],
        PROTOCOL_ERROR,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_protocol_ends_the_connection(server: Server, name: str) -> None:
    """With the code that RFC 9113 has for it."""
    make, code = BROKEN[name]
    with Hostile(server.port) as client:
        client.send(*make(client))
        assert client.goodbye() == code


MALFORMED = {
    "capitals": ("X-Upper", "1"),
    "connection": ("connection", "close"),
    "transfer-encoding": ("transfer-encoding", "chunked"),
    "upgrade": ("upgrade", "websocket"),
    "te": ("te", "gzip"),
    "late pseudo-header": (":path", "/other"),
    "unknown pseudo-header": (":protocol", "websocket"),
    "length without a body": ("content-length", "5"),
    "length that is no number": ("content-length", "+0"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_head_resets_its_stream(server: Server, name: str) -> None:
    """And it alone; it is in the log."""
    with Hostile(server.port) as client:
        client.encoder.header_table_size = 0
        client.send(client.headers(1, client.block(MALFORMED[name])))
        for frame in client.frames():
            if isinstance(frame, (frames.RstStreamFrame, frames.GoAwayFrame)):
                assert frame.error_code == PROTOCOL_ERROR
                break
        else:
            raise AssertionError("no reset")
    eventually(lambda: [each for each in server.access_records() if each["status"] == 400])


def test_idle_preface_is_closed_with_its_client(server: Server) -> None:
    """Half a preface, and a client that leaves."""
    for cut in (1, 10, 23):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
            client.sendall(PREFACE[:cut])
            client.shutdown(socket.SHUT_WR)
            client.recv(1024)
