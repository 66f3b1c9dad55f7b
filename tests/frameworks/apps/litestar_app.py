"""Litestar."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from held import GREETING, PIECE, PIECES, SECRET, described, mark, pass_gate
from litestar import Litestar, MediaType, Request, Response, WebSocket, get, head, post, websocket
from litestar.background_tasks import BackgroundTask
from litestar.enums import RequestEncodingType
from litestar.exceptions import WebSocketDisconnect
from litestar.params import Body
from litestar.response import Redirect, ServerSentEvent, Stream


async def start(app: Litestar) -> None:
    app.state.started = "yes"


async def end(_app: Litestar) -> None:
    mark("shutdown")


@get("/json")
async def json() -> dict[str, Any]:
    return GREETING


@head("/json", media_type=MediaType.JSON)
async def json_head() -> None:
    """Litestar wants HEAD to be said, and gives it no length."""


@post("/json", status_code=200)
async def take_json(data: dict[str, Any]) -> dict[str, Any]:
    return {"received": data}


@get("/items/{number:int}/{name:str}")
async def item(number: int, name: str, q: list[str]) -> dict[str, Any]:
    return {"number": number, "name": name, "q": q}


@post("/form", status_code=200)
async def form(
    data: Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> dict[str, Any]:
    return {"name": data["name"], "colours": data["colour"]}


@post("/upload", status_code=200)
async def upload(
    data: Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> dict[str, Any]:
    file = data["file"]
    return described(data["note"], file.filename, await file.read())


@get("/stream", media_type=MediaType.TEXT)
async def stream() -> Stream:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first\n"
        await asyncio.to_thread(pass_gate)
        yield b"second\n"

    return Stream(pieces())


@get("/many")
async def many() -> Stream:
    return Stream(PIECE for _ in range(PIECES))


@get("/broken")
async def broken() -> Stream:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first\n"
        raise RuntimeError("in the middle")

    return Stream(pieces())


@get("/events")
async def events() -> ServerSentEvent:
    async def pieces() -> AsyncIterator[str]:
        yield "0"
        await asyncio.to_thread(pass_gate)
        yield "1"

    return ServerSentEvent(pieces())


@get("/ticks")
async def ticks() -> ServerSentEvent:
    async def pieces() -> AsyncIterator[str]:
        try:
            while True:
                yield "tick"
                await asyncio.sleep(0.01)
        finally:
            mark("left")

    return ServerSentEvent(pieces())


@post("/background", status_code=202)
async def background() -> Response[str]:
    async def later() -> None:
        await asyncio.to_thread(pass_gate)
        mark("background")

    return Response("", background=BackgroundTask(later))


@get("/error")
async def error() -> None:
    raise RuntimeError(SECRET)


@get("/redirect", status_code=302)
async def redirect() -> Redirect:
    answer = Redirect("/json", status_code=302)
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


@get("/cookies")
async def cookies(request: Request[Any, Any, Any]) -> dict[str, str]:
    return request.cookies


@get("/seen/ä")
async def seen(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return {
        "client": request.client.host if request.client else None,
        "scheme": request.url.scheme,
        "host": request.url.netloc,
        "path": request.scope["path"],
    }


@get("/lifespan")
async def started(request: Request[Any, Any, Any]) -> dict[str, str]:
    return {"started": request.app.state.started}


@websocket("/ws")
async def echo(socket: WebSocket[Any, Any, Any]) -> None:
    chosen = "chat.v2" if "chat.v2" in socket.scope["subprotocols"] else None
    await socket.accept(subprotocols=chosen)
    try:
        while (heard := await socket.receive_text()) != "end":
            await socket.send_text(heard)
        await socket.close(4321, "bye")
    except WebSocketDisconnect as gone:
        mark("code", str(gone.code))


@websocket("/ws/bytes")
async def echo_bytes(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_bytes(await socket.receive_bytes())
    except WebSocketDisconnect:
        return


@websocket("/ws/refused")
async def refuse(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.close()


application = Litestar(
    [
        json,
        json_head,
        take_json,
        item,
        form,
        upload,
        stream,
        many,
        broken,
        events,
        ticks,
        background,
        error,
        redirect,
        cookies,
        seen,
        started,
        echo,
        echo_bytes,
        refuse,
    ],
    on_startup=[start],
    on_shutdown=[end],
    openapi_config=None,
)
