"""The `static` part of the app manifest: where a project's static files are, and how they go.

The same files as Django's: `STATIC_ROOT`, which `collectstatic` fills, and in development what the
staticfiles finders look through, as `runserver` does. A project that uses WhiteNoise keeps its
answers: what the edge cannot say as WhiteNoise would is left to it.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings

#: Places, and types, that are told at most.
MOST = 512


def static_files(*, development: bool = False) -> dict[str, Any]:
    """Describe where static files are served, from which folders, and how.

    There is no folder when `STATIC_ROOT` is unset, when `STATIC_URL` is on another server, or when
    only the project can answer. `why_not` is a sentence that the project's people should read.
    """
    url = str(_whitenoise("STATIC_PREFIX") or settings.STATIC_URL or "")
    described: dict[str, Any] = {
        "url": _with_slashes(url),
        "root": None,
        "places": [],
        "hashed": None,
        "why_not": None,
    }
    if not url or urlsplit(url).netloc:
        return described
    if _has_whitenoise():
        if (reason := _only_whitenoise_can()) is not None:
            return described | {"why_not": f"{reason}, so WhiteNoise itself answers {url}"}
        described["whitenoise"] = {
            "max_age": _max_age(),
            "any_origin": bool(_whitenoise("ALLOW_ALL_ORIGINS", True)),
            "index": _index(),
            "types": _types(),
        }
    root = os.path.abspath(settings.STATIC_ROOT) if settings.STATIC_ROOT else None
    installed = apps.is_installed("django.contrib.staticfiles")
    if development and installed:
        described["places"], described["why_not"] = _places()
        if not settings.DEBUG and root is not None:
            # Then {% static %} names what collectstatic made.
            described["places"].insert(0, {"folder": root, "prefix": ""})
    if not described["places"]:
        described["root"] = root
    if root is not None:
        described["hashed"] = _manifest_file()
    elif installed and not development and not _finds_by_itself():
        described["why_not"] = (
            f"STATIC_ROOT is not set, so nothing is served under {url}: set it, and run "
            "`python manage.py collectstatic`"
        )
    return described


def _with_slashes(url: str) -> str:
    """As Django takes it: a relative one begins at the root of the site."""
    if url and not url.startswith("/") and not urlsplit(url).netloc:
        return f"/{url}"
    return url


def _places() -> tuple[list[dict[str, str]], str | None]:
    """Return where the finders look, in their order, and a sentence on what is not among it."""
    from django.contrib.staticfiles import finders
    from django.core.files.storage import FileSystemStorage

    known = (finders.FileSystemFinder, finders.AppDirectoriesFinder, finders.BaseStorageFinder)
    places: list[dict[str, str]] = []
    others: list[str] = []
    for finder in finders.get_finders():
        kind = type(finder)
        own = [one for one in known if isinstance(finder, one) and kind.find is one.find]
        if not own:
            others.append(f"{kind.__module__}.{kind.__qualname__}")
            continue
        if isinstance(finder, finders.BaseStorageFinder):
            storages = [finder.storage]
        else:
            storages = list(getattr(finder, "storages", {}).values())
        for storage in storages:
            if not isinstance(storage, FileSystemStorage):
                others.append(f"{type(storage).__module__}.{type(storage).__qualname__}")
                continue
            prefix = getattr(storage, "prefix", "") or ""
            prefix = f"{prefix.rstrip('/')}/" if prefix else ""
            places.append({"folder": os.path.abspath(storage.location), "prefix": prefix})
    why_not = None
    if others:
        why_not = f"files that only {', '.join(others)} can find are left to the app"
    return places[:MOST], why_not


def _manifest_file() -> str | None:
    """Return the file in which a `ManifestStaticFilesStorage` says what it named."""
    from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
    from django.core.files.storage import FileSystemStorage

    try:
        if not isinstance(staticfiles_storage, ManifestFilesMixin):
            return None
        holder = staticfiles_storage.manifest_storage
        if not isinstance(holder, FileSystemStorage):
            return None
        return os.path.abspath(holder.path(staticfiles_storage.manifest_name))
    except Exception:
        # A storage that cannot be made says so where it is used; names then count as any others.
        return None


def _has_whitenoise() -> bool:
    return any("whitenoise" in str(name).lower() for name in settings.MIDDLEWARE)


def _whitenoise(name: str, default: Any = None) -> Any:
    if not _has_whitenoise():
        return default
    return getattr(settings, f"WHITENOISE_{name}", default)


def _only_whitenoise_can() -> str | None:
    for name in ("ADD_HEADERS_FUNCTION", "IMMUTABLE_FILE_TEST"):
        if _whitenoise(name) is not None:
            return f"WHITENOISE_{name} is set"
    if str(_whitenoise("CHARSET", "utf-8")).lower() != "utf-8":
        return "WHITENOISE_CHARSET is not utf-8"
    return None


def _finds_by_itself() -> bool:
    """Whether WhiteNoise serves without `collectstatic`; it does so by default with `DEBUG`."""
    return _has_whitenoise() and bool(_whitenoise("USE_FINDERS", settings.DEBUG))


def _max_age() -> int | None:
    default = 0 if settings.DEBUG else 60
    age = _whitenoise("MAX_AGE", default)
    if isinstance(age, bool) or not isinstance(age, int | float) or age < 0:
        return None
    return int(age)


def _index() -> str | None:
    index = _whitenoise("INDEX_FILE")
    if index is True:
        return "index.html"
    return index if isinstance(index, str) and index else None


def _types() -> dict[str, str]:
    types = _whitenoise("MIMETYPES") or {}
    return {
        name.lstrip("."): value
        for name, value in list(types.items())[:MOST]
        if isinstance(name, str) and isinstance(value, str) and name.startswith(".")
    }
