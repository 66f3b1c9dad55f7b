"""FastAPI: some views are coroutines, some are functions that it runs in threads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import (
    BackgroundTasks,
    Body,
    FastAPI,
    File,
    Form,
    Query,
    Request,
    UploadFile,
    WebSocket,
    WebSocketDisconnect,
)
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from held import GREETING, PIECE, PIECES, SECRET, described, mark, pass_gate


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, str]]:
    yield {"started": "yes"}
    mark("shutdown")


application = FastAPI(lifespan=lifespan)


@application.api_route("/json", methods=["GET", "HEAD"])
def json() -> dict[str, Any]:
    return GREETING


@application.options("/json", status_code=204)
def options(answer: Response) -> None:
    answer.headers["Allow"] = "GET, HEAD, OPTIONS, POST"


@application.post("/json")
async def take_json(received: Annotated[Any, Body()]) -> dict[str, Any]:
    return {"received": received}


@application.get("/items/{number}/{name}")
def item(number: int, name: str, q: Annotated[list[str], Query()]) -> dict[str, Any]:
    return {"number": number, "name": name, "q": q}


@application.post("/form")
async def form(
    name: Annotated[str, Form()], colour: Annotated[list[str], Form()]
) -> dict[str, Any]:
    return {"name": name, "colours": colour}


@application.post("/upload")
async def upload(
    note: Annotated[str, Form()], file: Annotated[UploadFile, File()]
) -> dict[str, Any]:
    return described(note, file.filename or "", await file.read())


@application.get("/stream")
async def stream() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first\n"
        await asyncio.to_thread(pass_gate)
        yield b"second\n"

    return StreamingResponse(pieces(), media_type="text/plain")


@application.get("/many")
def many() -> Response:
    return StreamingResponse(PIECE for _ in range(PIECES))


@application.get("/broken")
async def broken() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first\n"
        raise RuntimeError("in the middle")

    return StreamingResponse(pieces())


@application.get("/events")
async def events() -> Response:
    async def pieces() -> AsyncIterator[str]:
        yield "data: 0\n\n"
        await asyncio.to_thread(pass_gate)
        yield "data: 1\n\n"

    return StreamingResponse(pieces(), media_type="text/event-stream")


@application.get("/ticks")
async def ticks() -> Response:
    async def pieces() -> AsyncIterator[str]:
        try:
            while True:
                yield "data: tick\n\n"
                await asyncio.sleep(0.01)
        finally:
            mark("left")

    return StreamingResponse(pieces(), media_type="text/event-stream")


@application.post("/background", status_code=202)
async def background(tasks: BackgroundTasks) -> None:
    def later() -> None:
        pass_gate()
        mark("background")

    tasks.add_task(later)


@application.get("/error")
def error() -> None:
    raise RuntimeError(SECRET)


@application.get("/redirect")
async def redirect() -> Response:
    answer = RedirectResponse("/json", status_code=302)
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


@application.get("/cookies")
async def cookies(request: Request) -> dict[str, str]:
    return request.cookies


@application.get("/seen/ä")
async def seen(request: Request) -> dict[str, Any]:
    return {
        "client": request.client.host if request.client else None,
        "scheme": request.url.scheme,
        "host": request.url.netloc,
        "path": request.scope["path"],
    }


@application.get("/lifespan")
def started(request: Request) -> dict[str, str]:
    return {"started": request.state.started}


@application.websocket("/ws")
async def echo(socket: WebSocket) -> None:
    chosen = "chat.v2" if "chat.v2" in socket.scope["subprotocols"] else None
    await socket.accept(subprotocol=chosen)
    try:
        while (heard := await socket.receive_text()) != "end":
            await socket.send_text(heard)
        await socket.close(4321, "bye")
    except WebSocketDisconnect as gone:
        mark("code", str(gone.code))


@application.websocket("/ws/bytes")
async def echo_bytes(socket: WebSocket) -> None:
    await socket.accept()
    async for heard in socket.iter_bytes():
        await socket.send_bytes(heard)


@application.websocket("/ws/refused")
async def refuse(socket: WebSocket) -> None:
    await socket.close()
