"""Quart."""

import asyncio
from collections.abc import AsyncIterator

from held import GREETING, PIECE, PIECES, SECRET, described, mark, pass_gate
from quart import Quart, Response, abort, current_app, jsonify, request, websocket
from quart import redirect as to

application = Quart(__name__)


@application.before_serving
async def start() -> None:
    current_app.started = "yes"


@application.after_serving
async def end() -> None:
    mark("shutdown")


@application.route("/json", methods=["GET", "POST"])
async def json() -> Response:
    return jsonify({"received": await request.json} if request.method == "POST" else GREETING)


@application.get("/items/<int:number>/<name>")
async def item(number: int, name: str) -> Response:
    return jsonify(number=number, name=name, q=request.args.getlist("q"))


@application.post("/form")
async def form() -> Response:
    fields = await request.form
    return jsonify(name=fields["name"], colours=fields.getlist("colour"))


@application.post("/upload")
async def upload() -> Response:
    file = (await request.files)["file"]
    note = (await request.form)["note"]
    return jsonify(described(note, file.filename, file.read()))


@application.get("/stream")
async def stream() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first\n"
        await asyncio.to_thread(pass_gate)
        yield b"second\n"

    return Response(pieces(), mimetype="text/plain")


@application.get("/many")
async def many() -> Response:
    return Response(PIECE for _ in range(PIECES))


@application.get("/broken")
async def broken() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first\n"
        raise RuntimeError("in the middle")

    return Response(pieces())


@application.get("/events")
async def events() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"data: 0\n\n"
        await asyncio.to_thread(pass_gate)
        yield b"data: 1\n\n"

    return Response(pieces(), mimetype="text/event-stream")


@application.get("/ticks")
async def ticks() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"data: tick\n\n"
                await asyncio.sleep(0.01)
        finally:
            mark("left")

    answer = Response(pieces(), mimetype="text/event-stream")
    answer.timeout = None
    return answer


@application.post("/background")
async def background() -> tuple[str, int]:
    async def later() -> None:
        await asyncio.to_thread(pass_gate)
        mark("background")

    application.add_background_task(later)
    return "", 202


@application.get("/error")
async def error() -> Response:
    raise RuntimeError(SECRET)


@application.get("/redirect")
async def redirect() -> Response:
    answer = to("/json")
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


@application.get("/cookies")
async def cookies() -> Response:
    return jsonify(request.cookies)


@application.get("/seen/ä")
async def seen() -> Response:
    return jsonify(
        client=request.remote_addr, scheme=request.scheme, host=request.host, path=request.path
    )


@application.get("/lifespan")
async def started() -> Response:
    return jsonify(started=current_app.started)


@application.websocket("/ws")
async def echo() -> None:
    offered = websocket.requested_subprotocols
    await websocket.accept(subprotocol="chat.v2" if "chat.v2" in offered else None)
    while (heard := await websocket.receive()) != "end":
        await websocket.send(heard)
    await websocket.close(4321, "bye")


@application.websocket("/ws/bytes")
async def echo_bytes() -> None:
    while True:
        await websocket.send(await websocket.receive())


@application.websocket("/ws/refused")
async def refuse() -> None:
    abort(403)
