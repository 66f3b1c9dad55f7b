"""Answers that break the rules, and applications that fail; the path says which.

Not validated: the point is what the server does when nobody stops the application.
"""

import os
import sys

TEXT = ("Content-Type", "text/plain")


def short(environ, start_response):
    """Announce more than it gives, in pieces."""
    start_response("200 OK", [TEXT, ("Content-Length", "10")])
    yield b"ab"
    yield b"cd"


def short_list(environ, start_response):
    """Announce more than it gives, in one piece."""
    start_response("200 OK", [TEXT, ("Content-Length", "10")])
    return [b"abcd"]


def long(environ, start_response):
    """Announce less than it gives, in pieces."""
    start_response("200 OK", [TEXT, ("Content-Length", "4")])
    yield b"abc"
    yield b"HTTP/1.1 200 OK\r\n\r\n"


def long_list(environ, start_response):
    """Announce less than it gives, in one piece."""
    start_response("200 OK", [TEXT, ("Content-Length", "4")])
    return [b"abcdefgh"]


def no_number(environ, start_response):
    """Announce no number."""
    start_response("200 OK", [TEXT, ("Content-Length", "+4")])
    return [b"abcd"]


def two_lengths(environ, start_response):
    """Announce two lengths."""
    start_response("200 OK", [TEXT, ("Content-Length", "4"), ("Content-Length", "5")])
    return [b"abcd"]


def own_framing(environ, start_response):
    """Set headers that belong to the connection."""
    start_response(
        "200 OK",
        [TEXT, ("Transfer-Encoding", "chunked"), ("Connection", "close"), ("Upgrade", "x")],
    )
    return [b"abcd"]


def newline_in_value(environ, start_response):
    """Try to add a header by another's value."""
    start_response("200 OK", [TEXT, ("X-A", "1\r\nX-Injected: 2")])
    return [b"x"]


def newline_in_name(environ, start_response):
    """Try to add a header by another's name."""
    start_response("200 OK", [TEXT, ("X-A: 1\r\nX-Injected", "2")])
    return [b"x"]


def newline_in_status(environ, start_response):
    """Try to add a header by the reason."""
    start_response("200 OK\r\nX-Injected: 2", [TEXT])
    return [b"x"]


def nul_in_value(environ, start_response):
    """Send a NUL."""
    start_response("200 OK", [TEXT, ("X-A", "1\0")])
    return [b"x"]


def informational(environ, start_response):
    """Answer with a status that is not final."""
    start_response("100 Continue", [TEXT])
    return [b"x"]


def no_status(environ, start_response):
    """Answer with a status that is none."""
    start_response("fine", [TEXT])
    return [b"x"]


def other_status(environ, start_response):
    """Answer with the status that the query says."""
    start_response(environ["QUERY_STRING"].replace("_", " "), [TEXT])
    return [b"x"]


def never_started(environ, start_response):
    """Give a body without a head."""
    return [b"x"]


def text_body(environ, start_response):
    """Give text where bytes belong."""
    start_response("200 OK", [TEXT])
    return ["x"]


def returns_none(environ, start_response):
    """Return nothing that could be iterated."""
    start_response("200 OK", [TEXT])


def raises(environ, start_response):
    """Raise before an answer."""
    raise LookupError("the secret of the traceback")


def raises_late(environ, start_response):
    """Raise in the middle of an answer."""
    start_response("200 OK", [TEXT])
    yield b"first"
    raise LookupError("the secret of the traceback")


def raises_in_close(environ, start_response):
    """Raise when it is closed."""

    class Closing(list):
        def close(self):
            raise LookupError("the secret of the traceback")

    start_response("200 OK", [TEXT])
    return Closing([b"complete"])


def exits(environ, start_response):
    """Leave the interpreter."""
    sys.exit(3)


def dies(environ, start_response):
    """End the process at once, whatever the method."""
    os._exit(7)


class Broken:
    """A stream whose reader is gone."""

    def write(self, _text):
        """Fail as a write into a closed pipe does."""
        raise BrokenPipeError(32, "Broken pipe")

    flush = write


def raises_with_closed_stderr(environ, start_response):
    """Raise where the traceback cannot be written."""
    sys.stderr = Broken()
    raise RuntimeError("nobody reads this")


def fine(environ, start_response):
    """Answer."""
    start_response("200 OK", [TEXT, ("X-Pid", str(os.getpid()))])
    return [b"fine"]


KINDS = {name: value for name, value in globals().items() if callable(value)}


def application(environ, start_response):
    """Go wrong in the way that the path names."""
    return KINDS[environ["PATH_INFO"].strip("/")](environ, start_response)
