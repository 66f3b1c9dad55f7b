"""A worker of a WSGI application: answers requests from its link until the edge wants no more.

The main thread takes requests, one after the other. Only when it is at one that takes its time does
another thread take over, started at its first use. Each of them calls the application itself; there
is no thread between the link and the application.
"""

import atexit
import contextlib
import faulthandler
import gc
import os
import random
import resource
import sys
import threading
import traceback
from typing import Any

from yett._yett import WorkerLink, __version__
from yett.worker.files import FileWrapper
from yett.worker.signals import end_forked_children_by_them, outlive_term_and_int


def run_worker(application: Any, link: int, *, threads: int) -> int:
    """Serve the link that this descriptor is; return the worker's exit code."""
    after_fork()
    end = WorkerLink(link, threads)
    os.register_at_fork(after_in_child=end.disown)
    environ = {
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": threads > 1,
        # Always: at a reload the old processes and the new ones run side by side.
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": FileWrapper,
        "SERVER_SOFTWARE": f"yett/{__version__}",
    }
    others: list[threading.Thread] = []

    def start() -> bool:
        number = len(others) + 1
        thread = threading.Thread(
            target=_serve, args=(end, application, environ), name=f"yett-{number}", daemon=True
        )
        others.append(thread)
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:
            # The system gives no more threads. Those that run go on; this one is asked for again.
            others.remove(thread)
            _report_no_thread(error)
            return False
        return True

    # First, so that a worker that cannot watch its threads is never given a request.
    end.relieve(start)
    end.ready()
    code = _serve(end, application, environ)
    for thread in others:
        thread.join()
    atexit._run_exitfuncs()
    return code


def _serve(end: WorkerLink, application: Any, environ: dict[str, Any]) -> int:
    """Answer requests until the edge wants no more, or is gone.

    Whatever else ends a thread ends the worker: the edge counts on each of its threads, and a
    worker that is replaced has all of them again.
    """
    try:
        end.serve_wsgi(application, environ, report)
    except BaseException:
        with contextlib.suppress(Exception):
            traceback.print_exc()
        os._exit(1)
    return 0


def _report_no_thread(error: Exception) -> None:
    with contextlib.suppress(Exception):
        print(
            f"yett: a request takes its time and no other thread can be started: {error}; raise the"
            " service's limit of tasks (ulimit -u, TasksMax) or lower --threads",
            file=sys.stderr,
        )


def after_fork() -> None:
    """Make this process one of its own: nothing that two of them must not share stays."""
    gc.enable()
    # The edge ends a stuck worker by SIGABRT: every thread's traceback, then death.
    with contextlib.suppress(Exception):
        faulthandler.enable(all_threads=True)
    outlive_term_and_int()
    end_forked_children_by_them()
    # A worker that is stuck dies by SIGABRT; a core file would hold its keys and its users' data.
    _soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    random.seed()
    django_db = sys.modules.get("django.db")
    if django_db is not None:
        # A connection that importing opened must not be shared by two processes.
        with contextlib.suppress(Exception):
            django_db.connections.close_all()


def report(error: BaseException, environ: dict[str, Any], answered: bool) -> None:
    """Write what a request raised to the error stream.

    `sys.exit` in a request ends the request alone: the worker may be running others, and a thread
    less would be a place less that the edge still counts on.
    """
    write_report(error, f"{environ.get('REQUEST_METHOD')} {environ.get('REQUEST_URI')!r}", answered)


def write_report(error: BaseException, what: str, answered: bool) -> None:
    """Write an exception of the application's to the error stream; `what` names its request."""
    state = "after the answer had begun" if answered else "before it answered"
    # With nobody to read it, a traceback is lost; the request fails all the same.
    with contextlib.suppress(Exception):
        print(f"yett: the application raised {state}: {what}", file=sys.stderr)
        traceback.print_exception(error, file=sys.stderr)
