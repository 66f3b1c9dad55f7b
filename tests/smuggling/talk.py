"""Sends a case to a server, and says what came of it."""

import re
import socket

from .corpus import PROBE

#: Seconds after which a server that says nothing and does not close is taken to wait for more.
SILENCE = 2.0
#: Seconds until a server that has said nothing at all, though no more will come, is given up: on a
#: busy machine it may only be slow, and silence must not be taken for a refusal.
PATIENCE = 10.0
MOST = 200

HEAD = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
CHUNK = re.compile(rb"transfer-encoding: *chunked", re.IGNORECASE)


def outcome(port: int, data: bytes, *, host: str = "127.0.0.1") -> str:
    """Send a case and the probe; return statuses and what the application saw."""
    received = bytearray()
    waits = False
    with socket.create_connection((host, port), timeout=15) as wire:
        try:
            wire.sendall(data + PROBE)
            wire.settimeout(SILENCE)
            while True:
                try:
                    piece = wire.recv(65536)
                except TimeoutError:
                    if waits:
                        break
                    try:
                        wire.shutdown(socket.SHUT_WR)
                    except OSError:
                        # It was cut in this very moment: that is no waiting.
                        break
                    waits = True
                    if not received:
                        wire.settimeout(PATIENCE)
                    continue
                if not piece:
                    break
                received += piece
                wire.settimeout(SILENCE)
        except (ConnectionResetError, BrokenPipeError):
            pass
    told = ", ".join(answers(bytes(received)))
    if waits:
        return f"{told}, waits" if told else "waits"
    return told or "closes"


def answers(received: bytes) -> list[str]:
    """Return each answer; informational ones are passed over."""
    found: list[str] = []
    rest = received
    while rest and len(found) < MOST:
        head = HEAD.match(rest)
        if head is None:
            # A server that speaks of HTTP/0.9 answers without a head.
            found.append("no HTTP")
            break
        rest = rest[head.end() :]
        status = int(head[1])
        if status < 200:
            continue
        length = LENGTH.search(head[2])
        if CHUNK.search(head[2]):
            body, rest = dechunked(rest)
        elif status in (204, 304):
            body = b""
        else:
            count = int(length[1]) if length else len(rest)
            body = rest[:count]
            if rest.startswith(b"HTTP/1."):
                # The answer to a HEAD.
                body = b""
            rest = rest[len(body) :]
        seen = body.decode("latin-1") if status == 200 and b" b'" in body else ""
        found.append(f"{status} {seen}".strip())
    return found


def dechunked(coded: bytes) -> tuple[bytes, bytes]:
    """Return the body in the chunked transfer coding, and what stands behind it."""
    body = b""
    while True:
        size, _, coded = coded.partition(b"\r\n")
        try:
            count = int(size.split(b";")[0], 16)
        except ValueError:
            return body, b""
        body += coded[:count]
        coded = coded[count + 2 :]
        if count == 0:
            return body, coded
