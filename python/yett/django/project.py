"""Finds the WSGI or ASGI callable of the Django project in a folder.

The project's `manage.py` is read, never run. Its settings are imported, because they
alone know the callable: what Django's own `runserver` does (Django 4.2 to 6.1).
"""

import ast
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

VARIABLE = "DJANGO_SETTINGS_MODULE"


class DiscoveryError(Exception):
    """No application was found; the text is one sentence for the person at the keyboard."""


def discover(folder: str | os.PathLike[str], interface: str = "auto") -> str:
    """Return the application of the Django project in `folder` as "module:attribute".

    `interface` is `wsgi`, `asgi` or `auto`: WSGI where the project has it, else ASGI. Sets
    `DJANGO_SETTINGS_MODULE` when it is unset, puts the folder first on `sys.path`, and
    imports the settings; whatever they raise passes through.
    """
    folder = Path(folder).resolve()
    settings_module = os.environ.get(VARIABLE) or settings_in_manage_py(folder / "manage.py")
    os.environ[VARIABLE] = settings_module
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

    try:
        import django.conf  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "django":
            raise
        raise DiscoveryError(
            f"{folder} is a Django project, but Django is not installed for {sys.executable}."
        ) from error
    package = settings_module.partition(".")[0]
    found: str | None = None
    if interface != "asgi":
        found = _named(settings_module, "WSGI_APPLICATION")
        # `startproject` names it even where nobody kept the module.
        if found is not None and interface == "auto" and not _exists(found):
            found = _asgi(settings_module, package) or found
        elif found is None and interface == "auto" and _named(settings_module, "ASGI_APPLICATION"):
            found = _asgi(settings_module, package)
        found = found or _usual_place(package, "wsgi")
    if found is None and interface != "wsgi":
        found = _asgi(settings_module, package)
    if found is None:
        setting = "ASGI_APPLICATION" if interface == "asgi" else "WSGI_APPLICATION"
        raise DiscoveryError(
            f"The settings {settings_module} have no {setting}; name the application: "
            "yett serve module:callable."
        )
    return found


def _asgi(settings_module: str, package: str) -> str | None:
    """Return the ASGI application; `ASGI_APPLICATION` is a setting of Channels."""
    return _named(settings_module, "ASGI_APPLICATION") or _usual_place(package, "asgi")


def _named(settings_module: str, setting: str) -> str | None:
    """Return what a setting names as "module:attribute"."""
    from django.conf import settings

    path = getattr(settings, setting, None)
    if not path:
        return None
    module, dot, attribute = path.rpartition(".")
    if not dot:
        raise DiscoveryError(
            f"{setting} in {settings_module} is {path!r}, which is not a dotted path."
        )
    return f"{module}:{attribute}"


def _exists(name: str) -> bool:
    """Whether there is the module of a "module:attribute"."""
    try:
        return find_spec(name.partition(":")[0]) is not None
    except ModuleNotFoundError:
        return False


def _usual_place(package: str, name: str) -> str | None:
    """Return `wsgi.application` or `asgi.application` where `startproject` puts it."""
    module = f"{package}.{name}"
    if hasattr(import_module(package), "__path__") and find_spec(module):
        return f"{module}:application"
    return None


def settings_in_manage_py(manage: Path) -> str:
    """Return the settings module that a `manage.py` names in its text."""
    try:
        tree = ast.parse(manage.read_bytes(), str(manage))
    except FileNotFoundError as error:
        raise DiscoveryError(
            f"There is no manage.py in {manage.parent}, so this is not a Django project; name the "
            "application: yett serve module:callable."
        ) from error
    except SyntaxError as error:
        raise DiscoveryError(
            f"{manage} is not Python: {error.msg}, line {error.lineno}."
        ) from error
    names = sorted({name for node in ast.walk(tree) if (name := _named_by(node))})
    if len(names) == 1:
        return names[0]
    if names:
        raise DiscoveryError(
            f"{manage} names several settings ({', '.join(names)}); choose one by setting "
            f"{VARIABLE} in the environment."
        )
    raise DiscoveryError(
        f"{manage} does not name {VARIABLE} as plain text; set it in the environment."
    )


def _named_by(node: ast.AST) -> str | None:
    """Return the value that a statement like `environ.setdefault(VARIABLE, value)` gives."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="setdefault"),
            args=[ast.Constant(value=key), ast.Constant(value=str(value))],
        ) if key == VARIABLE:
            return value
        case ast.Assign(
            targets=[ast.Subscript(slice=ast.Constant(value=key))],
            value=ast.Constant(value=str(value)),
        ) if key == VARIABLE:
            return value
    return None
