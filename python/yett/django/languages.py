"""What a URL says of the language, where LocaleMiddleware and `i18n_patterns` are used.

LocaleMiddleware takes the language from the first segment of the path if that names one,
and `i18n_patterns` then demand that very prefix (Django 4.2 to 6.1). So the patterns can
be written out once for each language. Django's own functions are asked what a segment
means; nothing of that is repeated here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.urls import LocalePrefixPattern
from django.utils import translation

LOCALE_MIDDLEWARE = "django.middleware.locale.LocaleMiddleware"
_MOST_LANGUAGES = 24


class Prefix(NamedTuple):
    """One way in which a URL below `i18n_patterns` may begin."""

    text: str
    #: The language that is active below, or `None` when that is not sure.
    language: str | None
    #: Why a path that begins so may be refused all the same, or `None`.
    perhaps: str | None = None


def prefixes(pattern: LocalePrefixPattern) -> list[Prefix] | str:
    """Return every prefix that the pattern can demand, or why that cannot be told."""
    if LOCALE_MIDDLEWARE not in settings.MIDDLEWARE or not settings.USE_I18N:
        return "LocalePrefixPattern follows the thread's language without LocaleMiddleware"
    # In lower case, as `get_language` gives them; LANGUAGE_CODE is taken when all else fails.
    codes = sorted({code.lower() for code in (*dict(settings.LANGUAGES), settings.LANGUAGE_CODE)})
    if len(codes) > _MOST_LANGUAGES:
        return f"there are {len(codes)} languages, more than the {_MOST_LANGUAGES} written out"
    _, default_has_prefix = is_language_prefix_patterns_used(settings.ROOT_URLCONF)
    if pattern.prefix_default_language != default_has_prefix:
        return "i18n_patterns are used in two ways"
    found = []
    for code in codes:
        text = f"{code}/"
        language = of_path("/" + text)
        with translation.override(language or settings.LANGUAGE_CODE):
            demanded = pattern.language_prefix
        if demanded == text and language is not None:
            found.append(Prefix(text, language))
        elif demanded != "":
            found.append(Prefix(text, None, f"{code} is not surely a language here"))
    if not default_has_prefix:
        with translation.override(settings.LANGUAGE_CODE):
            if pattern.language_prefix != "":
                return "LANGUAGE_CODE is not written as Django writes it"
        found.append(Prefix("", settings.LANGUAGE_CODE))
    return found


def of_path(path: str) -> str | None:
    """Return the language that a path names in its first segment, if it does."""
    return translation.get_language_from_path(path)


def names_a_language(literal_prefix: str) -> bool | None:
    """Return whether URLs of this literal start name a language; `None` when that varies."""
    # The first segment is all that Django looks at, so it must be whole.
    return of_path("/" + literal_prefix) is not None if "/" in literal_prefix else None


def are_in_urls() -> bool:
    """Return whether the project's URLs say the language."""
    used, _ = is_language_prefix_patterns_used(settings.ROOT_URLCONF)
    return bool(used)


@contextmanager
def kept() -> Iterator[None]:
    """Put back the thread's language afterwards."""
    before = translation.get_language()
    try:
        yield
    finally:
        translation.deactivate()
        if before is None:
            translation.deactivate_all()
        elif translation.get_language() != before:
            translation.activate(before)
