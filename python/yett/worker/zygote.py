"""The zygote: imports the application once, stays single-threaded, and forks workers.

It never answers a request and never starts a thread. The collector is off while it imports and
what was imported is frozen before the first fork, so that workers share those pages as long
as they can. When the program goes away, the zygote ends its workers and leaves.
"""

import contextlib
import gc
import json
import os
import platform
import selectors
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from typing import Any, NoReturn

from yett._yett import __version__
from yett.worker.control import Control
from yett.worker.link import run_worker
from yett.worker.load import Application, LoadError, load, put_first_on_path, summary
from yett.worker.sources import sources

#: Seconds that workers get to leave when the program is gone.
GRACE = 5.0


@dataclass(frozen=True)
class Settings:
    """What the program says on the command line."""

    control: int
    chdir: str
    app: str | None = None
    interface: str = "auto"
    threads: int = 1
    reload: bool = False


@dataclass
class Child:
    """A worker that was forked and not yet reaped."""

    worker: int
    pid: int
    pidfd: int


def main(arguments: list[str]) -> int:
    """Run the zygote; return its exit code."""
    known = Settings.__dataclass_fields__
    given: dict[str, Any] = json.loads(arguments[0])
    settings = Settings(**{name: value for name, value in given.items() if name in known})
    control = Control(settings.control)
    # Ctrl-C in a terminal and a service manager's SIGTERM are the program's business; it tells us
    # what to do. SIGTERM gets a handler that does nothing, as workers have it too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    gc.disable()
    try:
        application, manifest = _import(settings)
    except LoadError as error:
        failed = {"op": "failed", "stage": error.stage, "summary": error.summary}
        control.send_document(failed, error.detail)
        return 1
    gc.collect()
    gc.freeze()
    control.send_document({"op": "loaded"}, json.dumps(manifest))
    return Zygote(control, settings, application).run()


def _import(settings: Settings) -> tuple[Application, dict[str, Any]]:
    os.chdir(settings.chdir)
    put_first_on_path(settings.chdir)
    application = load(settings.app, settings.interface)
    manifest: dict[str, Any] = {
        "yett": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "app": {"spec": application.name, "interface": application.interface},
        "warnings": [],
        "django": None,
    }
    django = sys.modules.get("django")
    if django is not None:
        try:
            from django.conf import settings as django_settings

            if django_settings.configured:
                from yett.django.manifest import manifest as django_manifest

                manifest["django"] = django_manifest(application.callable)
                manifest["warnings"] += _leftovers()
        except Exception as error:
            detail = "".join(traceback.format_exception(error))
            raise LoadError("manifest", summary(error), detail) from error
    if settings.reload:
        manifest["sources"] = sources()
    manifest["threads"] = _threads()
    return application, manifest


def _leftovers() -> list[str]:
    from yett.django.leftovers import leftovers

    try:
        return leftovers()
    except Exception as error:
        # Advice alone: no reason not to serve.
        return [f"what is left of simplejwt could not be looked for: {summary(error)}"]


def _threads() -> list[str]:
    """Name the threads that importing started: a fork would leave them behind."""
    names = [thread.name for thread in threading.enumerate()]
    main_thread = threading.main_thread().name
    for task in sorted(os.listdir("/proc/self/task"), key=int):
        if int(task) != os.getpid() and len(names) < len(os.listdir("/proc/self/task")):
            with contextlib.suppress(OSError), open(f"/proc/self/task/{task}/comm") as comm:
                names.append(f"{comm.read().strip()} (native)")
    return [name for name in names if name != main_thread]


class Zygote:
    """Waits for orders and for the ends of its children."""

    def __init__(self, control: Control, settings: Settings, application: Application) -> None:
        self._control = control
        self._settings = settings
        self._application = application
        self._children: dict[int, Child] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._ending = False

    def run(self) -> int:
        """Serve orders until told to leave."""
        while not (self._ending and not self._children):
            for key, _events in self._selector.select():
                if key.fileobj is self._control:
                    if not self._order():
                        return self._abandoned()
                else:
                    self._reap(self._children[key.fd])
        return 0

    def _order(self) -> bool:
        received = self._control.receive()
        if received is None:
            return False
        message, descriptors = received
        match message["op"]:
            case "fork" if descriptors:
                self._fork(message["worker"], descriptors[0])
            case "end":
                self._ending = True
        return True

    def _fork(self, worker: int, link: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._become_worker(link)
        os.close(link)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = Child(worker, pid, pidfd)
        self._selector.register(pidfd, selectors.EVENT_READ)
        self._control.send({"op": "forked", "worker": worker, "pid": pid}, pidfd)

    def _become_worker(self, link: int) -> NoReturn:
        code = 1
        try:
            self._selector.close()
            self._control.close()
            for child in self._children.values():
                os.close(child.pidfd)
            code = run_worker(self._application.callable, link, threads=self._settings.threads)
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            # Not `sys.exit`: that would unwind into the zygote's own frames.
            os._exit(code)

    def _reap(self, child: Child) -> None:
        _pid, status = os.waitpid(child.pid, 0)
        self._selector.unregister(child.pidfd)
        del self._children[child.pidfd]
        os.close(child.pidfd)
        signalled = os.WIFSIGNALED(status)
        self._control.send(
            {
                "op": "exited",
                "worker": child.worker,
                "pid": child.pid,
                "code": None if signalled else os.waitstatus_to_exitcode(status),
                "signal": os.WTERMSIG(status) if signalled else None,
            }
        )

    def _abandoned(self) -> int:
        """End the children: nobody is left whose requests they could answer.

        Their links are closed as well, so those that are not stuck leave by themselves.
        """
        self._selector.unregister(self._control)
        until = time.monotonic() + GRACE
        while self._children and (left := until - time.monotonic()) > 0:
            for key, _events in self._selector.select(left):
                self._reap(self._children[key.fd])
        self._signal_all(signal.SIGKILL)
        return 1

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._children.values():
            # Ours and not reaped yet, so the descriptor still means this process.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(child.pidfd, number)
