"""Answers with the environ or a scope's headers as JSON; other things are named by their type."""

import json
from wsgiref.validate import validator


@validator
def application(environ, start_response):
    """Tell the environ."""
    plain = (str, int, float, bool, type(None))
    told = {
        key: value if isinstance(value, plain) else f"<{type(value).__name__}>"
        for key, value in environ.items()
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]


async def headers(scope, _receive, send):
    """Tell the headers of an ASGI scope."""
    told = [[name.decode(), value.decode()] for name, value in scope["headers"]]
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
