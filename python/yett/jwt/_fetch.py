"""Fetches one document over HTTP with urllib, as a whole within a time.

urllib's own `timeout` counts anew for each read, so that a server which sends a byte now and then
holds its reader for ever. Here every step on a socket gets the time that is left. Only a name's
resolution cannot be bounded: it takes as long as the system's resolver.
"""

import http.client
import io
import socket
import time
import urllib.request
from collections.abc import Callable
from ssl import SSLContext
from typing import Any, Final


class NoRedirectHandler(urllib.request.HTTPRedirectHandler):
    """Whoever answers for the configured address must not be able to name another one."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None


class Deadline:
    """A moment on the monotonic clock by which all must be done."""

    def __init__(self, seconds: float) -> None:
        self._end: Final = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then; `TimeoutError` when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


def handlers(
    deadline: Deadline, ssl_context: SSLContext | None
) -> list[urllib.request.BaseHandler]:
    """What `urllib.request.build_opener` takes."""
    return [NoRedirectHandler(), _Plain(deadline), _Secure(deadline, ssl_context)]


class _Plain(urllib.request.HTTPHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_opener(http.client.HTTPConnection, self._deadline), req)


class _Secure(urllib.request.HTTPSHandler):
    def __init__(self, deadline: Deadline, context: SSLContext | None) -> None:
        super().__init__(context=context)
        self._deadline = deadline
        self._given = context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        opener = _opener(http.client.HTTPSConnection, self._deadline)
        return self.do_open(opener, req, context=self._given)


def _opener(kind: type[http.client.HTTPConnection], deadline: Deadline) -> Any:
    """Makes connections of a kind, on which every step is bounded."""

    def connect(
        address: tuple[str, int], timeout: object = None, source: Any = None
    ) -> socket.socket:
        connected = _connected(address, deadline, source)
        # For the handshake of TLS and for sending: each of them counts it once, as a whole.
        connected.settimeout(deadline.left())
        return connected

    def answer(sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:
        return _Answer(sock, deadline, *args, **kwargs)

    def open_one(host: str, **kwargs: Any) -> http.client.HTTPConnection:
        connection = kind(host, **kwargs)
        connection._create_connection = connect  # type: ignore[attr-defined]
        connection.response_class = answer  # type: ignore[assignment]
        return connection

    return open_one


def _connected(address: tuple[str, int], deadline: Deadline, source: Any) -> socket.socket:
    """The first of the name's addresses that answers; they share the time."""
    failure = OSError("the name has no address")
    for family, kind, protocol, _, place in socket.getaddrinfo(*address, 0, socket.SOCK_STREAM):
        one = socket.socket(family, kind, protocol)
        try:
            one.settimeout(deadline.left())
            if source:
                one.bind(source)
            one.connect(place)
            return one
        except OSError as error:
            one.close()
            failure = error
    raise failure


class _Answer(http.client.HTTPResponse):
    """A response whose headers and body come within the time."""

    def __init__(self, sock: socket.socket, deadline: Deadline, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_Timed(raw, sock.settimeout, deadline))


class _Timed(io.RawIOBase):
    """The reading end of a socket; each read gets the time that is left."""

    def __init__(
        self, raw: io.RawIOBase, set_timeout: Callable[[float], None], deadline: Deadline
    ) -> None:
        self._raw, self._set_timeout, self._deadline = raw, set_timeout, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._set_timeout(self._deadline.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
