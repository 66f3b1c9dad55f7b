"""Forks a process and ends it, as multiprocessing does."""

import os
import signal


def application(environ, start_response):
    """Answer with the signal that ended a process which would wait for ever."""
    begun, begin = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(begin, b"x")
        while True:
            signal.pause()
    os.read(begun, 1)
    os.close(begun)
    os.close(begin)
    os.kill(child, signal.SIGTERM)
    _, status = os.waitpid(child, 0)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [signal.Signals(os.WTERMSIG(status)).name.encode()]
