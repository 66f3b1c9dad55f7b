"""Where a request stands that an event loop was given up for: the stack of its task, for the log.

A task that waits has no thread to be looked at. What it waits in is found by following its
coroutines down, and from the lowest one the tasks that it waits for. Bounded in number and
length: when a database stops, every request is late at once.
"""

import asyncio
import contextlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

#: So many requests are shown within so many seconds; of the others a number is told.
MOST_REQUESTS = 5
WINDOW = 10.0
#: Tasks and threads that are shown of a request.
MOST_TASKS = 6
MOST_THREADS = 4
#: Frames that are shown of each, the innermost ones.
MOST_FRAMES = 30
#: Characters that are shown of a request.
LONGEST = 16 * 1024

#: Who awaits here has a thread at work.
OF_THREADS = ("asgiref/sync.py", "asyncio/threads.py", "anyio/to_thread.py")
#: Where coroutines, generators and asynchronous generators keep their frame and what they await.
NAMES = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))
#: A thread that is in nothing else has nothing to do.
IDLE = (
    "concurrent/futures/thread.py",
    "queue.py",
    "threading.py",
    "anyio/_backends/_asyncio.py",
)


class Overdue:
    """Writes down late requests of one loop."""

    def __init__(self) -> None:
        self._until = 0.0
        self._shown = 0
        self._hidden = 0

    def tell(self, task: asyncio.Task[Any], what: str) -> None:
        """Write down where this request's task stands."""
        now = time.monotonic()
        if now >= self._until:
            self._until = now + WINDOW
            self._shown = 0
        if self._shown >= MOST_REQUESTS:
            self._hidden += 1
            return
        self._shown += 1
        more = f" ({self._hidden} before it were not shown)" if self._hidden else ""
        self._hidden = 0
        # With nobody to read it, it is lost; and whatever an application's objects do when they are
        # looked at, the request was given up all the same.
        with contextlib.suppress(Exception):
            stacks = "".join(_stacks(task))[:LONGEST]
            print(
                f"yett: a request took longer than --timeout and was given up: {what}{more}; "
                f"it stands here (innermost call last):\n{stacks}",
                file=sys.stderr,
                end="",
            )


def _stacks(task: asyncio.Task[Any]) -> Iterator[str]:
    """Yield the stack of a task and of what it waits for, as text."""
    seen, waiting = {task}, [task]
    in_threads = False
    count = 0
    while waiting and count < MOST_TASKS:
        count += 1
        each = waiting.pop(0)
        frames = list(_frames(each.get_coro()))
        if each is not task:
            yield f"  which waits for the task {each.get_name()!r}:\n"
        yield from _lines(frames[-MOST_FRAMES:])
        in_threads |= any(_is_in(frame, OF_THREADS) for frame in frames)
        for other in _awaited(each, frames[-2:]):
            if other not in seen and not other.done():
                seen.add(other)
                waiting.append(other)
    if in_threads:
        yield from _threads()


def _frames(coroutine: Any) -> Iterator[FrameType]:
    """Yield the frames of a coroutine and of those that it awaits, the outermost first."""
    for _depth in range(1000):
        frame, awaited = next(
            (
                (getattr(coroutine, frame), awaited)
                for frame, awaited in NAMES
                if hasattr(coroutine, frame)
            ),
            (None, ""),
        )
        if frame is None:
            return
        # Not this package's own.
        if os.path.dirname(frame.f_code.co_filename) != os.path.dirname(__file__):
            yield frame
        coroutine = getattr(coroutine, awaited)


def _lines(frames: Iterable[FrameType]) -> list[str]:
    return traceback.StackSummary.extract((frame, frame.f_lineno) for frame in frames).format()


def _awaited(task: asyncio.Task[Any], innermost: list[FrameType]) -> Iterator[asyncio.Task[Any]]:
    """Yield the tasks that a task waits for, as far as that shows.

    A task says what future it waits for. Which tasks make that one done it knows itself (`gather`),
    or who made it: the variables of `asyncio.wait`, `wait_for` and of task groups.
    """
    future = getattr(task, "_fut_waiter", None)
    yield from _tasks_in(future)
    yield from _tasks_in(getattr(future, "_children", None))
    for frame in innermost:
        for value in list(frame.f_locals.values())[:50]:
            yield from _tasks_in(value)
            yield from _tasks_in(getattr(value, "_tasks", None))


def _tasks_in(value: Any) -> Iterator[asyncio.Task[Any]]:
    if isinstance(value, asyncio.Task):
        yield value
    elif type(value) in (set, frozenset, list, tuple):
        yield from (each for each in list(value)[:50] if isinstance(each, asyncio.Task))


def _threads() -> Iterator[str]:
    """Yield where the busy threads stand: which of them works for the request is not known."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    current = threading.get_ident()
    count = 0
    for ident, frame in sys._current_frames().items():
        calls = [each for each, _line in traceback.walk_stack(frame)]
        if ident == current or all(_is_in(each, IDLE) for each in calls):
            continue
        if (count := count + 1) > MOST_THREADS:
            return
        yield f"  a thread at work, {names.get(ident, ident)!r}:\n"
        yield from _lines(reversed(calls[:MOST_FRAMES]))


def _is_in(frame: FrameType, files: tuple[str, ...]) -> bool:
    return frame.f_code.co_filename.endswith(files)
