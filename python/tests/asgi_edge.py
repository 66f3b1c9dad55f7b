"""The server's side of an event-loop worker's link, in raw frames, and a worker at its other end.

The worker runs in a thread of the test's process, with a loop of its own.
"""

import array
import contextlib
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from yett._yett import LoopLink
from yett.worker.asgi import LoopSettings, Worker
from yett.worker.load import LoadError
from yett.worker.zygote import UNFIT

LAST, DESCRIPTOR, ANNOUNCE_BEGIN, STREAMED_BODY = 1, 2, 4, 8
WEBSOCKET, TEXT, CUT_SHORT, MORE = 16, 32, 64, 128

REQUEST, CREDIT, CANCEL, DRAIN, BODY, MESSAGE, DISCONNECT, PING = range(1, 9)
READY, BEGUN, RESPONSE, CHUNK, FAILED, BODY_CREDIT = range(16, 22)
HINTS, TRAILERS, ACCEPT, REPLY, CLOSE, PONG = range(22, 28)

#: Seconds after which a test that waits for a frame has failed.
PATIENCE = 10.0


@dataclass(frozen=True)
class Frame:
    """A frame of the worker's."""

    kind: int
    flags: int
    exchange: int
    payload: bytes
    descriptor: int | None = None

    @property
    def is_last(self) -> bool:
        """Whether it says that the exchange ends with it."""
        return bool(self.flags & LAST)


@dataclass(frozen=True)
class Head:
    """What a `Response` frame says."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def texts(*fields: bytes) -> bytes:
    """Write byte strings with their lengths."""
    return b"".join(struct.pack("<I", len(field)) + field for field in fields)


def read_head(payload: bytes) -> Head:
    """Read a head and what stands behind it."""
    (status,) = struct.unpack_from("<H", payload)
    _reason, at = _text(payload, 2)
    (count,) = struct.unpack_from("<H", payload, at)
    at += 2
    headers = []
    for _ in range(count):
        name, at = _text(payload, at)
        value, at = _text(payload, at)
        headers.append((name, value))
    return Head(status, headers, payload[at:])


def _text(payload: bytes, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from("<I", payload, at)
    return payload[at + 4 : at + 4 + length], at + 4 + length


class Edge:
    """The server's end of the link."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._socket.settimeout(PATIENCE)
        self._inbox = b""
        self._descriptors: list[int] = []
        self._last = 0

    def request(
        self,
        path: bytes = b"/",
        headers: list[tuple[bytes, bytes]] | None = None,
        body: bytes = b"",
        *,
        method: bytes = b"GET",
        flags: int = 0,
        scheme: bytes = b"http",
        query: bytes = b"",
        uri: bytes | None = None,
        version: int = 11,
        client: tuple[bytes, int] = (b"192.0.2.7", 4711),
        server: tuple[bytes, int] = (b"127.0.0.1", 8000),
        identity: tuple[bytes, bytes] | None = None,
        length: int | None = None,
        descriptor: int | None = None,
    ) -> int:
        """Send a request; return the number of its exchange."""
        self._last += 1
        fields = headers or []
        payload = struct.pack("<B", version) + texts(method, scheme, path, query, uri or path)
        payload += texts(client[0]) + struct.pack("<H", client[1])
        payload += texts(server[0]) + struct.pack("<H", server[1])
        payload += b"\0" if identity is None else b"\1" + texts(*identity)
        # In clear text.
        payload += b"\0"
        payload += struct.pack("<H", len(fields))
        payload += b"".join(b"\0" + texts(name, value) for name, value in fields)
        payload += struct.pack("<Q", len(body) if length is None else length) + texts(body)
        self.send(REQUEST, payload, flags=flags, exchange=self._last, descriptor=descriptor)
        return self._last

    def send(
        self,
        kind: int,
        payload: bytes = b"",
        *,
        flags: int = 0,
        exchange: int = 0,
        descriptor: int | None = None,
    ) -> None:
        """Send a frame."""
        data = struct.pack("<IBBHQ", len(payload), kind, flags, 0, exchange) + payload
        if descriptor is None:
            self._socket.sendall(data)
            return
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
        sent = self._socket.sendmsg([data], [rights])
        self._socket.sendall(data[sent:])

    def credit(self, exchange: int, length: int) -> None:
        """Let the worker send so many bytes more."""
        self.send(CREDIT, struct.pack("<I", length), exchange=exchange)

    def next(self) -> Frame:
        """Return the worker's next frame; fail when none comes."""
        while (frame := self._cut()) is None:
            data, ancillary, _flags, _address = self._socket.recvmsg(
                1 << 16, socket.CMSG_SPACE(4 * 4)
            )
            assert data, "the worker closed its link"
            for _level, _kind, rights in ancillary:
                self._descriptors += array.array("i", rights[: len(rights) - len(rights) % 4])
            self._inbox += data
        return frame

    def _cut(self) -> Frame | None:
        if len(self._inbox) < 16:
            return None
        length, kind, flags, _zero, exchange = struct.unpack_from("<IBBHQ", self._inbox)
        if len(self._inbox) < 16 + length:
            return None
        payload, self._inbox = self._inbox[16 : 16 + length], self._inbox[16 + length :]
        descriptor = None
        if kind == RESPONSE and flags & DESCRIPTOR:
            descriptor = self._descriptors.pop(0)
        return Frame(kind, flags, exchange, payload, descriptor)

    def expect(self, kind: int, exchange: int | None = None) -> Frame:
        """Return the next frame, which must be of this kind."""
        frame = self.next()
        assert frame.kind == kind, f"expected a frame of kind {kind}, but came {frame}"
        assert exchange is None or frame.exchange == exchange
        return frame

    def answer(self, exchange: int) -> Head:
        """Return an answer that comes in one frame."""
        frame = self.expect(RESPONSE, exchange)
        assert frame.is_last
        return read_head(frame.payload)

    def get(self, path: bytes = b"/", **how: Any) -> Head:
        """Ask and return an answer that comes in one frame."""
        return self.answer(self.request(path, **how))

    def hears_nothing(self) -> bool:
        """Whether the worker sends nothing: it answers a ping, and nothing came before."""
        self.send(PING)
        return self.next().kind == PONG

    def close(self) -> None:
        """Be gone."""
        self._socket.close()


class Running:
    """A worker in a thread, and the server's end of its link."""

    def __init__(self, application: Any, settings: LoopSettings) -> None:
        near, far = socket.socketpair()
        # The edge's first word: frames follow on this socket.
        near.sendall(b"\0")
        self.edge = Edge(near)
        self.code: int | None = None
        self._thread = threading.Thread(
            target=self._run, args=(application, far.detach(), settings), daemon=True
        )
        self._thread.start()

    def _run(self, application: Any, descriptor: int, settings: LoopSettings) -> None:
        try:
            self.code = Worker(application, LoopLink(descriptor), settings).run()
        except LoadError as error:
            # The zygote's part: it passes the reason on.
            print(error.summary, file=sys.stderr)
            self.code = UNFIT

    def wait(self) -> int:
        """Wait until the worker has left; return its exit code."""
        self._thread.join(PATIENCE)
        assert self.code is not None, "the worker does not leave"
        return self.code

    def stop(self) -> int:
        """Have the worker leave in order; return its exit code."""
        self.edge.send(DRAIN)
        return self.wait()


@contextlib.contextmanager
def running(application: Any, loop: str = "asyncio", **settings: Any) -> Iterator[Edge]:
    """Run a worker; it must leave in order at the end."""
    worker = Running(application, LoopSettings(loop=loop, **settings))
    worker.edge.expect(READY)
    yield worker.edge
    assert worker.stop() == 0


def memory_file(content: bytes) -> int:
    """Return the descriptor of a nameless file that stands at its start."""
    descriptor = os.memfd_create("test")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
