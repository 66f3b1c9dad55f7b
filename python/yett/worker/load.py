"""Finds and imports the application, and tells what went wrong in the words of its author.

An application is named as by Gunicorn: `module:callable`, or `module` alone (then `application`,
then `app`). Without a name, the Django project in the working folder says which.
"""

import importlib
import inspect
import os
import sys
import traceback
from dataclasses import dataclass
from types import ModuleType
from typing import Any


class LoadError(Exception):
    """The application cannot be served; `stage` is `python`, `import`, `app` or `manifest`."""

    def __init__(self, stage: str, summary: str, detail: str = "") -> None:
        super().__init__(summary)
        self.stage = stage
        self.summary = summary
        self.detail = detail


@dataclass(frozen=True)
class Application:
    """An imported application."""

    name: str
    callable: Any
    interface: str


def load(name: str | None, interface: str) -> Application:
    """Import the application; `name` is None for the Django project in the working folder."""
    if name is None:
        name = _django_project()
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
    detected = "asgi" if _is_asgi(found) else "wsgi"
    if interface not in ("auto", detected):
        raise LoadError(
            "app",
            f"{module_name}:{attribute} looks like an {detected.upper()} application, "
            f"but --interface says {interface}",
        )
    if detected == "asgi":
        raise LoadError(
            "app",
            f"{module_name}:{attribute} is an ASGI application; this version serves WSGI. "
            "A Django project has a WSGI application beside it: try its wsgi module",
        )
    return Application(f"{module_name}:{attribute}", found, detected)


def _django_project() -> str:
    from yett.django import DiscoveryError, discover

    try:
        name: str = discover(os.getcwd())
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


def _is_asgi(found: Any) -> bool:
    if inspect.isclass(found):
        # The ASGI 2 style: a class that is called with the scope. Nothing else is a class.
        return hasattr(found, "__await__")
    call = found if inspect.isroutine(found) else getattr(found, "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(call)


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
