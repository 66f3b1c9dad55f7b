"""`yett.jwt` holds no lock of its own while Python code runs: each program here ends.

A key with half a surrogate pair is an exception in the making, which may run the garbage collector,
and so anybody's finalizers. They run apart: a deadlock holds the interpreter's lock.
"""

import os
import subprocess
import sys

BEGIN = """
import gc, threading
from yett import jwt

SECRET = "k" * 40
TOKEN = jwt.encode({}, SECRET)

def decode(key=SECRET):
    return jwt.decode(TOKEN, key, algorithms=["HS256"])

def provoke(finalizer):
    class Garbage:
        def __init__(self):
            self.cycle = self
        __del__ = finalizer

    gc.set_threshold(1)
    for _ in range(100):
        Garbage()
        try:
            decode("\\ud800" * 40)
        except UnicodeError:
            pass
"""

CALLS_AGAIN = """
provoke(lambda garbage: decode())
"""

WAITS_FOR_ANOTHER_THREAD = """
asked, answered = threading.Event(), threading.Event()

def other():
    while True:
        asked.wait()
        asked.clear()
        decode()
        answered.set()

def wait_for_other(garbage):
    answered.clear()
    asked.set()
    answered.wait()

threading.Thread(target=other, daemon=True).start()
provoke(wait_for_other)
"""


def assert_ends(program):
    command = [sys.executable, "-c", BEGIN + program + "print('over')"]
    # The time is a guard alone.
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ})
    assert run.stdout == "over\n", run.stderr


def test_a_finalizer_may_decode():
    assert_ends(CALLS_AGAIN)


def test_a_finalizer_may_wait_for_a_thread_that_decodes():
    assert_ends(WAITS_FOR_ANOTHER_THREAD)
