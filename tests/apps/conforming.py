"""What PEP 3333 asks of a server beyond the shapes of an answer; the path says which clause.

The folder MARKS tells what happened in here.
"""

import itertools
import os
from wsgiref.validate import validator

TEXT = [("Content-Type", "text/plain")]


def mark(word):
    """Leave a word in the folder."""
    with open(os.path.join(os.environ["MARKS"], "marks"), "a") as marks:
        marks.write(f"{word}\n")


class Closing:
    """An iterable that says when it is closed."""

    def __init__(self, name, pieces):
        """Give these pieces."""
        self._name, self._pieces = name, pieces

    def __iter__(self):
        """Iterate over the pieces."""
        return iter(self._pieces)

    def close(self):
        """Say so."""
        mark(f"{self._name} closed")


def _failing():
    yield b"a"
    raise ValueError("in the middle")


def fails(environ, start_response):
    """Raise in the iterable."""
    start_response("200 OK", TEXT)
    return Closing("fails", _failing())


def fails_first(environ, start_response):
    """Raise before the first piece."""
    start_response("200 OK", TEXT)
    return Closing("fails_first", (1 // 0 for _ in [b"a"]))


def headless(environ, start_response):
    """Never call start_response, and be closed all the same."""
    return Closing("headless", [b"a"])


def endless(environ, start_response):
    """Go on until the client leaves."""
    start_response("200 OK", TEXT)
    return Closing("endless", itertools.repeat(b"x" * 65536))


def bodyless(environ, start_response):
    """Answer 304 with an iterable that has pieces."""
    start_response("304 Not Modified", [("ETag", '"1"')])
    return Closing("bodyless", [b""])


def single(environ, start_response):
    """Give an object of one piece that says its length."""

    class Single(Closing):
        def __len__(self):
            return 1

    start_response("200 OK", TEXT)
    return Single("single", [b"one"])


def several(environ, start_response):
    """Give a list of several pieces."""
    start_response("200 OK", TEXT)
    return [b"a", b"", b"b", b"c"]


def reads(environ, start_response):
    """Read the body in every way, at its end as well."""
    body = environ["wsgi.input"]
    told = [
        body.read(0),
        body.readline(),
        body.readline(2),
        body.readline(100),
        body.readlines(1),
        body.read(3),
        next(iter(body)),
    ]
    rest = 0
    while piece := body.read(10_000):
        rest += len(piece)
    told += [rest, body.read(1), body.readline(), body.readlines(), list(body)]
    start_response("200 OK", TEXT)
    return [repr(told).encode()]


def ignores(environ, start_response):
    """Never look at the body."""
    mark("asked")
    start_response("200 OK", TEXT)
    return [b"ignored"]


def hints(environ, start_response):
    """Send early hints, and too late ones."""
    send = environ["wsgi.early_hints"]
    send([("Link", "</a.css>; rel=preload; as=style")])
    send([("Link", "</b.js>; rel=preload")])
    for bad in ([("Link", "a\r\nX: b")], [("", "a")], [("Link", 1)]):
        try:
            send(bad)
        except (TypeError, ValueError):
            mark("refused")
    start_response("200 OK", [*TEXT, ("Content-Length", "2")])
    yield b"a"
    send([("Link", "</late>")])
    yield b"b"


CLAUSES = {name: value for name, value in globals().items() if callable(value)}


def plain(environ, start_response):
    """Answer as the path says."""
    return CLAUSES[environ["PATH_INFO"].strip("/")](environ, start_response)


application = validator(plain)
