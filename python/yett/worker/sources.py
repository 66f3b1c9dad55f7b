"""Which folders the application's code comes from: what `yett serve --reload` watches.

As Django's and uvicorn's reloaders do, this goes by what was really imported. Installed packages
and the interpreter's own library are left out: an editable install is watched, a virtual
environment is not.
"""

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from typing import Any

#: Folders of each kind that are named at most.
MOST = 2048


def sources() -> dict[str, list[str]]:
    """Return the folders of imported modules, of templates, and those that hold no code."""
    installed = _installed()
    folders = {os.path.dirname(file) for file in _files()}
    ignored: set[str] = set()
    templates: set[str] = set()
    if "django.conf" in sys.modules:
        ignored = set(_collected())
        templates = set(_templates())
    return {
        "folders": _own(folders, installed),
        "templates": _own(templates, installed),
        "ignored": sorted(ignored)[:MOST],
    }


def _files() -> Iterator[str]:
    # A module may be anything that somebody put there, and may change while it is looked at.
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and os.path.isabs(file):
            yield file


def _installed() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found.update(site.getsitepackages())
    # Ours, which may stand elsewhere while Yett itself is developed.
    found.add(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return tuple(os.path.join(path, "") for path in found)


def _is_below(folder: str, parents: tuple[str, ...]) -> bool:
    inside = os.path.join(folder, "")
    return inside.startswith(parents) or f"{os.sep}site-packages{os.sep}" in inside


def _collected() -> Iterator[str]:
    """Folders that are filled by `collectstatic` and by users."""
    from django.conf import settings

    for name in ("STATIC_ROOT", "MEDIA_ROOT"):
        value = getattr(settings, name, None)
        if value:
            yield os.path.abspath(value)


def _templates() -> Iterator[str]:
    """Folders of templates: their loaders keep what they read, also with DEBUG."""
    try:
        from django.template.autoreload import get_template_directories

        directories: Any = get_template_directories()
    except Exception:
        # A project without templates, or whose engines cannot be made: its views will say so.
        return
    for directory in directories:
        yield os.path.abspath(directory)


def _own(folders: Iterable[str], installed: tuple[str, ...]) -> list[str]:
    own = (each for each in folders if not _is_below(each, installed) and os.path.isdir(each))
    return sorted(own)[:MOST]
