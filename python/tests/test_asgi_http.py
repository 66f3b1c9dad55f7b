"""HTTP of an ASGI application, seen from the server's end of its worker's link."""

import asyncio
import os
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from asgi_edge import (
    ANNOUNCE_BEGIN,
    BEGUN,
    BODY,
    BODY_CREDIT,
    CANCEL,
    CHUNK,
    CUT_SHORT,
    DESCRIPTOR,
    FAILED,
    HINTS,
    LAST,
    RESPONSE,
    STREAMED_BODY,
    TRAILERS,
    Edge,
    memory_file,
    read_head,
    running,
)

WINDOW = 256 * 1024
CHUNK_SIZE = 64 * 1024


async def answer(send: Any, body: bytes = b"", status: int = 200, headers: Any = ()) -> None:
    """Send a whole answer."""
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def http(call: Any) -> Any:
    """Make an application of what answers HTTP."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise ValueError("no lifespan")
        await call(scope, receive, send)

    return application


class Seen:
    """What an application saw, for the test's thread."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._more = threading.Condition()

    def add(self, item: Any) -> None:
        """Note something."""
        with self._more:
            self.items.append(item)
            self._more.notify_all()

    def wait(self, count: int) -> list[Any]:
        """Return what was noted as soon as it is so much."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.items) >= count, 10), self.items
            return self.items


def scope_of(edge_request: dict[str, Any]) -> dict[str, Any]:
    """Return the scope that an application gets for a request."""
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        seen.add(scope)
        await answer(send)

    with running(http(call)) as edge:
        edge.get(**edge_request)
    scope: dict[str, Any] = seen.items[0]
    return scope


def test_scope_has_what_the_specification_names() -> None:
    scope = scope_of(
        {
            "path": "/grün/a b".encode(),
            "uri": b"/gr%C3%BCn/a%20b?x=%20y",
            "query": b"x=%20y",
            "method": b"PATCH",
            "headers": [(b"host", b"example.test"), (b"x-own", b"\xff")],
        }
    )
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "PATCH",
        "scheme": "http",
        "path": "/grün/a b",
        "raw_path": b"/gr%C3%BCn/a%20b",
        "query_string": b"x=%20y",
        "root_path": "",
        "headers": [(b"host", b"example.test"), (b"x-own", b"\xff")],
        "client": ("192.0.2.7", 4711),
        "server": ("127.0.0.1", 8000),
        "state": {},
        "extensions": {
            "http.response.early_hint": {},
            "http.response.pathsend": {},
            "http.response.trailers": {},
        },
    }


def test_scope_over_a_unix_socket_has_neither_client_nor_server() -> None:
    scope = scope_of({"client": (b"", 0), "server": (b"localhost", 0), "scheme": b"https"})
    assert (scope["client"], scope["server"], scope["scheme"]) == (None, None, "https")


def test_cookies_that_http_2_cut_are_one_header() -> None:
    headers = [(b"cookie", b"a=1"), (b"accept", b"*/*"), (b"cookie", b"b=2"), (b"cookie", b"c=3")]
    scope = scope_of({"headers": headers, "version": 20})
    assert scope["http_version"] == "2"
    assert scope["headers"] == [(b"cookie", b"a=1; b=2; c=3"), (b"accept", b"*/*")]


def test_path_that_is_not_utf_8_is_shown_without_its_bytes() -> None:
    scope = scope_of({"path": b"/\xff", "uri": b"/%FF"})
    assert (scope["path"], scope["raw_path"]) == ("/\ufffd", b"/%FF")


def test_identity_stands_in_the_scope_and_no_header_can_make_one() -> None:
    scope = scope_of({"identity": (b"the.to.ken", b'{"sub":"ann"}')})
    identity = scope["yett.identity"]
    assert (identity.token, identity.claims) == ("the.to.ken", {"sub": "ann"})
    assert "the.to.ken" not in repr(scope)
    scope = scope_of({"headers": [(b"yett.identity", b"x"), (b"yett-identity", b"x")]})
    assert "yett.identity" not in scope


def test_nothing_of_one_scope_is_seen_in_another() -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        seen.add([dict(scope["extensions"]), dict(scope["asgi"]), dict(scope["state"])])
        for inner in ("extensions", "asgi", "state"):
            scope[inner]["left behind"] = True
        await answer(send)

    with running(http(call)) as edge:
        edge.get()
        edge.get()
    assert seen.items[0] == seen.items[1]


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_whole_answer_is_one_frame(loop: str) -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"hello", 201, [(b"content-type", b"text/plain")])

    with running(http(call), loop=loop) as edge:
        head = edge.get()
    assert (head.status, head.body) == (201, b"hello")
    assert head.headers == [(b"content-type", b"text/plain")]


def test_unsafe_request_is_announced_before_the_application_is_called() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await answer(send)

    with running(http(call)) as edge:
        exchange = edge.request(method=b"POST", flags=ANNOUNCE_BEGIN)
        edge.expect(BEGUN, exchange)
        edge.answer(exchange)


def read_all(seen: Seen) -> Any:
    """Return an application that notes every event until the body's end, then answers."""

    async def call(scope: Any, receive: Any, send: Any) -> None:
        while True:
            event = await receive()
            seen.add(event)
            if event["type"] == "http.disconnect":
                return
            if not event["more_body"]:
                break
        await answer(send, b"read")

    return http(call)


def test_small_body_is_one_event() -> None:
    seen = Seen()
    with running(read_all(seen)) as edge:
        assert edge.get(method=b"POST", body=b"all").body == b"read"
        edge.get()
    assert seen.items == [
        {"type": "http.request", "body": b"all", "more_body": False},
        {"type": "http.request", "body": b"", "more_body": False},
    ]


def test_body_in_a_file_is_read_to_its_end() -> None:
    seen = Seen()
    content = os.urandom(150_000)
    with running(read_all(seen)) as edge:
        file = memory_file(content)
        edge.get(flags=DESCRIPTOR, descriptor=file, length=len(content))
        os.close(file)
    assert b"".join(event["body"] for event in seen.items) == content
    assert [event["more_body"] for event in seen.items] == [True, True, True, False]


def test_streamed_body_comes_piece_by_piece_and_gives_credit_back() -> None:
    seen = Seen()
    with running(read_all(seen)) as edge:
        exchange = edge.request(method=b"POST", flags=STREAMED_BODY, length=2**64 - 1)
        edge.send(BODY, b"one", exchange=exchange)
        seen.wait(1)
        credit = edge.expect(BODY_CREDIT, exchange)
        assert struct.unpack("<I", credit.payload) == (3,)
        edge.send(BODY, b"two", exchange=exchange, flags=LAST)
        edge.answer(exchange)
    assert seen.items == [
        {"type": "http.request", "body": b"one", "more_body": True},
        {"type": "http.request", "body": b"two", "more_body": False},
    ]


def test_end_of_a_streamed_body_may_come_alone() -> None:
    seen = Seen()
    with running(read_all(seen)) as edge:
        exchange = edge.request(flags=STREAMED_BODY)
        edge.send(BODY, b"", exchange=exchange, flags=LAST)
        edge.answer(exchange)
    assert seen.items == [{"type": "http.request", "body": b"", "more_body": False}]


def test_body_that_nobody_reads_gets_no_credit() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"unread")

    with running(http(call)) as edge:
        exchange = edge.request(flags=STREAMED_BODY)
        edge.send(BODY, b"x" * 1000, exchange=exchange)
        assert edge.answer(exchange).body == b"unread"
        edge.send(BODY, b"late", exchange=exchange, flags=LAST)
        assert edge.hears_nothing()


def test_body_that_is_cut_short_ends_in_a_disconnect_never_in_an_end() -> None:
    seen = Seen()
    with running(read_all(seen)) as edge:
        exchange = edge.request(flags=STREAMED_BODY, length=100)
        edge.send(BODY, b"half", exchange=exchange)
        edge.send(BODY, b"", exchange=exchange, flags=CUT_SHORT)
        while edge.next().kind == BODY_CREDIT:
            pass
    assert seen.items == [
        {"type": "http.request", "body": b"half", "more_body": True},
        {"type": "http.disconnect"},
    ]


def stream(edge: Edge, exchange: int) -> bytes:
    """Take a streamed answer to its end, giving credit."""
    frame = edge.expect(RESPONSE, exchange)
    body = read_head(frame.payload).body
    while not frame.is_last:
        edge.credit(exchange, len(body) if frame.kind == RESPONSE else len(frame.payload))
        frame = edge.expect(CHUNK, exchange)
        body += frame.payload
    return body


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_large_body_is_cut_into_chunks_and_waits_for_credit(loop: str) -> None:
    content = os.urandom(700_000)

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, content)

    with running(http(call), loop=loop) as edge:
        exchange = edge.request()
        frame = edge.expect(RESPONSE, exchange)
        head = read_head(frame.payload)
        assert head.headers == [(b"content-length", b"700000")]
        body = head.body
        while len(body) < WINDOW:
            body += edge.expect(CHUNK, exchange).payload
        assert len(body) == WINDOW
        assert edge.hears_nothing()
        while not frame.is_last:
            edge.credit(exchange, CHUNK_SIZE)
            frame = edge.expect(CHUNK, exchange)
            assert len(frame.payload) <= CHUNK_SIZE
            body += frame.payload
    assert body == content


def test_streamed_answer_is_sent_piece_by_piece() -> None:
    go_on = threading.Event()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await asyncio.to_thread(go_on.wait, 10)
        await send({"type": "http.response.body", "body": memoryview(b"second")})

    with running(http(call)) as edge:
        exchange = edge.request()
        frame = edge.expect(RESPONSE, exchange)
        assert not frame.is_last
        assert read_head(frame.payload).body == b"first"
        go_on.set()
        frame = edge.expect(CHUNK, exchange)
        assert (frame.payload, frame.is_last) == (b"second", True)


def test_senders_that_wait_for_credit_keep_their_order() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        pieces = [bytes([number]) * 100_000 for number in range(8)]
        events = [{"type": "http.response.body", "body": p, "more_body": True} for p in pieces]
        await asyncio.gather(*(asyncio.create_task(send(event)) for event in events))
        await send({"type": "http.response.body"})

    with running(http(call)) as edge:
        body = stream(edge, edge.request())
    assert body == b"".join(bytes([number]) * 100_000 for number in range(8))


def test_send_that_is_cancelled_while_it_waits_loses_no_byte() -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        large = {"type": "http.response.body", "body": b"a" * (WINDOW + 10), "more_body": True}
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(send(large), 0.01)
        seen.add("cancelled")
        await send({"type": "http.response.body", "body": b"end"})

    with running(http(call)) as edge:
        exchange = edge.request()
        body = read_head(edge.expect(RESPONSE, exchange).payload).body
        while len(body) < WINDOW:
            body += edge.expect(CHUNK, exchange).payload
        seen.wait(1)
        frame = None
        while frame is None or not frame.is_last:
            edge.credit(exchange, CHUNK_SIZE)
            frame = edge.expect(CHUNK, exchange)
            body += frame.payload
    assert body == b"a" * (WINDOW + 10) + b"end"


def test_length_that_is_known_ends_the_answer_with_its_last_byte() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"6")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        await send({"type": "http.response.body", "body": b"def", "more_body": True})
        await send({"type": "http.response.body"})

    with running(http(call)) as edge:
        exchange = edge.request()
        edge.expect(RESPONSE, exchange)
        assert edge.expect(CHUNK, exchange).is_last
        assert edge.hears_nothing()


def test_head_is_answered_without_a_body_but_with_its_length() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/whole":
            await answer(send, b"12345")
            return
        await send({"type": "http.response.start", "status": 200})
        for _ in range(3):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body"})

    with running(http(call)) as edge:
        head = edge.get(b"/whole", method=b"HEAD")
        assert (head.headers, head.body) == ([(b"content-length", b"5")], b"")
        head = edge.get(b"/streamed", method=b"HEAD")
        assert (head.headers, head.body) == ([], b"")
        assert edge.hears_nothing()


def test_answer_without_a_body_gets_none() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"no place for this", 304, [(b"content-length", b"17")])

    with running(http(call)) as edge:
        head = edge.get()
    assert (head.status, head.headers, head.body) == (304, [(b"content-length", b"17")], b"")


def test_hints_come_before_the_answer() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.early_hint", "links": [b"</a>; rel=preload", b"</b>"]})
        await answer(send, b"then")

    with running(http(call)) as edge:
        exchange = edge.request()
        hints = read_head(edge.expect(HINTS, exchange).payload)
        assert hints.headers == [(b"link", b"</a>; rel=preload"), (b"link", b"</b>")]
        assert edge.answer(exchange).body == b"then"


def test_trailers_end_the_answer() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        await send({"type": "http.response.body", "body": b"body"})
        one = {"type": "http.response.trailers", "headers": [(b"a", b"1")], "more_trailers": True}
        await send(one)
        await send({"type": "http.response.trailers", "headers": [(b"b", b"2")]})

    with running(http(call)) as edge:
        exchange = edge.request()
        frame = edge.expect(RESPONSE, exchange)
        assert not frame.is_last
        trailers = read_head(edge.expect(TRAILERS, exchange).payload)
        assert trailers.headers == [(b"a", b"1"), (b"b", b"2")]


def test_file_goes_as_a_descriptor(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content of the file")

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.pathsend", "path": str(file)})

    with running(http(call)) as edge:
        exchange = edge.request()
        frame = edge.expect(RESPONSE, exchange)
        assert frame.is_last
        head = read_head(frame.payload)
        assert head.headers == [(b"content-length", b"19")]
        assert struct.unpack("<QQ", head.body) == (0, 19)
        assert frame.descriptor is not None
        assert os.pread(frame.descriptor, 100, 0) == b"content of the file"
        os.close(frame.descriptor)
        head = edge.get(method=b"HEAD")
        assert (head.headers, head.body) == ([(b"content-length", b"19")], b"")


def test_what_is_no_file_is_not_sent(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.pathsend", "path": str(tmp_path) + scope["path"]})

    with running(http(call)) as edge:
        for path in (b"/pipe", b"/", b"/missing"):
            edge.expect(FAILED, edge.request(path))


def test_client_that_leaves_is_told_as_a_disconnect() -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        seen.add(await receive())
        seen.add(await receive())
        seen.add(await receive())
        # Goes nowhere, raises nothing, and stops nobody else.
        for _ in range(3):
            await answer(send)

    with running(http(call)) as edge:
        exchange = edge.request(body=b"x")
        seen.wait(1)
        edge.send(CANCEL, exchange=exchange)
        edge.expect(FAILED, exchange)
    assert [event["type"] for event in seen.items] == [
        "http.request",
        "http.disconnect",
        "http.disconnect",
    ]


def test_client_that_leaves_frees_who_waits_for_credit() -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"a" * (2 * WINDOW))
        seen.add("out")

    with running(http(call)) as edge:
        exchange = edge.request()
        got = len(read_head(edge.expect(RESPONSE, exchange).payload).body)
        while got < WINDOW:
            got += len(edge.expect(CHUNK, exchange).payload)
        edge.send(CANCEL, exchange=exchange)
        edge.expect(FAILED, exchange)
        assert seen.wait(1) == ["out"]


def test_application_that_never_stops_sending_does_not_stop_the_others() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/other":
            await answer(send, b"served")
            return
        await send({"type": "http.response.start", "status": 200})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    with running(http(call), grace=0.1) as edge:
        exchange = edge.request()
        edge.expect(RESPONSE, exchange)
        edge.send(CANCEL, exchange=exchange)
        edge.request(b"/other")
        while (frame := edge.next()).exchange == exchange:
            pass
        assert read_head(frame.payload).body == b"served"
        # It is given up when the worker leaves.


def test_receive_gives_the_disconnect_when_the_answer_is_out() -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        listening = asyncio.create_task(receive())
        await asyncio.sleep(0)
        assert not listening.done()
        await answer(send)
        seen.add(await listening)
        seen.add(await receive())

    with running(http(call)) as edge:
        edge.get()
    assert seen.items == [{"type": "http.disconnect"}] * 2


def test_receive_that_times_out_again_and_again_misses_nothing() -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(20):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(receive(), 0.001)
        seen.add("waited")
        seen.add(await receive())
        await answer(send)

    with running(http(call)) as edge:
        exchange = edge.request(flags=STREAMED_BODY)
        seen.wait(1)
        edge.send(BODY, b"late", exchange=exchange, flags=LAST)
        edge.answer(exchange)
    assert seen.items[1]["body"] == b"late"


def test_cancelled_error_passes_out_of_receive() -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        task = asyncio.create_task(receive())
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            seen.add("cancelled")
        await answer(send)

    with running(http(call)) as edge:
        edge.get()
    assert seen.items == ["cancelled"]


def test_each_request_is_a_task_with_a_context_of_its_own() -> None:
    import contextvars

    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        seen.add((asyncio.current_task(), variable.get()))
        variable.set(1)
        async with asyncio.timeout(5) if hasattr(asyncio, "timeout") else _nothing():
            await asyncio.sleep(0)
        await answer(send)

    with running(http(call)) as edge:
        edge.get()
        edge.get()
    tasks = [task for task, _ in seen.items]
    assert None not in tasks
    assert tasks[0] is not tasks[1]
    assert [value for _, value in seen.items] == [0, 0]


class _nothing:
    async def __aenter__(self) -> None: ...
    async def __aexit__(self, *_: object) -> None: ...


def test_requests_run_beside_each_other() -> None:
    meeting: list[asyncio.Event] = []

    async def call(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/waits":
            meeting.append(asyncio.Event())
            await meeting[0].wait()
        else:
            meeting[0].set()
        await answer(send, scope["path"].encode())

    with running(http(call)) as edge:
        first = edge.request(b"/waits")
        second = edge.request(b"/wakes")
        assert edge.answer(second).body == b"/wakes"
        assert edge.answer(first).body == b"/waits"
