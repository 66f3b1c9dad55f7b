"""A worker of an ASGI application: one event loop that answers requests from its link.

The loop is made after the fork. Each request is a task of its own. What is sent and received
is in the extension (`LoopLink`); here are the life of the loop, of the tasks, and of the
application's lifespan.
"""

import asyncio
import atexit
import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from yett._yett import HttpExchange, LoopLink, WebSocketExchange
from yett.worker.lifespan import Lifespan, LifespanError
from yett.worker.link import after_fork, write_report
from yett.worker.load import LoadError
from yett.worker.overdue import Overdue

#: Seconds that cancelled tasks, and threads of the executor, get to end at most.
LAST_WORDS = 5.0

#: What HTTP scopes have in common. Version 2.3: what is sent after the client left is dropped, as
#: by Uvicorn, and frameworks so watch `receive` for the disconnect.
HTTP = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "root_path": "",
    "extensions": {
        "http.response.early_hint": {},
        "http.response.pathsend": {},
        "http.response.trailers": {},
    },
}
#: What WebSocket scopes have in common. Version 2.4: a disconnect has its reason, and sending to a
#: client that left raises `OSError`.
WEBSOCKET = {
    "type": "websocket",
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "root_path": "",
    "extensions": {"websocket.http.response": {}},
}

Exchange = HttpExchange | WebSocketExchange


class LoopSettings(NamedTuple):
    """What the program says of the loop."""

    #: `auto` (uvloop if it is installed), `asyncio` or `uvloop`.
    loop: str = "auto"
    #: `auto`, `on` or `off`.
    lifespan: str = "auto"
    #: Threads of the loop's executor; None leaves Python's own number.
    executor: int | None = None
    #: Seconds that a stop or a reload waits in all.
    grace: float = 30.0
    #: Seconds of them that are left, at least, when the edge cuts short what still runs.
    last_part: float = 3.0


def missing_loop(loop: str) -> str | None:
    """Return why there is no such loop, in a sentence; import it if there is."""
    if loop != "asyncio" and importlib.util.find_spec("uvloop") is not None:
        importlib.import_module("uvloop")
    elif loop == "uvloop":
        return f"--loop says uvloop, but it is not installed for {sys.executable}"
    return None


def run_worker(application: Any, link: int, settings: LoopSettings) -> int:
    """Serve the link that this descriptor is; return the worker's exit code."""
    after_fork()
    end = LoopLink(link)
    os.register_at_fork(after_in_child=end.disown)
    code = Worker(application, end, settings).run()
    atexit._run_exitfuncs()
    return code


def _new_loop(name: str) -> asyncio.AbstractEventLoop:
    if name != "asyncio" and importlib.util.find_spec("uvloop") is not None:
        uvloop: Any = importlib.import_module("uvloop")
        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    return asyncio.new_event_loop()


class Worker:
    """The loop of one worker process."""

    def __init__(self, application: Any, link: LoopLink, settings: LoopSettings) -> None:
        self._application = application
        self._link = link
        self._settings = settings
        self._loop = _new_loop(settings.loop)
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._broken: BaseException | None = None
        #: When what ran was cut short, by the loop's clock.
        self._cut: float | None = None
        self._eager: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}

    def run(self) -> int:
        """Answer requests until the edge wants no more; return the exit code."""
        loop = self._loop
        asyncio.set_event_loop(loop)
        if self._settings.executor is not None:
            loop.set_default_executor(ThreadPoolExecutor(self._settings.executor, "yett"))
        serving = loop.create_task(self._serve(), name="yett")
        try:
            code = self._run_to_the_end(serving)
            self._leave()
        finally:
            asyncio.set_event_loop(None)
            loop.close()
        return code

    def _run_to_the_end(self, serving: asyncio.Task[int]) -> int:
        """Run the loop, whatever falls out of it.

        A task that the application started by itself and that calls `sys.exit` ends the loop's
        run; the requests beside it have done nothing wrong, so the loop goes on.
        """
        while True:
            try:
                return self._loop.run_until_complete(serving)
            except (SystemExit, KeyboardInterrupt) as error:
                if serving.done():
                    raise
                write_report(error, "a task or callback of its own", answered=False)

    async def _serve(self) -> int:
        state: dict[str, Any] = {}
        lifespan = Lifespan(self._application, self._settings.lifespan, state)
        try:
            await lifespan.start()
        except LifespanError as error:
            raise LoadError("app", str(error)) from None
        link, overdue = self._link, Overdue()
        link.open(
            begin=self._begin,
            again=lambda: self._loop.call_soon(link.look),
            news=self._news,
            overdue=lambda task, scope: overdue.tell(task, _what(scope)),
            create_future=self._loop.create_future,
            http=HTTP,
            websocket=WEBSOCKET,
            state=state,
        )
        self._loop.add_reader(link.fileno(), link.look)
        # The first look says that the loop waits from here on.
        link.look()
        link.ready()
        await self._over
        self._loop.remove_reader(link.fileno())
        # Their clients have their answers, or are gone.
        await _end(link.tasks(), self._until(2 / 4, min(LAST_WORDS, self._settings.grace / 8)))
        await lifespan.stop(self._until(7 / 8, self._settings.grace / 2))
        # An edge that is gone is an end like any other.
        if self._broken is None or isinstance(self._broken, BrokenPipeError):
            return 0
        write_report(self._broken, "the link to the server", answered=False)
        return 1

    def _news(self, error: BaseException | None) -> None:
        """No request will follow, or the last one has ended, or must, or the link is of no use."""
        if self._over.done():
            return
        if error is not None:
            self._broken = error
            self._over.set_result(None)
        elif self._link.running == 0:
            self._over.set_result(None)
        else:
            # What an application does behind its answers is waited for, but not for ever: there
            # must be time left to stop in order. Who was told that its client is gone gets a
            # moment to end by itself.
            grace = self._settings.grace
            if self._link.is_cut_short:
                self._cut = self._cut or self._loop.time()
            waits = max(grace - 2 * LAST_WORDS, grace / 2)
            self._loop.call_later(self._until(1 / 4, waits), self._give_up)

    def _until(self, part: float, otherwise: float) -> float:
        """Return the seconds until this part of the last part is over; else what is said."""
        if self._cut is None:
            return otherwise
        return max(self._cut + part * self._settings.last_part - self._loop.time(), 0.0)

    def _give_up(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    def _begin(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
        exchange: Exchange,
    ) -> asyncio.Task[None]:
        answer = self._answer(scope, receive, send, exchange)
        if self._eager and self._loop.get_task_factory() is None:
            # Begun now instead of in the loop's next turn: a fifth less work for a short answer.
            return asyncio.Task(answer, loop=self._loop, **self._eager)
        return self._loop.create_task(answer)

    async def _answer(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
        exchange: Exchange,
    ) -> None:
        """Call the application for one request, and end the exchange however that ends."""
        try:
            await self._application(scope, receive, send)
        except BaseException as error:
            self._link.leave_if_forked(error)
            # Whatever it is: `sys.exit` in a request ends the request alone.
            _report(error, scope, exchange)
            exchange.end(True)
        else:
            if not exchange.is_complete and not exchange.is_left:
                _complain(scope, exchange)
            exchange.end(False)

    def _leave(self) -> None:
        """End what the application left running, as `asyncio.run` does, but in bounded time."""
        loop = self._loop
        with contextlib.suppress(Exception, asyncio.CancelledError):
            loop.run_until_complete(_end(list(asyncio.all_tasks(loop)), LAST_WORDS))
        with contextlib.suppress(Exception, asyncio.CancelledError):
            loop.run_until_complete(asyncio.wait_for(loop.shutdown_asyncgens(), LAST_WORDS))
        with contextlib.suppress(Exception, asyncio.CancelledError):
            closing = loop.shutdown_default_executor()
            loop.run_until_complete(asyncio.wait_for(closing, LAST_WORDS))


async def _end(tasks: list[asyncio.Task[Any]], bound: float) -> None:
    """Cancel tasks, and give them so many seconds to clean up."""
    tasks = [task for task in tasks if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=bound)


def _what(scope: dict[str, Any]) -> str:
    return f"{scope.get('method', 'WebSocket')} {scope.get('path')!r}"


def _report(error: BaseException, scope: dict[str, Any], exchange: Exchange) -> None:
    if not exchange.is_left:
        write_report(error, _what(scope), exchange.is_answered)
    elif not isinstance(error, asyncio.CancelledError):
        # Most often only another way to say the same; so one line, and no traceback.
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        with contextlib.suppress(Exception):
            line = f"yett: after its client had left, the application raised {kind}: {_what(scope)}"
            print(line, file=sys.stderr)


def _complain(scope: dict[str, Any], exchange: Exchange) -> None:
    missing = "the end of its answer" if exchange.is_answered else "an answer"
    with contextlib.suppress(Exception):
        print(
            f"yett: the application returned without sending {missing}: {_what(scope)}",
            file=sys.stderr,
        )
