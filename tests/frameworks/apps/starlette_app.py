"""Starlette."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from held import GREETING, PIECE, PIECES, SECRET, described, mark, pass_gate
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, str]]:
    # The state goes through the server: what is given here comes back in every scope.
    yield {"started": "yes"}
    mark("shutdown")


async def json(request: Request) -> Response:
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": "GET, HEAD, OPTIONS, POST"})
    received = request.method == "POST"
    return JSONResponse({"received": await request.json()} if received else GREETING)


async def item(request: Request) -> Response:
    found = {**request.path_params, "q": request.query_params.getlist("q")}
    return JSONResponse(found)


async def form(request: Request) -> Response:
    async with request.form() as fields:
        return JSONResponse({"name": fields["name"], "colours": fields.getlist("colour")})


async def upload(request: Request) -> Response:
    async with request.form() as fields:
        file = fields["file"]
        content = await file.read()
        return JSONResponse(described(fields["note"], file.filename, content))


async def stream(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first\n"
        await asyncio.to_thread(pass_gate)
        yield b"second\n"

    return StreamingResponse(pieces(), media_type="text/plain")


async def many(_request: Request) -> Response:
    # An ordinary iterator: Starlette runs it in a thread.
    return StreamingResponse(PIECE for _ in range(PIECES))


async def broken(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first\n"
        raise RuntimeError("in the middle")

    return StreamingResponse(pieces())


async def events(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[str]:
        yield "data: 0\n\n"
        await asyncio.to_thread(pass_gate)
        yield "data: 1\n\n"

    return StreamingResponse(pieces(), media_type="text/event-stream")


async def ticks(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[str]:
        try:
            while True:
                yield "data: tick\n\n"
                await asyncio.sleep(0.01)
        finally:
            mark("left")

    return StreamingResponse(pieces(), media_type="text/event-stream")


async def background(_request: Request) -> Response:
    async def later() -> None:
        await asyncio.to_thread(pass_gate)
        mark("background")

    return Response(status_code=202, background=BackgroundTask(later))


async def error(_request: Request) -> Response:
    raise RuntimeError(SECRET)


async def redirect(_request: Request) -> Response:
    answer = RedirectResponse("/json", status_code=302)
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


async def cookies(request: Request) -> Response:
    return JSONResponse(request.cookies)


async def seen(request: Request) -> Response:
    return JSONResponse(
        {
            "client": request.client.host if request.client else None,
            "scheme": request.url.scheme,
            "host": request.url.netloc,
            "path": request.scope["path"],
        }
    )


async def started(request: Request) -> Response:
    return JSONResponse({"started": request.state.started})


async def echo(socket: WebSocket) -> None:
    chosen = "chat.v2" if "chat.v2" in socket.scope["subprotocols"] else None
    await socket.accept(subprotocol=chosen)
    try:
        while (heard := await socket.receive_text()) != "end":
            await socket.send_text(heard)
        await socket.close(4321, "bye")
    except WebSocketDisconnect as gone:
        mark("code", str(gone.code))


async def echo_bytes(socket: WebSocket) -> None:
    await socket.accept()
    async for heard in socket.iter_bytes():
        await socket.send_bytes(heard)


async def refuse(socket: WebSocket) -> None:
    await socket.close()


application = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/json", json, methods=["GET", "POST", "OPTIONS"]),
        Route("/items/{number:int}/{name}", item),
        Route("/form", form, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/stream", stream),
        Route("/many", many),
        Route("/broken", broken),
        Route("/events", events),
        Route("/ticks", ticks),
        Route("/background", background, methods=["POST"]),
        Route("/error", error),
        Route("/redirect", redirect),
        Route("/cookies", cookies),
        Route("/seen/ä", seen),
        Route("/lifespan", started),
        WebSocketRoute("/ws", echo),
        WebSocketRoute("/ws/bytes", echo_bytes),
        WebSocketRoute("/ws/refused", refuse),
    ],
)
