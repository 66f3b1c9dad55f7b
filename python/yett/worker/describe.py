"""Makes the app manifest: what the program has to know about the application.

The zygote describes the application that it imported itself. Where each worker imports for itself,
a child of the zygote does it, and is thrown away: the zygote stays as it was.
"""

import contextlib
import fcntl
import json
import os
import platform
import select
import selectors
import signal
import sys
import traceback
from typing import Any, NamedTuple, NoReturn

from yett._yett import __version__
from yett.worker.control import Control
from yett.worker.document import new_document
from yett.worker.load import Application, LoadError, load, put_first_on_path, summary
from yett.worker.sources import sources
from yett.worker.threads import left_behind


class ProgramGoneError(Exception):
    """The program left while the application was being described."""


class Wanted(NamedTuple):
    """The application that the program asks for."""

    app: str | None
    interface: str
    chdir: str
    loop: str
    #: Whether the manifest names the files that were imported.
    with_sources: bool


def import_application(wanted: Wanted) -> Application:
    """Import the application in its folder; raises `LoadError`."""
    os.chdir(wanted.chdir)
    put_first_on_path(wanted.chdir)
    application = load(wanted.app, wanted.interface)
    if application.interface == "asgi":
        # Here, so that workers share it, and workers of WSGI do without asyncio.
        from yett.worker import asgi

        if (why := asgi.missing_loop(wanted.loop)) is not None:
            raise LoadError("app", why)
    return application


def describe(application: Application, *, with_sources: bool) -> dict[str, Any]:
    """Return the manifest of an imported application; raises `LoadError`.

    With sources it names the folders that the application's code comes from.
    """
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

                manifest["django"] = django_manifest(
                    application.callable,
                    development=with_sources,
                    asgi=application.interface == "asgi",
                )
                manifest["warnings"] += _leftovers()
        except Exception as error:
            detail = "".join(traceback.format_exception(error))
            raise LoadError("manifest", summary(error), detail) from error
    if with_sources:
        manifest["sources"] = sources()
    manifest["threads"] = left_behind()
    return manifest


def _leftovers() -> list[str]:
    from yett.django.leftovers import leftovers

    try:
        return leftovers()
    except Exception as error:
        # Advice alone: no reason not to serve.
        return [f"what is left of simplejwt could not be looked for: {summary(error)}"]


def describe_apart(control: Control, wanted: Wanted) -> dict[str, Any]:
    """Import and describe the application in a child that is thrown away.

    Raises `LoadError` as importing here would, and `ProgramGoneError`. The import is bounded in
    time by the program, which kills this process, and with it the child.
    """
    document = new_document()
    alive, life = os.pipe()
    try:
        pid = os.fork()
        if pid == 0:
            control.close()
            os.close(life)
            _die_with_the_zygote(alive)
            _describe_and_leave(document, wanted)
        status = _await(pid, control)
        with open(document, "rb", closefd=False) as file:
            file.seek(0)
            told = file.read()
    finally:
        for descriptor in (document, alive, life):
            os.close(descriptor)
    if not told:
        raise LoadError("import", f"the process that imports the app {_how(status)}")
    report: dict[str, Any] = json.loads(told)
    if "failed" in report:
        raise LoadError(*report["failed"])
    # They are in no process from which a worker is forked.
    report["threads"] = []
    return report


def _how(status: int) -> str:
    """Say how an import ended its process, in the program's words for the same in the zygote."""
    if not os.WIFSIGNALED(status):
        code = os.waitstatus_to_exitcode(status)
        why = "something that it imports calls os._exit, or exit in C"
        return f"left with code {code} while importing; {why}"
    number = os.WTERMSIG(status)
    why = "the error output shows where it stood: look at the extension modules there"
    if number == signal.SIGKILL:
        why = "most often the system is out of memory then, and its log says so"
    return f"was killed by signal {number} while importing; {why}"


def _die_with_the_zygote(alive: int) -> None:
    """Be killed when the other end of this pipe closes: an import may never end by itself.

    In a group of its own the zygote does not die alone, but where it shares the terminal's group
    nobody else knows of this process.
    """
    fcntl.fcntl(alive, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(alive, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(alive, fcntl.F_SETFL, fcntl.fcntl(alive, fcntl.F_GETFL) | os.O_ASYNC)
    ended, _, _ = select.select([alive], [], [], 0)
    if ended:
        # It was gone before the signal was asked for.
        os._exit(1)


def _describe_and_leave(document: int, wanted: Wanted) -> NoReturn:
    code = 1
    try:
        try:
            application = import_application(wanted)
            report = describe(application, with_sources=wanted.with_sources)
        except LoadError as error:
            report = {"failed": [error.stage, error.summary, error.detail]}
        with open(document, "wb", closefd=False) as file:
            file.write(json.dumps(report).encode())
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _await(pid: int, control: Control) -> int:
    """Wait for the child's end, and return its status; end it if the program leaves."""
    process = os.pidfd_open(pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(process, selectors.EVENT_READ)
            selector.register(control, selectors.EVENT_READ)
            ready: set[Any] = set()
            while process not in ready:
                ready = {key.fileobj for key, _events in selector.select()}
                if control in ready and control.is_closed():
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    raise ProgramGoneError
                if control in ready:
                    # An order: it is read when there is somebody to obey it.
                    selector.unregister(control)
    finally:
        os.close(process)
    return os.waitpid(pid, 0)[1]
