"""The zygote: imports the application once, stays single-threaded, and forks workers.

It never answers a request and never starts a thread. The collector is off while it imports and
what was imported is frozen before the first fork, so that workers share those pages as long
as they can. When the program goes away, the zygote ends its workers and leaves.

Without `preload`, or when importing started threads, the zygote has not imported the application:
each worker does, after it was forked. Nothing of the application then crosses a fork.

What is imported and made here is part of every start. So records are named tuples: a frozen
dataclass takes five times as long to make.
"""

import contextlib
import faulthandler
import gc
import json
import os
import resource
import selectors
import signal
import sys
import time
import traceback
from typing import Any, NamedTuple, NoReturn

from yett._yett import make_immortal
from yett.worker import link, signals
from yett.worker.control import Control
from yett.worker.describe import (
    ProgramGoneError,
    Wanted,
    describe,
    describe_apart,
    import_application,
)
from yett.worker.document import new_document
from yett.worker.load import Application, LoadError, warm

#: Seconds that workers get to leave when the program is gone.
GRACE = 5.0
#: The exit code of a worker that says in its report why it cannot start.
UNFIT = 3
#: The longest report that is read, in bytes.
LONGEST_REPORT = 1 << 20


class Settings(NamedTuple):
    """What the program says on the command line."""

    control: int
    chdir: str
    app: str | None = None
    interface: str = "auto"
    threads: int = 1
    #: Threads of the executor of an ASGI worker's loop; None: as many as Python thinks fit.
    executor: int | None = None
    #: Whether the manifest names the folders that the code comes from.
    reload: bool = False
    #: Whether the zygote imports the application, and not each worker.
    preload: bool = True
    #: A nameless file with the manifest, from the zygote that this one replaced.
    manifest: int | None = None
    loop: str = "auto"
    lifespan: str = "auto"
    grace: float = 30.0
    last_part: float = 3.0

    def wanted(self) -> Wanted:
        """Return what to import."""
        return Wanted(self.app, self.interface, self.chdir, self.loop, self.reload)


class Child(NamedTuple):
    """A worker that was forked and not yet reaped."""

    worker: int
    pid: int
    pidfd: int
    #: A nameless file, in which the worker says why it cannot start if it cannot.
    report: int


def main(arguments: list[str]) -> int:
    """Run the zygote; return its exit code."""
    known = Settings._fields
    given: dict[str, Any] = json.loads(arguments[0])
    settings = Settings(**{name: value for name, value in given.items() if name in known})
    control = Control(settings.control)
    # An import that ends this process shows where it stood.
    with contextlib.suppress(Exception):
        faulthandler.enable(all_threads=True)
    ours = signals.begin()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    gc.disable()
    environment = dict(os.environ)
    application: Application | None = None
    try:
        control.send({"op": "importing"})
        if settings.manifest is not None:
            manifest = _handed_over(settings.manifest)
        elif settings.preload:
            application = import_application(settings.wanted())
            manifest = describe(application, with_sources=settings.reload)
            if manifest["threads"]:
                ours.restore()
                _begin_anew(given, control, manifest, environment)
        else:
            manifest = describe_apart(control, settings.wanted())
    except LoadError as error:
        failed = {"op": "failed", "stage": error.stage, "summary": error.summary}
        control.send_document(failed, error.detail)
        return 1
    except ProgramGoneError:
        return 1
    # What the workers will all have is never counted and never collected, so its pages stay shared.
    # Nor is the import's garbage: to look for it takes a tenth of the start, and the holes that it
    # would leave are the first places that each worker writes to.
    if application is not None:
        make_immortal(gc.get_objects())
    gc.freeze()
    of_the_import = signals.Dispositions.now()
    ours.restore()
    control.send_document({"op": "loaded"}, json.dumps(manifest))
    return Zygote(control, settings, application, of_the_import).run()


def _begin_anew(
    given: dict[str, Any],
    control: Control,
    manifest: dict[str, Any],
    environment: dict[str, str],
) -> NoReturn:
    """Replace this process, in which threads run, by one without them that imports nothing.

    Its workers import for themselves. The manifest is handed over, so nothing is imported twice
    just to be described; the environment is the one from before the import.
    """
    document = new_document()
    os.set_inheritable(document, True)
    with open(document, "wb", closefd=False) as file:
        file.write(json.dumps(manifest).encode())
    control.share()
    again = json.dumps({**given, "preload": False, "manifest": document})
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    try:
        os.execve(sys.executable, [*sys.orig_argv[:-1], again], environment)
    except OSError as error:
        raise LoadError("python", f"{sys.executable} cannot be started again: {error}") from error


def _handed_over(document: int) -> dict[str, Any]:
    with open(document, "rb") as file:
        file.seek(0)
        manifest: dict[str, Any] = json.load(file)
    return manifest


class Zygote:
    """Waits for orders and for the ends of its children."""

    def __init__(
        self,
        control: Control,
        settings: Settings,
        application: Application | None,
        of_the_import: signals.Dispositions,
    ) -> None:
        self._control = control
        self._settings = settings
        self._application = application
        #: What the import has left; the workers' own.
        self._signals = of_the_import
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

    def _fork(self, worker: int, descriptor: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        report = new_document()
        pid = os.fork()
        if pid == 0:
            self._become_worker(descriptor, report)
        os.close(descriptor)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = Child(worker, pid, pidfd, report)
        self._selector.register(pidfd, selectors.EVENT_READ)
        self._control.send({"op": "forked", "worker": worker, "pid": pid}, pidfd)

    def _become_worker(self, descriptor: int, report: int) -> NoReturn:
        code = 1
        try:
            self._selector.close()
            self._control.close()
            for child in self._children.values():
                os.close(child.pidfd)
                os.close(child.report)
            self._signals.restore(but=signals.OF_THE_PROGRAM)
            code = self._work(self._application or self._import(), descriptor)
        except LoadError as error:
            # From the import, or from what an application does when it is started.
            code = UNFIT
            _write_report(report, error)
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            # Not `sys.exit`: that would unwind into the zygote's own frames.
            os._exit(code)

    def _work(self, application: Application, descriptor: int) -> int:
        settings = self._settings
        if application.interface == "asgi":
            from yett.worker import asgi

            loop = asgi.LoopSettings(
                settings.loop,
                settings.lifespan,
                settings.executor,
                settings.grace,
                settings.last_part,
            )
            return asgi.run_worker(application.callable, descriptor, loop)
        return link.run_worker(application.callable, descriptor, threads=settings.threads)

    def _import(self) -> Application:
        """Import the application in a worker, as the zygote would have done for it."""
        # An import that hangs is ended by SIGABRT: a traceback, and no core file.
        with contextlib.suppress(Exception):
            faulthandler.enable(all_threads=True)
        _soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
        settings = self._settings
        application = import_application(settings.wanted())
        warm()
        gc.collect()
        gc.freeze()
        return application

    def _reap(self, child: Child) -> None:
        code = number = None
        # Somebody else may have reaped it: code of the application's that is not Python.
        with contextlib.suppress(ChildProcessError):
            _pid, status = os.waitpid(child.pid, 0)
            if os.WIFSIGNALED(status):
                number = os.WTERMSIG(status)
            else:
                code = os.waitstatus_to_exitcode(status)
        self._selector.unregister(child.pidfd)
        del self._children[child.pidfd]
        os.close(child.pidfd)
        if code == UNFIT:
            self._pass_on(child)
        os.close(child.report)
        self._control.send(
            {
                "op": "exited",
                "worker": child.worker,
                "pid": child.pid,
                "code": code,
                "signal": number,
            }
        )

    def _pass_on(self, child: Child) -> None:
        """Tell the program why a worker could not start, if the worker said so."""
        with contextlib.suppress(ValueError, TypeError):
            summary, detail = json.loads(os.pread(child.report, LONGEST_REPORT, 0))
            unfit = {"op": "unfit", "worker": child.worker, "summary": str(summary)[:500]}
            self._control.send_document(unfit, str(detail))

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


def _write_report(report: int, error: LoadError) -> None:
    # The end of a traceback says most.
    detail = error.detail[-LONGEST_REPORT // 8 :]
    with contextlib.suppress(OSError):
        os.pwrite(report, json.dumps([error.summary, detail]).encode(), 0)
