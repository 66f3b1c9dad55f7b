"""The lifespan protocol (ASGI lifespan 2.0): tells an application that its worker starts and stops.

Runs once in each worker process, in the loop that answers its requests.
"""

import asyncio
import contextlib
import sys
import traceback
from typing import Any


class LifespanError(Exception):
    """The application does not start; the text says why, for people."""


class Lifespan:
    """One application's lifespan in one worker.

    `mode` is `auto` (an application that does not know lifespan is served without), `on` or
    `off`. What the application puts into `state` is copied into the scope of every request.
    """

    def __init__(self, application: Any, mode: str, state: dict[str, Any]) -> None:
        self._application = application
        self._mode = mode
        self._state = state
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        #: What the application answered last; None until it has.
        self._answer: dict[str, Any] | None = None
        self._answered = asyncio.Event()
        self._asked = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Say that the worker starts; raise `LifespanError` if the application cannot."""
        if self._mode == "off":
            return
        self._task = asyncio.create_task(self._run(), name="yett lifespan")
        answer = await self._tell("lifespan.startup", None)
        match answer and answer.get("type"):
            case "lifespan.startup.complete":
                return
            case "lifespan.startup.failed":
                assert answer is not None
                why = str(answer.get("message") or "") or "it gave no reason"
                raise LifespanError(f"the application's lifespan failed to start: {why}")
        task, self._task = self._task, None
        raised = None if task.cancelled() else task.exception()
        if self._mode == "on":
            how = "".join(traceback.format_exception(raised)) if raised else "it returned at once"
            raise LifespanError(
                f"--lifespan says on, but the application does not start by it: {how.rstrip()}"
            )
        if raised is not None and self._asked:
            print(
                "yett: served without lifespan, as the application raised at lifespan.startup "
                f"({type(raised).__name__}: {raised}); with --lifespan on this would be an error",
                file=sys.stderr,
            )

    async def stop(self, bound: float) -> None:
        """Say that the worker stops, and wait for the application's answer, but no longer."""
        if self._task is None or self._task.done():
            return
        answer = await self._tell("lifespan.shutdown", bound)
        why: str | None = None
        if answer is None:
            done = self._task.done() and not self._task.cancelled()
            raised = self._task.exception() if done else None
            if raised is not None:
                why = "".join(traceback.format_exception(raised)).rstrip()
            elif not done:
                why = f"it took longer than {bound:g} seconds"
        elif answer.get("type") == "lifespan.shutdown.failed":
            why = str(answer.get("message") or "it gave no reason")
        if why is not None:
            print(f"yett: the application's lifespan failed to stop: {why}", file=sys.stderr)
        self._task.cancel()
        with contextlib.suppress(BaseException):
            await asyncio.wait([self._task], timeout=1)

    async def _tell(self, kind: str, bound: float | None) -> dict[str, Any] | None:
        """Send an event and return the answer; None when the application ends without one."""
        assert self._task is not None
        self._answer = None
        self._answered.clear()
        self._events.put_nowait({"type": kind})
        answered = asyncio.create_task(self._answered.wait())
        await asyncio.wait(
            [answered, self._task], timeout=bound, return_when=asyncio.FIRST_COMPLETED
        )
        answered.cancel()
        return self._answer

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self._state,
        }
        try:
            await self._application(scope, self._receive, self._send)
        except (SystemExit, KeyboardInterrupt) as error:
            # These would end the loop's run instead of this task.
            raise RuntimeError(f"the application's lifespan raised {error!r}") from error

    async def _receive(self) -> dict[str, Any]:
        self._asked = True
        return await self._events.get()

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if not kind.startswith("lifespan."):
            raise RuntimeError(f"expected an event of lifespan, but the application sent {kind!r}")
        self._answer = message
        self._answered.set()
