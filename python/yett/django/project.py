"""Finds the WSGI callable of the Django project in a folder.

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


def discover(folder: str | os.PathLike[str]) -> str:
    """Return the application of the Django project in `folder` as "module:attribute".

    Sets `DJANGO_SETTINGS_MODULE` when it is unset, puts the folder first on `sys.path`,
    and imports the settings; whatever they raise passes through.
    """
    folder = Path(folder).resolve()
    settings_module = os.environ.get(VARIABLE) or settings_in_manage_py(folder / "manage.py")
    os.environ[VARIABLE] = settings_module
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

    try:
        from django.conf import settings
    except ModuleNotFoundError as error:
        if error.name != "django":
            raise
        raise DiscoveryError(
            f"{folder} is a Django project, but Django is not installed for {sys.executable}."
        ) from error
    path = settings.WSGI_APPLICATION
    if path:
        module, dot, attribute = path.rpartition(".")
        if not dot:
            raise DiscoveryError(
                f"WSGI_APPLICATION in {settings_module} is {path!r}, which is not a dotted path."
            )
        return f"{module}:{attribute}"
    return usual_place(settings_module)


def usual_place(settings_module: str) -> str:
    """Return `wsgi.application` beside the settings, where `startproject` puts it."""
    package = settings_module.partition(".")[0]
    module = f"{package}.wsgi"
    if hasattr(import_module(package), "__path__") and find_spec(module):
        return f"{module}:application"
    raise DiscoveryError(
        f"The settings {settings_module} have no WSGI_APPLICATION; name the application: "
        "yett serve module:callable."
    )


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
