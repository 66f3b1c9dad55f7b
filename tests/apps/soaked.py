"""What `test_soak.py` asks: every answer follows from its request; unsafe requests leave a line.

The file in `SOAKED` gets a line for each call of `/once/…`, before anything else happens: who finds
one twice there knows that the request was executed twice. `application` is WSGI, `looped` the same
in ASGI, with WebSockets.
"""

import asyncio
import hashlib
import os
import time

PIECE = 8192


def derived(name: str, length: int) -> bytes:
    """Return the bytes that belong to a name."""
    seed = hashlib.sha256(name.encode()).hexdigest().encode()
    return (seed * (length // len(seed) + 1))[:length]


def note(name: str) -> None:
    """Write down that this was executed, in one piece even beside others."""
    place = os.open(os.environ["SOAKED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(place, f"{name}\n".encode())
    finally:
        os.close(place)


def application(environ, start_response):
    """Answer as the first piece of the path says, with as much as the second says."""
    _, what, length, name = environ["PATH_INFO"].split("/")
    if what == "once":
        note(name)
        body = hashlib.sha256(environ["wsgi.input"].read()).hexdigest().encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
    if what == "slow":
        time.sleep(0.02)
    body = derived(name, int(length))
    if what == "stream":
        start_response("200 OK", [])
        return (body[at : at + PIECE] for at in range(0, len(body), PIECE))
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


async def looped(scope, receive, send):
    """Answer as `application` does; a WebSocket hears what it says."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["type"] == "websocket":
        await talk(receive, send)
        return
    _, what, length, name = scope["path"].split("/")
    if what == "once":
        note(name)
        taken = hashlib.sha256()
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            taken.update(event.get("body", b""))
            if not event.get("more_body"):
                break
        body = taken.hexdigest().encode()
    else:
        body = derived(name, int(length))
    if what == "slow":
        await asyncio.sleep(0.02)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    pieces = PIECE if what == "stream" else max(len(body), 1)
    for at in range(0, len(body), pieces):
        piece = body[at : at + pieces]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def talk(receive, send):
    """Say back what is said."""
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send(event | {"type": "websocket.send"})
