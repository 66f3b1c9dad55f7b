"""Forks in a request and lets the child come back from it, in the way that the path says.

`answered` answers in both, `streamed` and `written` in pieces, `raised` raises in the child,
`exited` calls `sys.exit(7)` there, `quiet` `sys.exit()`. The answer is how the child ended.
"""

import asyncio
import os
import sys


def split(path):
    """Fork; return how the child ended, and in the child `None` unless it leaves otherwise."""
    child = os.fork()
    if child == 0:
        if path == "/raised":
            raise LookupError("in the child")
        if path == "/exited":
            sys.exit(7)
        if path == "/quiet":
            print("the last words of the child", end="")
            sys.exit()
        return None
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def application(environ, start_response):
    """Answer as a WSGI application."""
    path = environ["PATH_INFO"]
    told = str(split(path)).encode()
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/written":
        write(told)
        return []
    return (each for each in [told]) if path == "/streamed" else [told]


async def looped(scope, receive, send):
    """Answer as an ASGI application."""
    assert scope["type"] == "http"
    path = scope["path"]
    told = str(split(path)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if path == "/streamed":
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": told})
