"""Notes that it was called, and dies: before its answer at `/begun`, behind it at `/answered`.

What it wrote shows how often a request was executed.
"""

import os
import signal


def note(environ):
    """Write the request's number."""
    with open(os.environ["COUNTED"], "a") as file:
        file.write(environ["QUERY_STRING"] + "\n")


class Dying:
    """One piece; closing it kills the process, when the answer is written."""

    def __iter__(self):
        yield b"done"

    def close(self):
        """Die."""
        os.kill(os.getpid(), signal.SIGKILL)


def application(environ, start_response):
    """Count the request and die."""
    note(environ)
    if environ["PATH_INFO"] == "/begun":
        os.kill(os.getpid(), signal.SIGKILL)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
    return Dying()
