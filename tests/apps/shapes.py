"""Every shape that PEP 3333 lets an answer have; the path says which."""

import io
import os
import sys
from wsgiref.validate import validator

TEXT = [("Content-Type", "text/plain")]


class Closing:
    """An iterable that leaves a mark in the folder MARKS when it is closed."""

    def __init__(self, pieces):
        """Give these pieces."""
        self._pieces = pieces

    def __iter__(self):
        """Iterate over the pieces."""
        return iter(self._pieces)

    def close(self):
        """Leave the mark."""
        with open(os.path.join(os.environ["MARKS"], "closed"), "a") as marks:
            marks.write("closed\n")


def generator(environ, start_response):
    """Give three pieces, an empty one among them."""
    start_response("200 OK", TEXT)
    yield b"a"
    yield b""
    yield b"b"


def late_start(environ, start_response):
    """Call start_response only when the first piece is asked for."""
    start_response("202 Accepted", TEXT)
    yield b"late"


def write(environ, start_response):
    """Use the imperative write and an iterable after it."""
    put = start_response("200 OK", TEXT)
    put(b"a")
    put(b"b")
    return [b"c"]


def twice(environ, start_response):
    """Start two answers, which is forbidden without exc_info."""
    start_response("200 OK", TEXT)
    start_response("201 Created", TEXT)
    return [b"never"]


def replaced(environ, start_response):
    """Replace an answer of which nothing was sent."""
    start_response("200 OK", [*TEXT, ("X-First", "1")])
    try:
        raise ValueError("before anything was sent")
    except ValueError:
        start_response("503 Replaced", [*TEXT, ("X-Second", "2")], sys.exc_info())
    return [b"replaced"]


def replaced_late(environ, start_response):
    """Try to replace an answer that is on its way: start_response raises what happened."""
    start_response("200 OK", TEXT)
    yield b"sent"
    try:
        raise ValueError("after a part was sent")
    except ValueError:
        start_response("500 Oops", TEXT, sys.exc_info())
    yield b"never"


def nothing(environ, start_response):
    """Give no piece at all."""
    start_response("200 OK", TEXT)
    return []


def reason(environ, start_response):
    """Use a status and a reason that nobody knows."""
    start_response("299 Quite Fine", TEXT)
    return [b"x"]


def no_content(environ, start_response):
    """Answer 204."""
    start_response("204 No Content", [])
    return []


def not_modified(environ, start_response):
    """Answer 304."""
    start_response("304 Not Modified", [("ETag", '"1"')])
    return []


def cookies(environ, start_response):
    """Send a header twice, and a value in latin-1."""
    start_response(
        "200 OK", [*TEXT, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Latin", "\xe4")]
    )
    return [b"x"]


def file(environ, start_response):
    """Send a file by wsgi.file_wrapper."""
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return environ["wsgi.file_wrapper"](io.BytesIO(bytes(range(256)) * 4096), 8192)


def closing(environ, start_response):
    """Be told when it is over."""
    start_response("200 OK", TEXT)
    return Closing([b"a", b"b"])


def partial(environ, start_response):
    """Read only a part of the request's body."""
    part = environ["wsgi.input"].read(3)
    start_response("200 OK", TEXT)
    return [part]


def lines(environ, start_response):
    """Read the body in every way that PEP 3333 names."""
    body = environ["wsgi.input"]
    first, some, rest = body.readline(), body.readlines(1), list(body)
    start_response("200 OK", TEXT)
    return [repr((first, some, rest)).encode()]


def many(environ, start_response):
    """Give many small pieces."""
    start_response("200 OK", TEXT)
    return (b"%d," % number for number in range(5000))


def error_stream(environ, start_response):
    """Write into wsgi.errors."""
    environ["wsgi.errors"].write("a word for the error stream\n")
    environ["wsgi.errors"].flush()
    start_response("200 OK", TEXT)
    return [b"x"]


SHAPES = {name: value for name, value in globals().items() if callable(value)}


@validator
def application(environ, start_response):
    """Answer in the shape that the path names."""
    return SHAPES[environ["PATH_INFO"].strip("/")](environ, start_response)
