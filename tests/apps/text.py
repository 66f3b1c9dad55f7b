"""Text worth compressing, under a strong entity tag.

`/` is one text and `/long` the same many times; both answer `If-None-Match` and `If-Match` as the
tag demands. `/stream` gives one word, and a second one when the file `go` is in the folder STREAM.
`/break` raises behind its first word.
"""

import os
import time

TAG = '"v1"'
TEXT = "".join(f"Line {number} of a text that repeats itself.\n" for number in range(100))
HEADERS = [("Content-Type", "text/plain; charset=utf-8")]


def words(path):
    """Give the words of a stream."""
    yield b"first "
    if path == "/break":
        raise RuntimeError("broken on purpose")
    go = os.path.join(os.environ["STREAM"], "go")
    while not os.path.exists(go):
        time.sleep(0.01)
    yield b"second"


def application(environ, start_response):
    """Answer with text."""
    path = environ["PATH_INFO"]
    if path in ("/stream", "/break"):
        start_response("200 OK", HEADERS)
        return words(path)
    if environ.get("HTTP_IF_NONE_MATCH") == TAG:
        start_response("304 Not Modified", [("ETag", TAG)])
        return []
    if environ.get("HTTP_IF_MATCH", TAG) != TAG:
        start_response("412 Precondition Failed", HEADERS)
        return [b"another version"]
    body = TEXT.encode() * (200 if path == "/long" else 1)
    start_response("200 OK", [*HEADERS, ("ETag", TAG), ("Content-Length", str(len(body)))])
    return [body]
