"""The `static` part of the app manifest: where a project's static files are, and how they go.

The same files as Django's: `STATIC_ROOT`, which `collectstatic` fills, and in development what the
staticfiles finders look through, as `runserver` does. A project that uses WhiteNoise keeps its
answers (`whitenoise_settings`): what the edge cannot say as WhiteNoise would is left to it.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings

from . import whitenoise_settings

#: Places that are told at most.
MOST = 512


def static_files(*, development: bool = False, asgi: bool = False) -> dict[str, Any]:
    """Describe where static files are served, from which folders, and how.

    There is no folder when `STATIC_ROOT` is unset, when `STATIC_URL` is on another server, or when
    only the project can answer. `why_not` is a sentence that the project's people should read.
    """
    used = whitenoise_settings.middleware()
    url = whitenoise_settings.prefix() if used else _as_requested(asgi)
    described: dict[str, Any] = {
        "url": url,
        "root": None,
        "places": [],
        "hashed": None,
        "why_not": None,
    }
    if not url or urlsplit(url).netloc:
        return described
    if used:
        if (reason := whitenoise_settings.why_not(used)) is not None:
            return described | {"why_not": f"{reason}, so WhiteNoise itself answers {url}"}
        described["whitenoise"] = whitenoise_settings.described()
    root = os.path.abspath(settings.STATIC_ROOT) if settings.STATIC_ROOT else None
    collected = [{"folder": root, "prefix": ""}] if root is not None else []
    installed = apps.is_installed("django.contrib.staticfiles")
    finds = used is not None and whitenoise_settings.uses_finders()
    if finds:
        # What was collected may be older than what the finders find.
        described["places"], described["why_not"] = _places()
        described["places"] += collected
    elif development and installed:
        described["places"], described["why_not"] = _places()
        if not settings.DEBUG:
            # Then {% static %} names what collectstatic made.
            described["places"] = collected + described["places"]
    if not described["places"]:
        described["root"] = root
    if root is not None:
        # With DEBUG, {% static %} names every file as it is.
        described["hashed"] = None if settings.DEBUG else _manifest_file()
    elif installed and not development and not finds:
        described["why_not"] = (
            f"STATIC_ROOT is not set, so nothing is served under {url}: set it, and run "
            "`python manage.py collectstatic`"
        )
    return described


def _as_requested(asgi: bool) -> str:
    """Return `STATIC_URL` as it stands in a request; a relative one begins at the site's root.

    Django writes it behind `FORCE_SCRIPT_NAME`. A proxy takes that away before the request comes;
    under ASGI Django itself would, so there it may still stand in the path.
    """
    url = str(settings.STATIC_URL or "")
    if url and not url.startswith("/") and not urlsplit(url).netloc:
        url = f"/{url}"
    name = (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
    if name and not asgi and url.startswith(f"{name}/"):
        return url.removeprefix(name)
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
