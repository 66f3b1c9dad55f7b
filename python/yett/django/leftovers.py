"""What is left of simplejwt in a project that has moved to `yett.drf`.

The two packages do not share their state: a view that still uses simplejwt's classes does not
look into the blacklist of `yett.drf`, so that revoked tokens count there. Runs once in the
zygote, after the application was imported; reads settings, loaded modules and, of those that
have leftovers, the source. Modules that nothing has imported yet are not looked at.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

OLD = "rest_framework_simplejwt"
NEW = "yett.drf"

#: Sentences of one kind; the rest is counted.
MOST = 10
#: How deep settings are searched, and how many values of one setting.
DEEPEST = 8
MOST_VALUES = 10_000
#: Bytes of source that are searched for the line of an import.
LONGEST_SOURCE = 1024 * 1024

_IMPORT = re.compile(rf"^\s*(?:from|import)\s+({OLD}(?:\.\w+)*)", re.MULTILINE)
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")})


def leftovers() -> list[str]:
    """Return a sentence for each place that names or uses simplejwt, with what to write instead.

    Empty for a project that does not use `yett.drf` at all.
    """
    if NEW not in sys.modules:
        return []
    return [*_bounded(list(_in_settings())), *_bounded(list(_in_modules()))]


def _bounded(found: list[str]) -> list[str]:
    if len(found) <= MOST:
        return found
    return [*found[:MOST], f"{len(found) - MOST} more places name {OLD}"]


def _in_settings() -> Iterator[str]:
    for name in sorted(set(dir(settings))):
        if not name.isupper():
            continue
        try:
            value = getattr(settings, name)
        except ImproperlyConfigured:
            # Django's own word on an empty SECRET_KEY.
            continue
        for found in dict.fromkeys(_strings(value, DEEPEST, [MOST_VALUES])):
            if found == OLD or found.startswith(f"{OLD}."):
                yield f"the setting {name} names {found}: write {_instead(found)}"


def _strings(value: Any, depth: int, left: list[int]) -> Iterator[str]:
    """Yield the texts in a setting. Only plain containers are entered: others may compute."""
    left[0] -= 1
    if depth < 0 or left[0] < 0:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(key, depth - 1, left)
            yield from _strings(item, depth - 1, left)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _strings(item, depth - 1, left)


def _instead(name: str) -> str:
    return NEW + name.removeprefix(OLD)


def _in_modules() -> Iterator[str]:
    if OLD not in sys.modules:
        return
    danger = ""
    if apps.is_installed(f"{NEW}.token_blacklist"):
        danger = "; until then revoked tokens are good there"
    installed = set()
    for name, module in sorted(sys.modules.items()):
        names = _names_in(module)
        if name.partition(".")[0] in (OLD, "yett") or (used := _used_by(names)) is None:
            continue
        file = names.get("__file__") or ""
        if file.startswith(_INSTALLED):
            installed.add(name.partition(".")[0])
            continue
        place, imported = _import_in(file) or (name, used)
        yield f"{place} imports {imported}: write {_instead(imported)}{danger}"
    if installed:
        yield (
            f"installed packages use {OLD} by themselves, beside {NEW}: "
            f"{', '.join(sorted(installed))}"
        )


def _names_in(module: Any) -> dict[str, Any]:
    """Return what stands in a module, without waking one that is loaded at its first use."""
    if not issubclass(type(module), ModuleType):
        return {}
    # A copy: another thread may be importing.
    return dict(object.__getattribute__(module, "__dict__"))


def _used_by(names: dict[str, Any]) -> str | None:
    """Return the module of simplejwt of which something is among the names, or `None`."""
    for value in names.values():
        owner = _defined_in(value)
        if owner == OLD or owner.startswith(f"{OLD}."):
            return owner
    return None


def _defined_in(value: Any) -> str:
    """Return the module that a value is, or where it or its class was defined.

    `isinstance` is not asked: lazy objects of Django answer it by being set up.
    """
    if issubclass(type(value), ModuleType):
        owner = _own_name(value)
    else:
        owned = value if issubclass(type(value), (type, FunctionType)) else type(value)
        try:
            owner = owned.__module__
        except Exception:
            # A metaclass may compute it.
            return ""
    return owner if type(owner) is str else ""


def _own_name(module: ModuleType) -> Any:
    return object.__getattribute__(module, "__dict__").get("__name__")


def _import_in(file: str) -> tuple[str, str] | None:
    """Return `file:line` and the name of the first import of simplejwt in a source file."""
    if not file.endswith(".py"):
        return None
    try:
        with open(file, encoding="utf-8", errors="replace") as source:
            text = source.read(LONGEST_SOURCE)
    except OSError:
        return None
    found = _IMPORT.search(text)
    if found is None:
        return None
    return f"{file}:{text.count(chr(10), 0, found.start(1)) + 1}", found[1]
