"""Flask."""

from collections.abc import Iterator

from flask import Flask, Response, jsonify, request
from flask import redirect as to
from held import GREETING, PIECE, PIECES, SECRET, described, pass_gate

application = Flask(__name__)


@application.route("/json", methods=["GET", "POST"])
def json() -> Response:
    return jsonify({"received": request.json} if request.method == "POST" else GREETING)


@application.get("/items/<int:number>/<name>")
def item(number: int, name: str) -> Response:
    return jsonify(number=number, name=name, q=request.args.getlist("q"))


@application.post("/form")
def form() -> Response:
    return jsonify(name=request.form["name"], colours=request.form.getlist("colour"))


@application.post("/upload")
def upload() -> Response:
    file = request.files["file"]
    return jsonify(described(request.form["note"], file.filename or "", file.read()))


@application.get("/stream")
def stream() -> Response:
    def pieces() -> Iterator[bytes]:
        yield b"first\n"
        pass_gate()
        yield b"second\n"

    return Response(pieces(), mimetype="text/plain")


@application.get("/many")
def many() -> Response:
    return Response(PIECE for _ in range(PIECES))


@application.get("/broken")
def broken() -> Response:
    def pieces() -> Iterator[bytes]:
        yield b"first\n"
        raise RuntimeError("in the middle")

    return Response(pieces())


@application.get("/error")
def error() -> Response:
    raise RuntimeError(SECRET)


@application.get("/redirect")
def redirect() -> Response:
    answer = to("/json")
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


@application.get("/cookies")
def cookies() -> Response:
    return jsonify(request.cookies)


@application.get("/seen/ä")
def seen() -> Response:
    return jsonify(
        client=request.remote_addr, scheme=request.scheme, host=request.host, path=request.path
    )
