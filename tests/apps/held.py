"""Stops inside a request until the test lets it go (see `hold.py` beside the tests).

`/` stops before it answers, `/half` after the first half of its answer; `/free` does not stop, and
`/exit` leaves the interpreter.
"""

import os
import sys
from wsgiref.validate import validator


def stop_here():
    """Tell who stopped, and wait for one byte."""
    folder = os.environ["HOLD"]
    with open(os.path.join(folder, "entered"), "a") as entered:
        entered.write(f"{os.getpid()}\n")
    with open(os.path.join(folder, "gate"), "rb", buffering=0) as gate:
        gate.read(1)


def halves():
    """Give one half, stop, give the other."""
    yield b"first,"
    stop_here()
    yield b"second"


@validator
def application(environ, start_response):
    """Stop where the path says."""
    path = environ["PATH_INFO"]
    if path == "/exit":
        sys.exit(3)
    if path == "/":
        stop_here()
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Pid", str(os.getpid()))])
    return halves() if path == "/half" else [b"done"]
