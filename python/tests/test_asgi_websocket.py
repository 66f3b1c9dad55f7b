"""WebSockets of an ASGI application, seen from the server's end of its worker's link."""

import os
import struct
from typing import Any

import pytest

from asgi_edge import (
    ACCEPT,
    BODY_CREDIT,
    CANCEL,
    CLOSE,
    DISCONNECT,
    FAILED,
    MESSAGE,
    MORE,
    REPLY,
    TEXT,
    WEBSOCKET,
    Edge,
    read_head,
    running,
)
from test_asgi_http import Seen, http

WINDOW = 256 * 1024
ACCEPTED = {"type": "websocket.accept"}


def connect(edge: Edge, path: bytes = b"/", **how: Any) -> int:
    """Ask for a WebSocket; return the number of its exchange."""
    return edge.request(path, flags=WEBSOCKET, **how)


def close_of(payload: bytes) -> tuple[int, str]:
    """Read a `Close` frame."""
    (code,) = struct.unpack_from("<H", payload)
    return code, payload[2:].decode()


def leave(edge: Edge, exchange: int, code: int = 1001, reason: str = "") -> None:
    """Let the client go."""
    edge.send(DISCONNECT, struct.pack("<H", code) + reason.encode(), exchange=exchange)


def test_scope_of_a_websocket_names_the_subprotocols() -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        seen.add(scope)
        seen.add(await receive())
        await send({"type": "websocket.close"})

    headers = [(b"sec-websocket-protocol", b"a, b"), (b"sec-websocket-protocol", b"c")]
    with running(http(call)) as edge:
        head = edge.answer(connect(edge, b"/ws", headers=headers, scheme=b"https"))
    scope, event = seen.items
    assert event == {"type": "websocket.connect"}
    assert (scope["type"], scope["scheme"], scope["path"]) == ("websocket", "wss", "/ws")
    assert scope["subprotocols"] == ["a", "b", "c"]
    assert scope["asgi"]["spec_version"] == "2.4"
    assert "websocket.http.response" in scope["extensions"]
    assert "method" not in scope
    assert (head.status, head.body) == (403, b"")


def test_accept_carries_subprotocol_and_headers() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(ACCEPTED | {"subprotocol": "b", "headers": [(b"x-own", b"1")]})
        await send({"type": "websocket.close", "code": 4001, "reason": "done"})

    with running(http(call)) as edge:
        exchange = connect(edge)
        head = read_head(edge.expect(ACCEPT, exchange).payload)
        assert head.status == 101
        assert head.headers == [(b"x-own", b"1"), (b"sec-websocket-protocol", b"b")]
        assert close_of(edge.expect(CLOSE, exchange).payload) == (4001, "done")


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Send back what comes, until the client leaves."""
    await receive()
    await send(ACCEPTED)
    while (event := await receive())["type"] == "websocket.receive":
        back = {"text": event["text"]} if "text" in event else {"bytes": event["bytes"]}
        await send({"type": "websocket.send", **back})


def test_text_and_bytes_go_both_ways() -> None:
    with running(http(echo)) as edge:
        exchange = connect(edge)
        edge.expect(ACCEPT, exchange)
        edge.send(MESSAGE, "grün".encode(), exchange=exchange, flags=TEXT)
        frame = edge.expect(REPLY, exchange)
        assert (frame.payload.decode(), frame.flags) == ("grün", TEXT)
        edge.send(MESSAGE, b"\xff\x00", exchange=exchange)
        frame = edge.expect(REPLY, exchange)
        assert (frame.payload, frame.flags) == (b"\xff\x00", 0)
        edge.send(MESSAGE, b"", exchange=exchange)
        assert edge.expect(REPLY, exchange).payload == b""
        leave(edge, exchange)
        edge.expect(FAILED, exchange)


def test_pieces_of_a_message_are_joined() -> None:
    with running(http(echo)) as edge:
        exchange = connect(edge)
        edge.expect(ACCEPT, exchange)
        text = "grün".encode()
        # Cut in the middle of a letter.
        edge.send(MESSAGE, text[:3], exchange=exchange, flags=TEXT | MORE)
        edge.send(MESSAGE, text[3:], exchange=exchange, flags=TEXT)
        assert edge.expect(REPLY, exchange).payload == text
        leave(edge, exchange)
        edge.expect(FAILED, exchange)


def test_large_messages_are_under_credit_both_ways() -> None:
    content = os.urandom(WINDOW + 100_000)
    with running(http(echo)) as edge:
        exchange = connect(edge)
        edge.expect(ACCEPT, exchange)
        sent = credit = 0
        while sent < len(content):
            if sent - credit > WINDOW - 65536:
                frame = edge.expect(BODY_CREDIT, exchange)
                credit += struct.unpack("<I", frame.payload)[0]
                continue
            piece = content[sent : sent + 65536]
            sent += len(piece)
            more = MORE if sent < len(content) else 0
            edge.send(MESSAGE, piece, exchange=exchange, flags=more)
        back = b""
        while len(back) < len(content):
            frame = edge.next()
            if frame.kind == BODY_CREDIT:
                continue
            assert frame.kind == REPLY
            back += frame.payload
            assert bool(frame.flags & MORE) == (len(back) < len(content))
            edge.credit(exchange, len(frame.payload))
        assert back == content
        leave(edge, exchange)
        edge.expect(FAILED, exchange)


def test_messages_that_nobody_takes_get_no_credit() -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(ACCEPTED)
        while (event := await receive())["type"] == "websocket.receive":
            seen.add(event["bytes"])
            if event["bytes"] == b"go on":
                break
        await send({"type": "websocket.close"})

    with running(http(call)) as edge:
        exchange = connect(edge)
        edge.expect(ACCEPT, exchange)
        for _ in range(3):
            edge.send(MESSAGE, b"x" * 1000, exchange=exchange)
        seen.wait(3)
        assert edge.hears_nothing(), "small debts are gathered"
        edge.send(MESSAGE, b"go on", exchange=exchange)
        edge.expect(CLOSE, exchange)


def test_refusal_may_be_an_ordinary_response() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
        body = {"type": "websocket.http.response.body", "body": b"not "}
        await send(body | {"more_body": True})
        await send(body | {"body": b"you"})

    with running(http(call)) as edge:
        head = edge.answer(connect(edge))
    assert (head.status, head.body) == (401, b"not you")
    assert head.headers == [(b"content-type", b"text/plain")]


@pytest.mark.parametrize("accepted", [False, True])
def test_client_that_leaves_is_told_with_code_and_reason(accepted: bool) -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if accepted:
            await send(ACCEPTED)
        seen.add(await receive())
        seen.add(await receive())
        if accepted:
            with pytest.raises(OSError, match="left"):
                await send({"type": "websocket.send", "text": "too late"})
            await send({"type": "websocket.close"})

    with running(http(call)) as edge:
        exchange = connect(edge)
        if accepted:
            edge.expect(ACCEPT, exchange)
        leave(edge, exchange, 1001, "away")
        edge.expect(FAILED, exchange)
    told = {"type": "websocket.disconnect", "code": 1001, "reason": "away"}
    assert seen.items == [told, told]


def test_cancelled_websocket_is_a_disconnect_without_a_farewell() -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        seen.add(await receive())

    with running(http(call)) as edge:
        exchange = connect(edge)
        edge.send(CANCEL, exchange=exchange)
        edge.expect(FAILED, exchange)
    assert seen.items == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]


def test_messages_that_came_before_the_farewell_are_heard_first() -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(ACCEPTED)
        while True:
            event = await receive()
            seen.add(event["type"])
            if event["type"] == "websocket.disconnect":
                return

    with running(http(call)) as edge:
        exchange = connect(edge)
        edge.expect(ACCEPT, exchange)
        edge.send(MESSAGE, b"last words", exchange=exchange)
        leave(edge, exchange)
        edge.expect(FAILED, exchange)
    assert seen.items == ["websocket.receive", "websocket.disconnect"]


@pytest.mark.parametrize(
    ("raises", "accepts", "code"), [(False, True, 1000), (True, True, 1011), (True, False, None)]
)
def test_websocket_that_its_application_leaves_is_closed(
    raises: bool, accepts: bool, code: int | None
) -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if accepts:
            await send(ACCEPTED)
        if raises:
            raise ValueError("broken")

    with running(http(call)) as edge:
        exchange = connect(edge)
        if accepts:
            edge.expect(ACCEPT, exchange)
            assert close_of(edge.expect(CLOSE, exchange).payload) == (code, "")
        else:
            edge.expect(FAILED, exchange)


def test_text_that_is_not_utf_8_closes_the_websocket() -> None:
    with running(http(echo)) as edge:
        exchange = connect(edge)
        edge.expect(ACCEPT, exchange)
        edge.send(MESSAGE, b"\xff", exchange=exchange, flags=TEXT)
        assert close_of(edge.expect(CLOSE, exchange).payload)[0] == 1007


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([{"type": "websocket.send", "text": "x"}], "expected websocket.accept"),
        ([ACCEPTED, ACCEPTED], "expected websocket.send or websocket.close"),
        ([ACCEPTED, {"type": "websocket.send"}], "either 'text' or 'bytes'"),
        ([ACCEPTED, {"type": "websocket.send", "text": "x", "bytes": b"x"}], "either"),
        ([ACCEPTED, {"type": "websocket.send", "text": b"x"}], "must be a str"),
        ([ACCEPTED, {"type": "websocket.close", "code": "x"}], "must be an int"),
        ([ACCEPTED, {"type": "websocket.close", "reason": "x" * 124}], "longer than 123"),
        ([ACCEPTED, {"type": "websocket.close"}, {"type": "websocket.close"}], "is closed"),
        ([{"type": "websocket.close"}, ACCEPTED], "is closed"),
        ([{"type": "http.response.start", "status": 200}], "expected websocket.accept"),
    ],
)
def test_what_has_no_place_raises_where_it_is_sent(events: list[Any], error: str) -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        *fine, wrong = events
        for event in fine:
            await send(event)
        with pytest.raises((RuntimeError, TypeError, ValueError)) as raised:
            await send(wrong)
        seen.add(str(raised.value))

    with running(http(call)) as edge:
        connect(edge)
        assert error in seen.wait(1)[0]
