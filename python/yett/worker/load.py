"""Finds and imports the application, and tells what went wrong in the words of its author.

An application is named as by Gunicorn: `module:callable`, or `module` alone (then `application`,
then `app`). Without a name, the Django project in the working folder says which.
"""

import functools
import importlib
import inspect
import os
import sys
import traceback
from types import ModuleType
from typing import Any, NamedTuple


class LoadError(Exception):
    """The application cannot be served; `stage` is `python`, `import`, `app` or `manifest`."""

    def __init__(self, stage: str, summary: str, detail: str = "") -> None:
        super().__init__(summary)
        self.stage = stage
        self.summary = summary
        self.detail = detail


class Application(NamedTuple):
    """An imported application."""

    name: str
    callable: Any
    interface: str


def load(name: str | None, interface: str) -> Application:
    """Import the application; `name` is None for the Django project in the working folder."""
    if name is None:
        name = _django_project(interface)
    module_name, _, attribute = name.partition(":")
    module = _module(module_name)
    if attribute:
        found = _attribute(module, attribute)
    else:
        attribute = next((a for a in ("application", "app") if hasattr(module, a)), "")
        if not attribute:
            raise LoadError(
                "app",
                f"module {module_name!r} has neither 'application' nor 'app'; "
                f"name the callable: {module_name}:NAME",
            )
        found = getattr(module, attribute)
    if not callable(found):
        kind = type(found).__name__
        raise LoadError("app", f"{module_name}:{attribute} is not callable, it is of type {kind}")
    shown = f"{module_name}:{attribute}"
    if _is_asgi_2(found):
        raise LoadError(
            "app",
            f"{shown} is an ASGI application of the old, double-callable style (ASGI 2), which is "
            "called with the scope alone; make it one of ASGI 3 by "
            "asgiref.compatibility.guarantee_single_callable",
        )
    detected = _interface_of(found)
    if interface == "auto":
        return Application(shown, found, detected or "wsgi")
    if detected not in (None, interface):
        raise LoadError(
            "app",
            f"{shown} is {_article(detected)} application, but --interface says {interface}",
        )
    return Application(shown, found, interface)


def _article(interface: str | None) -> str:
    return "an ASGI" if interface == "asgi" else "a WSGI"


def _django_project(interface: str) -> str:
    from yett.django import DiscoveryError, discover

    try:
        name: str = discover(os.getcwd(), interface)
    except DiscoveryError as error:
        raise LoadError("app", str(error)) from None
    except Exception as error:
        raise _import_error(error) from error
    return name


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # The named module itself is missing: a wrong name, not a bug in the application.
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise LoadError(
                "import", f"no module named {error.name!r} below {os.getcwd()} or on the path"
            ) from None
        raise _import_error(error) from error
    except Exception as error:
        raise _import_error(error) from error
    except SystemExit as error:
        raise LoadError("import", f"importing {name!r} called sys.exit({error.code!r})") from None


def _import_error(error: BaseException) -> LoadError:
    return LoadError("import", summary(error), _trace(error))


def summary(error: BaseException) -> str:
    """Return the last line of an exception's traceback, cut to a length for one line."""
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[-1][:500]


def _trace(error: BaseException) -> str:
    """Return the traceback from the application's first line on, without ours above it."""
    frames = error.__traceback__
    hidden = (os.path.dirname(__file__), os.path.dirname(importlib.__file__ or ""))
    while frames is not None:
        path = frames.tb_frame.f_code.co_filename
        if not path.startswith(hidden) and not path.startswith("<frozen importlib"):
            break
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def _attribute(module: ModuleType, names: str) -> Any:
    """Return what `name` or `name.name` stands for in a module."""
    found: Any = module
    for name in names.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise LoadError("app", f"module {module.__name__!r} has no {names!r}") from None
    return found


def _interface_of(found: Any) -> str | None:
    """Return how a callable surely wants to be called; None when it does not show.

    Looks through `functools.partial` and decorators that say what they wrap.
    """
    while isinstance(found, functools.partial):
        found = found.func
    if inspect.isclass(found):
        # A class is called with all of it at once: Starlette's endpoints are awaited then,
        # PEP 3333's are iterated.
        return "asgi" if hasattr(found, "__await__") else "wsgi"
    call: Any = found if inspect.isroutine(found) else found.__call__
    if inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(inspect.unwrap(call)):
        return "asgi"
    match _parameters(call):
        case [_, "receive", "send"] | ["scope", _, _]:
            return "asgi"
        case [_, "start_response"] | ["environ" | "env", _]:
            return "wsgi"
    return None


def _is_asgi_2(found: Any) -> bool:
    """Whether it takes the scope alone and returns what takes `receive` and `send`."""
    if inspect.isclass(found):
        return inspect.iscoroutinefunction(getattr(found, "__call__", None))  # noqa: B004
    call = found if inspect.isroutine(found) else found.__call__
    return _parameters(call) == ["scope"]


def _parameters(call: Any) -> list[str]:
    """Name the positional parameters without a default; none when there is no signature."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return []
    return [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]


def warm() -> None:
    """Have Django import its URL configuration, and all views with it, before the first request."""
    if "django" not in sys.modules:
        return
    from django.conf import settings

    if not settings.configured:
        return
    from django.urls import get_resolver

    try:
        _all_views = get_resolver().reverse_dict
    except Exception as error:
        raise _import_error(error) from error


def put_first_on_path(folder: str) -> None:
    """Make modules of the application's folder importable before all others."""
    if folder not in sys.path:
        sys.path.insert(0, folder)
