"""Falcon under WSGI."""

from collections.abc import Iterator

import falcon
from falcon import Request, Response
from held import GREETING, PIECE, PIECES, SECRET, described, pass_gate


class Json:
    def on_get(self, _request: Request, answer: Response) -> None:
        answer.media = GREETING

    # Falcon answers OPTIONS by itself, HEAD not.
    on_head = on_get

    def on_post(self, request: Request, answer: Response) -> None:
        answer.media = {"received": request.get_media()}


class Item:
    def on_get(self, request: Request, answer: Response, number: int, name: str) -> None:
        found = request.get_param_as_list("q")
        answer.media = {"number": number, "name": name, "q": found}


class Form:
    def on_post(self, request: Request, answer: Response) -> None:
        fields = request.get_media()
        answer.media = {"name": fields["name"], "colours": fields["colour"]}


class Upload:
    def on_post(self, request: Request, answer: Response) -> None:
        note, name, content = "", "", b""
        for part in request.get_media():
            if part.name == "note":
                note = part.text
            else:
                name, content = part.filename, part.stream.read()
        answer.media = described(note, name, content)


class Stream:
    def on_get(self, _request: Request, answer: Response) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"first\n"
            pass_gate()
            yield b"second\n"

        answer.stream = pieces()


class Many:
    def on_get(self, _request: Request, answer: Response) -> None:
        answer.stream = (PIECE for _ in range(PIECES))


class Broken:
    def on_get(self, _request: Request, answer: Response) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"first\n"
            raise RuntimeError("in the middle")

        answer.stream = pieces()


class Error:
    def on_get(self, _request: Request, _answer: Response) -> None:
        raise RuntimeError(SECRET)


class Redirect:
    def on_get(self, _request: Request, answer: Response) -> None:
        answer.set_cookie("one", "1", secure=False)
        answer.set_cookie("two", "2", secure=False)
        answer.status = 302
        answer.location = "/json"


class Cookies:
    def on_get(self, request: Request, answer: Response) -> None:
        answer.media = request.cookies


class Seen:
    def on_get(self, request: Request, answer: Response) -> None:
        answer.media = {
            "client": request.remote_addr,
            "scheme": request.scheme,
            "host": request.netloc,
            "path": request.path,
        }


application = falcon.App()
application.add_route("/json", Json())
application.add_route("/items/{number:int}/{name}", Item())
application.add_route("/form", Form())
application.add_route("/upload", Upload())
application.add_route("/stream", Stream())
application.add_route("/many", Many())
application.add_route("/broken", Broken())
application.add_route("/error", Error())
application.add_route("/redirect", Redirect())
application.add_route("/cookies", Cookies())
application.add_route("/seen/ä", Seen())
