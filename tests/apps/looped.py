"""An ASGI application for the whole-system tests: one path for each thing that is tested."""

import asyncio
import contextlib
import os
import sys
import threading
import time
from pathlib import Path


async def application(scope, receive, send):
    """Answer by path; note lifespan's events on stderr."""
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
        return
    answer = PATHS.get(scope["path"], hello)
    await answer(scope, receive, send)


async def lifespan(scope, receive, send):
    """Take part, unless the environment says to fail."""
    await receive()
    if why := os.environ.get("LIFESPAN_FAILS"):
        await send({"type": "lifespan.startup.failed", "message": why})
        return
    scope["state"]["started"] = os.getpid()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    over.set()
    # Given up the interpreter's ways of ending, so that the test knows they were used.
    print("lifespan: stopped", file=sys.stderr, flush=True)
    await send({"type": "lifespan.shutdown.complete"})


async def whole(send, body, *headers):
    """Send an answer of one piece."""
    await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


async def hello(scope, receive, send):
    """Greet, and say which process did."""
    await whole(send, b"hello\n", (b"x-pid", str(os.getpid()).encode()))


async def state(scope, receive, send):
    """Say what lifespan left."""
    await whole(send, str(scope["state"].get("started") == os.getpid()).encode())


async def echo(scope, receive, send):
    """Send back the body."""
    body = b""
    while True:
        event = await receive()
        body += event["body"]
        if not event["more_body"]:
            break
    await whole(send, body)


async def stream(scope, receive, send):
    """Send 4 MiB in pieces."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number in range(64):
        piece = bytes([number]) * 65_536
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"end"})


async def raises(scope, receive, send):
    """Fail."""
    raise ValueError("the reason")


async def leaves(scope, receive, send):
    """Call sys.exit."""
    sys.exit(3)


async def waits(scope, receive, send):
    """Wait for the client's end, and note it."""
    while (await receive())["type"] != "http.disconnect":
        pass
    print("waits: disconnected", file=sys.stderr, flush=True)


async def ticks(scope, receive, send):
    """Send events until the client leaves."""
    await receive()
    gone = asyncio.ensure_future(receive())
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while not gone.done():
        await send({"type": "http.response.body", "body": b"tick\n", "more_body": True})
        await asyncio.wait([gone], timeout=0.02)
    print("ticks: disconnected", file=sys.stderr, flush=True)


async def sends(scope, receive, send):
    """Send events for ever, and never look whether somebody listens."""
    try:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"tick\n", "more_body": True})
            await asyncio.sleep(0.02)
    finally:
        await asyncio.sleep(0)
        print("sends: ended", file=sys.stderr, flush=True)


async def stays(scope, receive, send):
    """Go on, also when it is cancelled."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"tick\n", "more_body": True})
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


async def innermost():
    """Wait for what never comes."""
    await asyncio.sleep(3600)


async def middle(innermost=innermost):
    """Wait for it two calls further up."""
    await innermost()


async def awaits(scope, receive, send):
    """Wait for it in the way that the query says."""
    match scope["query_string"].decode():
        case "calls":
            await middle()
        case "task":
            await asyncio.create_task(middle())
        case "wait_for":
            await asyncio.wait_for(middle(), 3600)
        case "wait":
            await asyncio.wait([asyncio.create_task(middle())])
        case "gather":
            await asyncio.gather(middle(), middle())
        case "group":
            import anyio

            async with anyio.create_task_group() as group:
                group.start_soon(middle)
        case "thread":
            await asyncio.to_thread(blocks_in_a_thread)
        case "deep":
            await deep(100)


async def deep(level):
    """Call itself so many times."""
    await (deep(level - 1) if level else middle())


def blocks_in_a_thread():
    """Wait until the loop is to end."""
    over.wait()


async def blocks(scope, receive, send):
    """Stop the loop."""
    time.sleep(1000)


async def meets(scope, receive, send):
    """Wait until so many requests are here."""
    meeting.append(None)
    while len(meeting) < int(scope["query_string"]):
        await asyncio.sleep(0.005)
    await hello(scope, receive, send)


async def later(scope, receive, send):
    """Do something behind the answer."""
    await hello(scope, receive, send)
    await asyncio.sleep(0.2)
    Path(os.environ["NOTES"]).write_text("done")


meeting = []
over = threading.Event()
PATHS = {
    "/state": state,
    "/echo": echo,
    "/stream": stream,
    "/raises": raises,
    "/leaves": leaves,
    "/waits": waits,
    "/ticks": ticks,
    "/sends": sends,
    "/stays": stays,
    "/awaits": awaits,
    "/blocks": blocks,
    "/meets": meets,
    "/later": later,
}
