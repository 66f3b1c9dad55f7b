"""Walks the project's URL patterns in Django's order and writes one row per view.

A row says how its URL is matched, or that only Django can tell (`opaque`, with the
reason). Patterns are read, never resolved; including a URL module imports it, which the
first request would do anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.urls import URLPattern, URLResolver, converters
from django.urls.resolvers import RegexPattern, RoutePattern

from .expressions import Reading, read

_OWN_CONVERTERS = frozenset(type(own) for own in converters.DEFAULT_CONVERTERS.values())


@dataclass(frozen=True)
class Row:
    """The way from the root to a view, or to something that only Django can resolve."""

    pieces: tuple[str, ...] = ()
    #: Why the URL cannot be matched exactly, or `None`.
    opaque: str | None = None
    literal_prefix: str = ""
    #: Whether everything so far is in `literal_prefix`.
    is_literal: bool = True
    route: str = ""
    namespaces: tuple[str, ...] = ()
    name: str = ""
    #: Names of the arguments that the URL or its definition gives the view.
    arguments: frozenset[str] = frozenset()
    #: `None` when there may be many views below.
    callback: Any = None
    default_args: dict[str, Any] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """The name by which Django reverses the URL; empty when it has none."""
        return ":".join((*self.namespaces, self.name)) if self.name else ""


def rows(resolver: URLResolver) -> Iterator[Row]:
    """Yield the rows below the project's root resolver, whose own pattern is the slash."""
    for entry in resolver.url_patterns:
        yield from _walk(entry, Row())


def _walk(entry: Any, above: Row) -> Iterator[Row]:
    if type(entry) is URLPattern:
        here = _add_piece(entry.pattern, above, is_last=True)
        yield replace(
            here,
            name=entry.name or "",
            arguments=here.arguments | entry.default_args.keys(),
            callback=entry.callback,
            default_args={**above.default_args, **entry.default_args},
        )
    elif type(entry) is URLResolver:
        here = _add_piece(entry.pattern, above, is_last=False)
        here = replace(
            here,
            namespaces=(*above.namespaces, *filter(None, [entry.namespace])),
            arguments=here.arguments | entry.default_kwargs.keys(),
            default_args={**above.default_args, **entry.default_kwargs},
        )
        for inner in entry.url_patterns:
            yield from _walk(inner, here)
    else:
        kind = type(entry).__qualname__
        yield replace(
            above,
            pieces=(*above.pieces, str(getattr(entry, "pattern", entry))),
            opaque=above.opaque or f"{kind} resolves its URLs in its own way",
            is_literal=False,
        )


def _add_piece(pattern: Any, above: Row, *, is_last: bool) -> Row:
    text, reading = _read(pattern, is_last)
    route = str(pattern)
    return replace(
        above,
        pieces=(*above.pieces, text),
        opaque=above.opaque or reading.objection,
        literal_prefix=above.literal_prefix + (reading.literal if above.is_literal else ""),
        is_literal=above.is_literal and reading.is_literal,
        # As Django joins them in `ResolverMatch.route`.
        route=above.route + (route.removeprefix("^") if above.route else route),
        arguments=above.arguments | _arguments(pattern),
    )


def _read(pattern: Any, is_last: bool) -> tuple[str, Reading]:
    if type(pattern) not in (RoutePattern, RegexPattern):
        kind = type(pattern).__qualname__
        return str(pattern), Reading(f"{kind} matches in its own way", "", False)
    written = getattr(pattern, "_route" if type(pattern) is RoutePattern else "_regex")
    if not isinstance(written, str):
        return str(pattern), Reading("the URL is translated", "", False)
    expression = pattern.regex.pattern
    reading = read(expression, is_last=is_last)
    for name, converter in pattern.converters.items():
        if type(converter) not in _OWN_CONVERTERS:
            kind = type(converter).__qualname__
            objection = f"the converter {kind} of <{name}> is the project's own"
            reading = replace(reading, objection=reading.objection or objection)
    return expression, reading


def _arguments(pattern: Any) -> set[str]:
    try:
        return set(pattern.regex.groupindex)
    except AttributeError:
        return set()


def handled_methods(view_class: type) -> list[str]:
    """Return the HTTP methods for which a class-based view has a handler, but for OPTIONS."""
    names = getattr(view_class, "http_method_names", ())
    return [name.upper() for name in names if name != "options" and hasattr(view_class, name)]
