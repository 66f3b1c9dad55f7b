"""Answers with length and digest of the request's body."""

import hashlib
import json
import os
from wsgiref.validate import validator


@validator
def application(environ, start_response):
    """Read the body to its end, in pieces."""
    digest, length = hashlib.sha256(), 0
    while piece := environ["wsgi.input"].read(65536):
        digest.update(piece)
        length += len(piece)
    told = {
        "length": length,
        "sha256": digest.hexdigest(),
        "content_length": environ.get("CONTENT_LENGTH"),
        "transfer_encoding": environ.get("HTTP_TRANSFER_ENCODING"),
        "pid": os.getpid(),
    }
    body = json.dumps(told).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]
