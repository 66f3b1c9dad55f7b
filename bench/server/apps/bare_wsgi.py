"""A bare WSGI application: `/` 13 bytes, `/big` 100 KiB, `/echo` what was sent."""

from collections.abc import Callable
from typing import Any

HELLO = b"Hello, World!"
BIG = b"x" * (100 * 1024)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer."""
    path = environ["PATH_INFO"]
    if path == "/big":
        body = BIG
    elif path == "/echo":
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    else:
        body = HELLO
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]
