"""Answers with the environ as JSON; what is no text or number is named by its type."""

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
