"""What browsers are shown: a page whose script tries everything that a browser does with a server.

The page gives its verdict to `POST /verdict`, which lays it into the file that `VERDICT` names.
"""

import asyncio
import hashlib
import json
import os
import pathlib
from collections.abc import AsyncIterator

HERE = pathlib.Path(__file__).resolve().parent

#: Opened by `POST /gate`: what `/stream` waits for between its pieces.
gate = asyncio.Event()

#: Opened when a client goes away from `/endless`.
left = asyncio.Event()

#: One long text that compresses well.
PROSE = "The quick brown fox jumps over the lazy dog. " * 4000


async def _body(receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        event = await receive()
        yield event.get("body", b"")
        more = event.get("more_body", False)


async def _begin(send, kind: str, status: int = 200) -> None:
    headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _answer(send, kind: str, body: bytes, status: int = 200) -> None:
    await _begin(send, kind, status)
    await send({"type": "http.response.body", "body": body})


async def _page(scope, receive, send) -> None:
    link = b"</static/checks.js>; rel=preload; as=script; crossorigin"
    if "http.response.early_hint" in scope["extensions"]:
        await send({"type": "http.response.early_hint", "links": [link]})
    await _answer(send, "text/html; charset=utf-8", (HERE / "page.html").read_bytes())


async def _upload(scope, receive, send) -> None:
    digest = hashlib.sha256()
    size = 0
    async for piece in _body(receive):
        digest.update(piece)
        size += len(piece)
    said = {"size": size, "sha256": digest.hexdigest()}
    await _answer(send, "application/json", json.dumps(said).encode())


async def _stream(scope, receive, send) -> None:
    gate.clear()
    await _begin(send, "text/plain")
    await send({"type": "http.response.body", "body": b"before;", "more_body": True})
    await gate.wait()
    await send({"type": "http.response.body", "body": b"after"})


async def _open_gate(scope, receive, send) -> None:
    gate.set()
    await _answer(send, "text/plain", b"open")


async def _events(scope, receive, send) -> None:
    """Say one event and go away; the browser comes again and says which it had last."""
    headers = dict(scope["headers"])
    number = int(headers.get(b"last-event-id", b"0")) + 1
    await _begin(send, "text/event-stream")
    event = f"retry: 1\nid: {number}\ndata: event {number}\n\n".encode()
    await send({"type": "http.response.body", "body": event})


async def _endless(scope, receive, send) -> None:
    left.clear()
    await _begin(send, "text/plain")
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass
    left.set()


async def _left(scope, receive, send) -> None:
    await left.wait()
    await _answer(send, "text/plain", b"left")


async def _prose(scope, receive, send) -> None:
    await _answer(send, "text/plain", PROSE.encode())


async def _number(scope, receive, send) -> None:
    await _answer(send, "text/plain", scope["query_string"])


async def _verdict(scope, receive, send) -> None:
    said = b"".join([piece async for piece in _body(receive)])
    place = pathlib.Path(os.environ["VERDICT"])
    whole = place.with_suffix(".part")
    whole.write_bytes(said)
    whole.rename(place)
    await _answer(send, "text/plain", b"thank you")


async def _socket(receive, send, scope) -> None:
    assert (await receive())["type"] == "websocket.connect"
    chosen = scope["subprotocols"][-1] if scope["subprotocols"] else None
    await send({"type": "websocket.accept", "subprotocol": chosen})
    while (event := await receive())["type"] == "websocket.receive":
        if event.get("text") == "enough":
            await send({"type": "websocket.close", "code": 4321, "reason": "as asked"})
        elif event.get("text") is not None:
            await send({"type": "websocket.send", "text": event["text"]})
        else:
            await send({"type": "websocket.send", "bytes": event["bytes"]})


PATHS = {
    "/": _page,
    "/upload": _upload,
    "/stream": _stream,
    "/gate": _open_gate,
    "/events": _events,
    "/endless": _endless,
    "/left": _left,
    "/prose": _prose,
    "/number": _number,
    "/verdict": _verdict,
}


async def application(scope, receive, send) -> None:
    """Do what the path says."""
    if scope["type"] == "websocket":
        await _socket(receive, send, scope)
    elif scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    elif scope["path"] in PATHS:
        await PATHS[scope["path"]](scope, receive, send)
    else:
        await _answer(send, "text/plain", b"no such path", 404)
