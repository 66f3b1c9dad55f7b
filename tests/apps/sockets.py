"""An ASGI application whose path says what it does with a WebSocket.

`GET /told` returns what its WebSockets were told at their end, oldest first.
"""

import json
from typing import Any

#: Code and reason of every disconnect.
told: list[list[Any]] = []


async def _answer(send, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def _deny(send) -> None:
    start = "websocket.http.response.start"
    await send({"type": start, "status": 418, "headers": [(b"x-why", b"tea")]})
    await send({"type": "websocket.http.response.body", "body": b"no coffee"})


async def _echo(receive, send) -> None:
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            told.append([event["code"], event.get("reason") or ""])
            return
        if event.get("text") is not None:
            await send({"type": "websocket.send", "text": event["text"]})
        else:
            await send({"type": "websocket.send", "bytes": event["bytes"]})


async def application(scope, receive, send) -> None:
    """Do what the path says."""
    if scope["type"] == "http":
        await _answer(send, 200, json.dumps(told).encode())
        return
    if scope["type"] != "websocket":
        raise NotImplementedError(scope["type"])
    assert (await receive())["type"] == "websocket.connect"
    path = scope["path"]
    if path == "/fail-early":
        raise RuntimeError("as asked")
    if path == "/late":
        event = await receive()
        told.append([event["code"], event.get("reason") or ""])
        return
    if path == "/refuse":
        await send({"type": "websocket.close"})
        return
    if path == "/deny":
        await _deny(send)
        return
    protocols = scope["subprotocols"]
    await send({"type": "websocket.accept", "subprotocol": protocols[-1] if protocols else None})
    if path == "/fail":
        raise RuntimeError("as asked")
    if path == "/close":
        await send({"type": "websocket.close", "code": 4001, "reason": "enough"})
        return
    if path == "/scope":
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        said = {"scheme": scope["scheme"], "query": scope["query_string"].decode()}
        await send({"type": "websocket.send", "text": json.dumps(said | {"headers": headers})})
    await _echo(receive, send)
