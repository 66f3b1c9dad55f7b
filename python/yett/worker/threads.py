"""Which threads a fork would leave behind.

A fork takes along the calling thread alone. What the others were for (an exporter, a pool, a
watcher) is silently missing in every worker, and a lock that one of them held stays locked there.
"""

import contextlib
import gc
import os
import select
import signal
import threading
import time
import warnings
from collections.abc import Callable

#: How long a fork on trial may take, in seconds; a child that hangs is the answer as well.
PATIENCE = 2.0
#: How long a thread that is about to end may still be there, in seconds.
LINGER = 0.2


def left_behind() -> list[str]:
    """Name the threads of this process, besides the main one, that a fork does not take care of.

    Libraries such as OpenBLAS (NumPy) start threads when they are imported, and know about forks:
    they end their threads before each fork, and start new ones when they need them. So where there
    are only threads that Python does not know, a fork on trial shows which are to stay.
    """
    if len(os.listdir("/proc/self/task")) == 1:
        return []
    # A pool that nobody holds any more ends its threads when it is collected.
    gc.collect()
    pythonic = _lasting(_known_to_python)
    if pythonic:
        return pythonic + _unknown_to_python()
    if _unknown_to_python():
        _fork_on_trial()
    return _lasting(_unknown_to_python)


def _lasting(names: Callable[[], list[str]]) -> list[str]:
    """Return the threads that do not end by themselves in a moment."""
    until = time.monotonic() + LINGER
    while (found := names()) and time.monotonic() < until:
        time.sleep(0.001)
    return found


def _known_to_python() -> list[str]:
    main = threading.main_thread()
    return [thread.name for thread in threading.enumerate() if thread is not main]


def _unknown_to_python() -> list[str]:
    known = {thread.native_id for thread in threading.enumerate()}
    names = []
    for task in sorted(os.listdir("/proc/self/task"), key=int):
        if int(task) in known or int(task) == os.getpid():
            continue
        # One that ends in this moment is none.
        with contextlib.suppress(OSError), open(f"/proc/self/task/{task}/comm") as comm:
            names.append(f"{comm.read().strip()} (native)")
    return names


def _fork_on_trial() -> None:
    with warnings.catch_warnings():
        # Python 3.12 and later warn of the very thing that is found out here.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        os._exit(0)
    process = os.pidfd_open(pid)
    try:
        if not select.select([process], [], [], PATIENCE)[0]:
            os.kill(pid, signal.SIGKILL)
        # Nobody is there to be waited for where the application ignores SIGCHLD.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    finally:
        os.close(process)
