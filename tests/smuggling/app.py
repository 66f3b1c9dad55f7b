"""Answers each request with what it saw of it: method, path and body."""

from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Say `METHOD PATH BODY`, the body as Python writes bytes."""
    length = environ.get("CONTENT_LENGTH")
    stream = environ["wsgi.input"]
    if length:
        body = stream.read(int(length))
    elif "HTTP_TRANSFER_ENCODING" in environ or environ.get("wsgi.input_terminated"):
        body = stream.read()
    else:
        body = b""
    told = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')} {body!r}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(told)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [told]
