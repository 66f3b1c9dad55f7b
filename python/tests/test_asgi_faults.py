"""What an application does wrong, how its worker starts and leaves, and what is awaited how."""

import asyncio
import threading
from typing import Any

import pytest

from asgi_edge import (
    CANCEL,
    DRAIN,
    FAILED,
    PING,
    PONG,
    READY,
    RESPONSE,
    Running,
    read_head,
    running,
)
from test_asgi_http import Seen, answer, http
from yett.worker.asgi import LoopSettings
from yett.worker.zygote import UNFIT

START = {"type": "http.response.start", "status": 200}
BODY = {"type": "http.response.body", "body": b"x"}


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([BODY], "expected http.response.start"),
        ([START, START], "expected http.response.body"),
        ([START, BODY, BODY], "expected nothing more"),
        ([{"type": "http.response.nonsense"}], "http.response.nonsense"),
        ([{}], 'no "type"'),
        ([{"type": "http.response.start"}], 'the event http.response.start has no "status"'),
        ([START | {"status": "200"}], "must be an int from 100 to 999, not '200'"),
        ([START | {"headers": [("name", "value")]}], "pair of bytes"),
        ([START | {"headers": [b"ab"]}], "pair of bytes"),
        ([START, BODY | {"body": "text"}], "must be bytes, not str"),
        ([START | {"headers": [(b"content-length", b"0")]}, BODY], "longer than its Content-Len"),
        ([START | {"headers": [(b"Content-Length", b"2")]}, BODY], "shorter than its Content-Len"),
        ([START, {"type": "http.response.trailers"}], "no trailers"),
        ([START, BODY, {"type": "http.response.early_hint", "links": []}], "expected a body"),
    ],
)
def test_what_has_no_place_raises_where_it_is_sent(events: list[Any], error: str) -> None:
    seen = Seen()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        *fine, wrong = events
        for event in fine:
            await send(event)
        with pytest.raises((RuntimeError, TypeError, ValueError, KeyError)) as raised:
            await send(wrong)
        seen.add(str(raised.value))

    with running(http(call)) as edge:
        exchange = edge.request()
        frame = edge.next()
        assert (frame.kind, frame.exchange) in ((FAILED, exchange), (RESPONSE, exchange))
        assert error in seen.wait(1)[0]


@pytest.mark.parametrize("status", [1000, 99, -1, "200", 200.0])
def test_status_that_is_none_is_named_with_its_event(
    status: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status})

    with running(http(call)) as edge:
        edge.expect(FAILED, edge.request())
    told = capfd.readouterr().err
    event = "the 'status' of the event http.response.start"
    assert f"{event} must be an int from 100 to 999, not {status!r}" in told


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/missing/file", "FileNotFoundError: [Errno 2] http.response.pathsend: No such file"),
        ("missing", "the path is relative: 'missing'"),
        ("/", "OSError: http.response.pathsend: / is not a regular file"),
        ("/proc/version", "/proc/version does not say how long it is"),
        ("/dev/null/x", "NotADirectoryError: [Errno 20] http.response.pathsend: Not a directory"),
        (7, "http.response.pathsend: 'path' must be a str, not <class 'int'>"),
        (None, "the event http.response.pathsend has no"),
    ],
)
def test_file_that_cannot_be_sent_is_named_with_the_reason(
    path: Any, error: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.pathsend", "path": path})

    with running(http(call)) as edge:
        edge.expect(FAILED, edge.request())
    told = capfd.readouterr().err
    assert error in told
    assert "await send" in told


def test_exception_fails_the_request_alone(capfd: pytest.CaptureFixture[str]) -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/late":
            await send(START)
            await send(BODY | {"more_body": True})
        if scope["path"] != "/fine":
            raise ValueError("the reason")
        await answer(send)

    with running(http(call)) as edge:
        edge.expect(FAILED, edge.request(b"/early", method=b"POST"))
        late = edge.request(b"/late")
        edge.expect(RESPONSE, late)
        edge.expect(FAILED, late)
        assert edge.get(b"/fine").status == 200
    said = capfd.readouterr().err
    assert "raised before it answered: POST '/early'" in said
    assert "raised after the answer had begun: GET '/late'" in said
    assert said.count("ValueError: the reason") == 2


@pytest.mark.parametrize("exception", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_no_exception_in_a_request_ends_the_worker(exception: BaseException) -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/exit":
            raise exception
        await answer(send)

    with running(http(call)) as edge:
        edge.expect(FAILED, edge.request(b"/exit"))
        assert edge.get().status == 200


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_exit_in_a_background_task_does_not_end_the_loop(
    loop: str, capfd: pytest.CaptureFixture[str]
) -> None:
    tasks = []

    async def leave() -> None:
        raise SystemExit(4)

    async def call(scope: Any, receive: Any, send: Any) -> None:
        tasks.append(asyncio.create_task(leave()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await answer(send)

    with running(http(call), loop=loop) as edge:
        assert edge.get().status == 200
        assert edge.get().status == 200
    assert "SystemExit: 4" in capfd.readouterr().err


def test_return_without_an_answer_is_a_failure_that_is_told(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/half":
            await send(START)
            await send(BODY | {"more_body": True})

    with running(http(call)) as edge:
        edge.expect(FAILED, edge.request(b"/none"))
        half = edge.request(b"/half")
        edge.expect(RESPONSE, half)
        edge.expect(FAILED, half)
    said = capfd.readouterr().err
    assert "returned without sending an answer: GET '/none'" in said
    assert "returned without sending the end of its answer: GET '/half'" in said


def test_exception_after_the_client_left_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    class ClientDisconnect(Exception):
        pass

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await receive()
        raise ClientDisconnect

    with running(http(call)) as edge:
        exchange = edge.request()
        edge.send(CANCEL, exchange=exchange)
        edge.expect(FAILED, exchange)
    said = capfd.readouterr().err
    assert said.startswith("yett: after its client had left, the application raised ")
    assert "Traceback" not in said


def test_nothing_is_sent_when_the_call_has_ended() -> None:
    seen = Seen()
    later: list[Any] = []

    async def call(scope: Any, receive: Any, send: Any) -> None:
        async def late() -> None:
            await asyncio.sleep(0.01)
            try:
                await send(START)
            except RuntimeError as error:
                seen.add(str(error))
            seen.add(await receive())

        later.append(asyncio.create_task(late()))

    with running(http(call)) as edge:
        edge.expect(FAILED, edge.request())
        assert seen.wait(2)[0].startswith("the application's call has ended")
        assert seen.items[1] == {"type": "http.disconnect"}
        assert edge.hears_nothing()


def test_loop_that_turns_answers_a_ping_and_one_that_does_not_is_silent() -> None:
    go_on = threading.Event()
    began = threading.Event()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        began.set()
        assert go_on.wait(10)
        await answer(send)

    with running(http(call)) as edge:
        assert edge.hears_nothing()
        exchange = edge.request()
        assert began.wait(10)
        edge.send(PING)
        go_on.set()
        # The answer is sent before the loop turns.
        edge.answer(exchange)
        edge.expect(PONG)


def test_what_receive_and_send_return_can_be_a_task() -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        event = await asyncio.create_task(receive())
        assert event["type"] == "http.request"
        await asyncio.create_task(send(START))
        await asyncio.ensure_future(send(BODY | {"more_body": True}))
        await asyncio.gather(send(BODY))

    with running(http(call)) as edge:
        exchange = edge.request()
        assert read_head(edge.expect(RESPONSE, exchange).payload).body == b"x"
        assert edge.next().payload == b"x"


def lifespan_app(log: Seen, **how: Any) -> Any:
    """Return an application that takes part in lifespan."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            log.add(scope["state"])
            await answer(send)
            return
        assert (await receive())["type"] == "lifespan.startup"
        if "fails" in how:
            await send({"type": "lifespan.startup.failed", "message": how["fails"]})
            raise RuntimeError("as Starlette does")
        scope["state"]["shared"] = []
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        log.add("shutdown")
        if "hangs" in how:
            await asyncio.sleep(60)
        await send({"type": "lifespan.shutdown.complete"})

    return application


@pytest.mark.parametrize("mode", ["auto", "on"])
def test_lifespan_starts_before_the_first_request_and_stops_after_the_last(mode: str) -> None:
    log = Seen()
    with running(lifespan_app(log), lifespan=mode) as edge:
        edge.get()
        edge.get()
    first, second, last = log.items
    assert last == "shutdown"
    assert first is not second
    assert first["shared"] is second["shared"]


def test_lifespan_that_is_off_is_not_told() -> None:
    log = Seen()
    with running(lifespan_app(log), lifespan="off") as edge:
        edge.get()
    assert log.items == [{}]


def test_application_that_does_not_know_lifespan_is_served_without(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await answer(send)

    with running(http(call)) as edge:
        assert edge.get().status == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("settings", "application", "said"),
    [
        ({}, lifespan_app(Seen(), fails="no database"), "failed to start: no database"),
        ({"lifespan": "on"}, http(lambda *_: None), "ValueError: no lifespan"),
    ],
)
def test_worker_whose_lifespan_fails_says_why_and_is_never_ready(
    settings: Any, application: Any, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    worker = Running(application, LoopSettings(loop="asyncio", **settings))
    assert worker.wait() == UNFIT
    assert said in capfd.readouterr().err


def test_shutdown_that_hangs_is_not_waited_for_for_ever(capfd: pytest.CaptureFixture[str]) -> None:
    with running(lifespan_app(Seen(), hangs=True), grace=0.2):
        pass
    assert "took longer than 0.1 seconds" in capfd.readouterr().err


def test_worker_that_drains_lets_what_runs_finish() -> None:
    seen = Seen()
    go_on = asyncio.Event()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await answer(send)
        seen.add("answered")
        await asyncio.sleep(0.05)
        seen.add("and finished")

    worker = Running(http(call), LoopSettings(loop="asyncio"))
    worker.edge.expect(READY)
    worker.edge.get()
    worker.edge.send(DRAIN)
    assert worker.wait() == 0
    assert seen.items == ["answered", "and finished"]
    assert not go_on.is_set()


def test_worker_whose_server_is_gone_leaves_in_order() -> None:
    log = Seen()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lifespan_app(log)(scope, receive, send)
            return
        try:
            await receive()
            log.add("begun")
            log.add(await receive())
            await asyncio.sleep(60)
        finally:
            log.add("cleaned up")

    worker = Running(application, LoopSettings(loop="asyncio"))
    worker.edge.expect(READY)
    worker.edge.request()
    log.wait(1)
    worker.edge.close()
    assert worker.wait() == 0
    assert log.items == ["begun", {"type": "http.disconnect"}, "cleaned up", "shutdown"]
