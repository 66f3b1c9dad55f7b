"""One client connection, byte for byte: what the tests say and what they hear.

Answers are read with `http.client`, which refuses a body that ends before its announced length;
several answers can be read from one connection, as pipelining needs it.
"""

import http.client
import io
import json
import socket
from dataclasses import dataclass
from email.message import Message
from typing import Any

#: Seconds after which a silent server is a failed test.
PATIENCE = 15.0

#: A `Host` line, for requests that are about something else.
HOST = b"Host: 127.0.0.1\r\n"


@dataclass(frozen=True)
class Answer:
    """A response that was read to its end."""

    status: int
    reason: str
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """Return the body as what its JSON says."""
        return json.loads(self.body)


class _Borrowed:
    """A reader that several responses use one after the other: closing it does nothing."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def makefile(self, _mode: str) -> "_Borrowed":
        return self

    def close(self) -> None:
        pass

    def flush(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Wire:
    """A connection to a server; a context manager."""

    def __init__(self, address: str, *, receive_buffer: int | None = None) -> None:
        """Connect to an address as the banner prints it: `http://host:port` or `unix:path`."""
        if address.startswith("unix:"):
            family, target = socket.AF_UNIX, address.removeprefix("unix:")
        else:
            host, _, port = address.removeprefix("http://").rpartition(":")
            family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
            target = (host.strip("[]"), int(port))
        self.socket = socket.socket(family)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(target)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; with unread bytes in it, the kernel resets it."""
        self.file.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def ask(self, method: str, target: str, *headers: str, body: bytes = b"") -> None:
        """Send a request; a body gets its Content-Length."""
        lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def hear(self, method: str = "GET") -> Answer:
        """Read one answer to its end."""
        response = self.begin(method)
        body = response.read()
        return Answer(response.status, response.reason, response.headers, body)

    def begin(self, method: str = "GET") -> http.client.HTTPResponse:
        """Read an answer's head; the body is the caller's to read."""
        response = http.client.HTTPResponse(_Borrowed(self.file), method=method)  # type: ignore[arg-type]
        response.begin()
        return response

    def get(self, target: str, *headers: str) -> Answer:
        """Ask and hear."""
        self.ask("GET", target, *headers)
        return self.hear()

    def line(self) -> bytes:
        """Read one line; empty when the server has closed."""
        return self.file.readline()

    def rest(self) -> bytes:
        """Read until the server closes. A reset ends it as well: what came before is returned."""
        pieces = bytearray()
        try:
            while piece := self.file.read1(65536):
                pieces += piece
        except ConnectionResetError:
            pass
        return bytes(pieces)

    def is_closed_by_server(self) -> bool:
        """Whether the server closes without another byte."""
        return self.rest() == b""


def chunked(*pieces: bytes) -> bytes:
    """Return a body in the chunked transfer coding, with its end."""
    coded = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return coded + b"0\r\n\r\n"
