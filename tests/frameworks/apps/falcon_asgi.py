"""Falcon under ASGI."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import falcon.asgi
from falcon.asgi import Request, Response, SSEvent, WebSocket
from held import GREETING, PIECE, PIECES, SECRET, described, mark, pass_gate


class Lifespan:
    """A middleware is Falcon's place for start and end."""

    started = "no"

    async def process_startup(self, _scope: dict[str, Any], _event: dict[str, Any]) -> None:
        self.started = "yes"

    async def process_shutdown(self, _scope: dict[str, Any], _event: dict[str, Any]) -> None:
        mark("shutdown")

    async def on_get(self, _request: Request, answer: Response) -> None:
        answer.media = {"started": self.started}


class Json:
    async def on_get(self, _request: Request, answer: Response) -> None:
        answer.media = GREETING

    # Falcon answers OPTIONS by itself, HEAD not.
    on_head = on_get

    async def on_post(self, request: Request, answer: Response) -> None:
        answer.media = {"received": await request.get_media()}


class Item:
    async def on_get(self, request: Request, answer: Response, number: int, name: str) -> None:
        found = request.get_param_as_list("q")
        answer.media = {"number": number, "name": name, "q": found}


class Form:
    async def on_post(self, request: Request, answer: Response) -> None:
        fields = await request.get_media()
        answer.media = {"name": fields["name"], "colours": fields["colour"]}


class Upload:
    async def on_post(self, request: Request, answer: Response) -> None:
        note, name, content = "", "", b""
        async for part in await request.get_media():
            if part.name == "note":
                note = await part.text
            else:
                name, content = part.filename, await part.stream.read()
        answer.media = described(note, name, content)


class Stream:
    async def on_get(self, _request: Request, answer: Response) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"first\n"
            await asyncio.to_thread(pass_gate)
            yield b"second\n"

        answer.stream = pieces()


class Many:
    async def on_get(self, _request: Request, answer: Response) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(PIECES):
                yield PIECE

        answer.stream = pieces()


class Broken:
    async def on_get(self, _request: Request, answer: Response) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"first\n"
            raise RuntimeError("in the middle")

        answer.stream = pieces()


class Events:
    async def on_get(self, _request: Request, answer: Response) -> None:
        async def pieces() -> AsyncIterator[SSEvent]:
            yield SSEvent(text="0")
            await asyncio.to_thread(pass_gate)
            yield SSEvent(text="1")

        answer.sse = pieces()


class Ticks:
    async def on_get(self, _request: Request, answer: Response) -> None:
        async def pieces() -> AsyncIterator[SSEvent]:
            try:
                while True:
                    yield SSEvent(text="tick")
                    await asyncio.sleep(0.01)
            finally:
                mark("left")

        answer.sse = pieces()


class Background:
    async def on_post(self, _request: Request, answer: Response) -> None:
        async def later() -> None:
            await asyncio.to_thread(pass_gate)
            mark("background")

        answer.status = 202
        answer.schedule(later)


class Error:
    async def on_get(self, _request: Request, _answer: Response) -> None:
        raise RuntimeError(SECRET)


class Redirect:
    async def on_get(self, _request: Request, answer: Response) -> None:
        answer.set_cookie("one", "1", secure=False)
        answer.set_cookie("two", "2", secure=False)
        answer.status = 302
        answer.location = "/json"


class Cookies:
    async def on_get(self, request: Request, answer: Response) -> None:
        answer.media = request.cookies


class Seen:
    async def on_get(self, request: Request, answer: Response) -> None:
        answer.media = {
            "client": request.remote_addr,
            "scheme": request.scheme,
            "host": request.netloc,
            "path": request.path,
        }


class Echo:
    async def on_websocket(self, _request: Request, socket: WebSocket) -> None:
        await socket.accept(subprotocol="chat.v2" if "chat.v2" in socket.subprotocols else None)
        try:
            while (heard := await socket.receive_text()) != "end":
                await socket.send_text(heard)
            await socket.close(4321, "bye")
        except falcon.WebSocketDisconnected as gone:
            mark("code", str(gone.code))


class EchoBytes:
    async def on_websocket(self, _request: Request, socket: WebSocket) -> None:
        await socket.accept()
        with contextlib.suppress(falcon.WebSocketDisconnected):
            while True:
                await socket.send_data(await socket.receive_data())


class Refuse:
    async def on_websocket(self, _request: Request, socket: WebSocket) -> None:
        await socket.close()


lifespan = Lifespan()
application = falcon.asgi.App(middleware=[lifespan])
application.add_route("/json", Json())
application.add_route("/items/{number:int}/{name}", Item())
application.add_route("/form", Form())
application.add_route("/upload", Upload())
application.add_route("/stream", Stream())
application.add_route("/many", Many())
application.add_route("/broken", Broken())
application.add_route("/events", Events())
application.add_route("/ticks", Ticks())
application.add_route("/background", Background())
application.add_route("/error", Error())
application.add_route("/redirect", Redirect())
application.add_route("/cookies", Cookies())
application.add_route("/seen/ä", Seen())
application.add_route("/lifespan", lifespan)
application.add_route("/ws", Echo())
application.add_route("/ws/bytes", EchoBytes())
application.add_route("/ws/refused", Refuse())
