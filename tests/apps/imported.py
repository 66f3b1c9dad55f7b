"""Says who imported it, and how things stand in the worker.

What it does while it is imported is in the variable `AT_IMPORT`, as a list separated by commas:
`thread` starts a thread of Python's, `native` one that Python does not know, `careful` one that
ends before a fork and so loses nothing by it, `pool` a pool that nobody holds afterwards, `mark`
lengthens an environment variable.
"""

import ctypes
import gc
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor

IMPORTED_BY = os.getpid()
LIBC = ctypes.CDLL(None, use_errno=True)


def native_thread():
    """Start a thread behind Python's back; return its handle."""
    handle = ctypes.c_ulong()
    pause = ctypes.cast(LIBC.pause, ctypes.c_void_p)
    assert LIBC.pthread_create(ctypes.byref(handle), None, pause, None) == 0
    return handle


def careful_thread():
    """Start one as OpenBLAS does: it is ended before each fork."""
    handle = native_thread()

    @ctypes.CFUNCTYPE(None)
    def prepare():
        if handle.value:
            LIBC.pthread_cancel(handle)
            LIBC.pthread_join(handle, None)
            handle.value = 0

    LIBC.__register_atfork(prepare, None, None, None)
    return prepare


for what in os.environ.get("AT_IMPORT", "").split(","):
    if what == "thread":
        threading.Thread(target=threading.Event().wait, name="exporter", daemon=True).start()
    if what == "native":
        native_thread()
    if what == "careful":
        KEPT = careful_thread()
    if what == "pool":
        POOL = ThreadPoolExecutor(1)
        POOL.submit(print).result()
        POOL.itself = POOL
        del POOL
    if what == "mark":
        os.environ["MARKS"] = os.environ.get("MARKS", "") + "x"


def application(environ, start_response):
    """Tell it as JSON."""
    told = {
        "pid": os.getpid(),
        "imported_by": IMPORTED_BY,
        "threads": [thread.name for thread in threading.enumerate()],
        "collector": gc.isenabled(),
        "frozen": gc.get_freeze_count(),
        "marks": os.environ.get("MARKS", ""),
    }
    headers = [("Content-Type", "application/json"), ("X-Pid", str(os.getpid()))]
    start_response("200 OK", headers)
    return [json.dumps(told).encode()]
