"""Answers with what TLS said of the connection: `wsgi` from the environ, `asgi` from the scope."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the names that mod_ssl made common."""
    told = {
        name: value
        for name, value in environ.items()
        if "SSL_" in name or name in ("HTTPS", "wsgi.url_scheme")
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]


async def asgi(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Answer with the TLS extension."""
    if scope["type"] != "http":
        raise NotImplementedError
    told = {"scheme": scope["scheme"], "tls": scope["extensions"].get("tls")}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
