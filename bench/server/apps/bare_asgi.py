"""A bare ASGI application: 13 bytes.

It has no lifespan and says so by raising, as the specification lets it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

HELLO = b"Hello, World!"
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain"), (b"content-length", b"13")],
}
BODY = {"type": "http.response.body", "body": HELLO}


async def application(
    scope: dict[str, Any],
    _receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Answer."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await send(START)
    await send(BODY)
