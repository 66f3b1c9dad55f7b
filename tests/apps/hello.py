"""Answers with a greeting and the worker's process id."""

import os
from wsgiref.validate import validator


def bare(environ, start_response):
    """Answer with one piece in a list, whose length a server can see."""
    headers = [("Content-Type", "text/plain"), ("X-Pid", str(os.getpid()))]
    start_response("200 OK", headers)
    return [b"hello\n"]


def large(environ, start_response):
    """Answer with 16 MiB in one piece."""
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [bytes(16 << 20)]


application = validator(bare)
