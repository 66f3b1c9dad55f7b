"""Two clients: one that keeps the rules, on Python's h2, and one that sends what it likes."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import hpack
import hyperframe.frame as frames

from ..wire import PATIENCE

#: Error codes of RFC 9113 section 7.
NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED = 0, 1, 3, 5
FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL = 6, 7, 8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 9, 11

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def connect(port: int) -> socket.socket:
    """Return a connection whose every step is bounded."""
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def take_frame(received: bytearray) -> bytes | None:
    """Take the first frame out of what came, if it is whole."""
    whole = 9 + int.from_bytes(received[:3], "big")
    if len(received) < whole:
        return None
    frame = bytes(received[:whole])
    del received[:whole]
    return frame


@dataclass
class Answer:
    """What came on one stream."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    interim: list[dict[str, str]] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    reset: int | None = None

    @property
    def status(self) -> int:
        """Return the status."""
        return int(self.headers[":status"])


class Polite:
    """Several requests at a time, each answered as it comes; a context manager."""

    def __init__(self, port: int) -> None:
        """Connect and greet."""
        self._socket = connect(port)
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.protocol = h2.connection.H2Connection(config)
        self.protocol.initiate_connection()
        self.answers: dict[int, Answer] = {}
        self.goodbye: int | None = None
        self._received = bytearray()
        self.flush()

    def __enter__(self) -> "Polite":
        return self

    def __exit__(self, *_exc: object) -> None:
        self._socket.close()

    def flush(self) -> None:
        """Send what the protocol has to say."""
        self._socket.sendall(self.protocol.data_to_send())

    def ask(self, method: str, path: str, *headers: tuple[str, str], end: bool = True) -> int:
        """Send a request; return its stream."""
        stream: int = self.protocol.get_next_available_stream_id()
        head = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "x")]
        self.protocol.send_headers(stream, [*head, *headers], end_stream=end)
        self.answers[stream] = Answer()
        self.flush()
        return stream

    def send(self, stream: int, body: bytes) -> None:
        """Send a whole body as the server's windows allow."""
        left = memoryview(body)
        while left:
            room = self.protocol.local_flow_control_window(stream)
            room = min(room, self.protocol.max_outbound_frame_size, len(left))
            if not room:
                self.hear()
                continue
            self.protocol.send_data(stream, bytes(left[:room]))
            left = left[room:]
            self.flush()
        self.protocol.end_stream(stream)
        self.flush()

    def hear(self) -> bool:
        """Take in what comes next; return false at the end."""
        data = self._socket.recv(65536)
        if not data:
            return False
        self._received += data
        # The library takes any frame behind a GOAWAY for an error, though answers may follow
        # (RFC 9113 section 6.8): so it gets none. Every other error is the server's.
        while self.goodbye is None and (frame := take_frame(self._received)):
            for event in self.protocol.receive_data(frame):
                self._note(event)
        self.flush()
        return True

    def _note(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goodbye = int(event.error_code or 0)
            return
        answer = self.answers.get(getattr(event, "stream_id", None) or 0)
        if answer is None:
            return
        match event:
            case h2.events.InformationalResponseReceived():
                answer.interim.append(dict(event.headers))
            case h2.events.ResponseReceived():
                answer.headers = dict(event.headers)
            case h2.events.TrailersReceived():
                answer.trailers = dict(event.headers)
            case h2.events.DataReceived():
                answer.body += event.data
                self.protocol.acknowledge_received_data(
                    event.flow_controlled_length, event.stream_id
                )
            case h2.events.StreamEnded():
                answer.ended = True
            case h2.events.StreamReset():
                answer.reset = int(event.error_code)

    def until(self, check: Callable[[], object]) -> None:
        """Take in what comes until this is true."""
        while not check():
            assert self.hear(), "the connection has ended"

    def answer(self, stream: int) -> Answer:
        """Return the whole answer."""
        answer = self.answers[stream]
        self.until(lambda: answer.ended or answer.reset is not None)
        return answer

    def get(self, path: str, *headers: tuple[str, str]) -> Answer:
        """GET, and the whole answer."""
        return self.answer(self.ask("GET", path, *headers))


class Hostile:
    """Sends frames, also such as no client may send; a context manager."""

    def __init__(self, port: int, *, greet: bool = True) -> None:
        """Connect; with a greeting, exchange SETTINGS."""
        self.socket = connect(port)
        self.encoder = hpack.Encoder()
        self._received = bytearray()
        if greet:
            ack = frames.SettingsFrame(0, flags=["ACK"])
            self.send(PREFACE, frames.SettingsFrame(0), ack)

    def __enter__(self) -> "Hostile":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.socket.close()

    def block(self, *headers: tuple[str, str], method: str = "GET", path: str = "/") -> bytes:
        """Return a header block."""
        head = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "x")]
        return self.encoder.encode([*head, *headers])

    def headers(self, stream: int, block: bytes | None = None, *flags: str) -> frames.HeadersFrame:
        """Return HEADERS that end both block and stream, unless flags say otherwise."""
        block = self.block() if block is None else block
        return frames.HeadersFrame(stream, data=block, flags=flags or ("END_HEADERS", "END_STREAM"))

    def send(self, *pieces: frames.Frame | bytes) -> bool:
        """Send frames and bytes; return false when the server takes no more."""
        data = [piece if isinstance(piece, bytes) else piece.serialize() for piece in pieces]
        try:
            self.socket.sendall(b"".join(data))
        except OSError:
            return False
        return True

    def frames(self) -> Iterator[frames.Frame]:
        """Yield what comes until the connection ends."""
        while True:
            while whole := take_frame(self._received):
                frame, _length = frames.Frame.parse_frame_header(memoryview(whole[:9]))
                frame.parse_body(memoryview(whole[9:]))
                yield frame
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return
            if not data:
                return
            self._received += data

    def goodbye(self) -> int:
        """Return the code of the GOAWAY that ends the connection."""
        code = None
        for frame in self.frames():
            if isinstance(frame, frames.GoAwayFrame):
                code = frame.error_code
        assert code is not None, "the connection ended without a word"
        return int(code)

    def resets(self, count: int) -> dict[int, int]:
        """Return the codes of so many streams that are reset."""
        found: dict[int, int] = {}
        for frame in self.frames():
            if isinstance(frame, frames.RstStreamFrame):
                found[frame.stream_id] = frame.error_code
            if len(found) == count:
                return found
        raise AssertionError(f"the connection ended after {found}")
