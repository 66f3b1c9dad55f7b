"""Tells a library's own code from code that was put in its place at run time.

A function that somebody assigns over a method of DRF keeps the name and can keep the
module's name, but not the globals of the module it claims to be from.
"""

import sys
from collections.abc import Iterable
from types import FunctionType
from typing import Any


def is_original(owner: type, name: str) -> bool:
    """Return whether what `owner` itself holds under `name` was defined in its module."""
    function = _function_of(vars(owner)[name])
    # Slots of built-in types and plain values cannot carry somebody's code.
    return function is None or comes_from(function, owner.__module__)


def comes_from(function: Any, module: str) -> bool:
    """Return whether a function was defined in the module of that name."""
    return getattr(function, "__globals__", None) is vars(sys.modules[module])


def is_public_name_of(klass: type) -> bool:
    """Return whether a class is the one that its module offers under its name."""
    module = sys.modules.get(klass.__module__)
    return module is not None and vars(module).get(klass.__name__) is klass


def replaced_in(klass: type, *, but_by: frozenset[str] = frozenset()) -> list[str]:
    """Return the names of a class's own functions that were put in later.

    `but_by` names packages whose functions are let pass.
    `__class_getitem__` is left out: packages of type stubs add it, and it serves
    annotations only.
    """
    return sorted(
        name
        for name in vars(klass)
        if name != "__class_getitem__"
        and not is_original(klass, name)
        and _package_of(vars(klass)[name]) not in but_by
    )


def first_replaced(classes: Iterable[type]) -> str | None:
    """Say what was put in later into these classes or what they come from; `None` if nothing."""
    for part in (part for klass in classes for part in klass.__mro__ if part is not object):
        if replaced := replaced_in(part):
            return f"{part.__qualname__}.{replaced[0]} was replaced at run time"
    return None


def _package_of(member: Any) -> str:
    module = getattr(_function_of(member), "__globals__", {}).get("__name__", "")
    return str(module).partition(".")[0]


def _function_of(member: Any) -> FunctionType | None:
    if isinstance(member, property):
        member = member.fget
    member = getattr(member, "__func__", member)
    return member if isinstance(member, FunctionType) else None
