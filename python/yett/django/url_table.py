"""Walks the project's URL patterns in Django's order and writes one row per view.

A row says how its URL is matched, or that only Django can tell: `opaque`, or `perhaps`
when at least a path that does not match is sure; both with the reason. Patterns below
`i18n_patterns` become one row for each language. Patterns are read, never resolved;
including a URL module imports it, which the first request would do anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Any, NamedTuple

from django.urls import LocalePrefixPattern, URLPattern, URLResolver, converters
from django.urls.resolvers import RegexPattern, RoutePattern
from django.utils import translation

from . import languages
from .expressions import Reading, read

_OWN_CONVERTERS = frozenset(type(own) for own in converters.DEFAULT_CONVERTERS.values())


class Uncertain(Exception):
    """What the project answers at a URL is not sure; the text is the reason for people."""


class Row(NamedTuple):
    """The way from the root to a view, or to something that only Django can resolve."""

    pieces: tuple[str, ...] = ()
    #: Why the URL cannot be matched exactly, or `None`.
    opaque: str | None = None
    #: Why Django may refuse a path that matches, or `None`.
    perhaps: str | None = None
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
    default_args: Mapping[str, Any] = MappingProxyType({})
    #: Below `i18n_patterns` the language that is active there.
    language: str | None = None
    #: Below `i18n_patterns` whether the path begins without the language.
    is_unprefixed: bool = False
    #: What answers there, where that is no view but a middleware.
    middleware: str = ""

    @property
    def full_name(self) -> str:
        """The name by which Django reverses the URL; empty when it has none."""
        return ":".join((*self.namespaces, self.name)) if self.name else ""

    def of_middleware(self, name: str) -> Row:
        """Return the row as one that a middleware answers."""
        return self._replace(middleware=name)


def rows(resolver: URLResolver) -> Iterator[Row]:
    """Yield the rows below the project's root resolver, whose own pattern is the slash."""
    for entry in resolver.url_patterns:
        yield from _walk(entry, Row())


def _walk(entry: Any, above: Row) -> Iterator[Row]:
    if type(entry) is URLPattern:
        here = _add_piece(entry.pattern, above, is_last=True)
        if here.is_unprefixed and languages.names_a_language(here.literal_prefix) is not False:
            why = "its URL may begin with the name of a language"
            here = here._replace(perhaps=here.perhaps or why)
        yield here._replace(
            name=entry.name or "",
            arguments=here.arguments | entry.default_args.keys(),
            callback=entry.callback,
            default_args={**above.default_args, **entry.default_args},
        )
    elif type(entry) is URLResolver and type(entry.pattern) is LocalePrefixPattern:
        for here in _in_each_language(entry.pattern, above):
            for inner in entry.url_patterns:
                yield from _walk(inner, here)
    elif type(entry) is URLResolver:
        here = _add_piece(entry.pattern, above, is_last=False)
        here = here._replace(
            namespaces=(*above.namespaces, *filter(None, [entry.namespace])),
            arguments=here.arguments | entry.default_kwargs.keys(),
            default_args={**above.default_args, **entry.default_kwargs},
        )
        for inner in entry.url_patterns:
            yield from _walk(inner, here)
    else:
        kind = type(entry).__qualname__
        yield above._replace(
            pieces=(*above.pieces, str(getattr(entry, "pattern", entry))),
            opaque=above.opaque or f"{kind} resolves its URLs in its own way",
            is_literal=False,
        )


def _in_each_language(pattern: LocalePrefixPattern, above: Row) -> Iterator[Row]:
    found = languages.prefixes(pattern)
    if isinstance(found, str):
        yield above._replace(opaque=above.opaque or found, is_literal=False)
        return
    for prefix in found:
        yield above._replace(
            pieces=(*above.pieces, f"^{re.escape(prefix.text)}"),
            perhaps=above.perhaps or prefix.perhaps,
            literal_prefix=above.literal_prefix + (prefix.text if above.is_literal else ""),
            route=above.route + prefix.text,
            language=prefix.language,
            is_unprefixed=prefix.text == "",
        )


def _add_piece(pattern: Any, above: Row, *, is_last: bool) -> Row:
    with _active(above.language):
        text, reading = _read(pattern, is_last, above.language)
        route = str(pattern)
    return above._replace(
        pieces=(*above.pieces, text),
        opaque=above.opaque or reading.objection,
        perhaps=above.perhaps or _perhaps(pattern),
        literal_prefix=above.literal_prefix + (reading.literal if above.is_literal else ""),
        is_literal=above.is_literal and reading.is_literal,
        # As Django joins them in `ResolverMatch.route`.
        route=above.route + (route.removeprefix("^") if above.route else route),
        arguments=above.arguments | _arguments(pattern),
    )


def _active(language: str | None) -> AbstractContextManager[Any]:
    return nullcontext() if language is None else translation.override(language)


def _read(pattern: Any, is_last: bool, language: str | None) -> tuple[str, Reading]:
    if type(pattern) not in (RoutePattern, RegexPattern):
        kind = type(pattern).__qualname__
        return str(pattern), Reading(f"{kind} matches in its own way", "", False)
    written = getattr(pattern, "_route" if type(pattern) is RoutePattern else "_regex")
    if not isinstance(written, str) and language is None:
        return str(pattern), Reading("the URL is translated", "", False)
    expression = pattern.regex.pattern
    return expression, read(expression, is_last=is_last)


def _perhaps(pattern: Any) -> str | None:
    """Return which converter may refuse what the expression let in, if one may."""
    for name, converter in getattr(pattern, "converters", {}).items():
        if type(converter) not in _OWN_CONVERTERS:
            kind = type(converter).__qualname__
            return f"the converter {kind} of <{name}> is the project's own"
    return None


def _arguments(pattern: Any) -> set[str]:
    try:
        return set(pattern.regex.groupindex)
    except AttributeError:
        return set()


def handled_methods(view_class: type) -> list[str]:
    """Return the HTTP methods for which a class-based view has a handler, but for OPTIONS."""
    names = getattr(view_class, "http_method_names", ())
    return [name.upper() for name in names if name != "options" and hasattr(view_class, name)]
