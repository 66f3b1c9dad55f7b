"""What a project that uses WhiteNoise says of its static files, as far as the edge can say it too.

Read as `WhiteNoiseMiddleware` of WhiteNoise 6 reads it. Whatever is not surely understood, above
all a class that goes its own way, leaves the files to WhiteNoise itself, with a sentence.
"""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.module_loading import import_string

from .originals import first_replaced
from .third_party import version_objection

#: Types that are told at most.
_MOST = 512
#: Seconds for which anything is kept at most: WhiteNoise's own "for ever".
_FOR_EVER = 10 * 365 * 24 * 60 * 60
#: What every class has, whatever stands in it.
_OF_EVERY_CLASS = frozenset(
    {"__doc__", "__firstlineno__", "__module__", "__qualname__", "__static_attributes__"}
)


def middleware() -> type | None:
    """Return the project's `WhiteNoiseMiddleware`, or its subclass of it."""
    for name in settings.MIDDLEWARE:
        try:
            named = import_string(name)
        except Exception:
            # Whoever loads the middleware says so; here it is no file server.
            continue
        known = sys.modules.get("whitenoise.middleware")
        if known and isinstance(named, type) and issubclass(named, known.WhiteNoiseMiddleware):
            return named
    return None


def why_not(used: type) -> str | None:
    """Say why only WhiteNoise itself can answer; `None` if the edge can."""
    if objection := version_objection("whitenoise") or first_replaced([used]) or _changed(used):
        return objection
    for name in ("ADD_HEADERS_FUNCTION", "IMMUTABLE_FILE_TEST"):
        if _setting(name) is not None:
            return f"WHITENOISE_{name} is set"
    if str(_setting("CHARSET", "utf-8")).lower() != "utf-8":
        return "WHITENOISE_CHARSET is not utf-8"
    age = _max_age()
    if age is not None and (type(age) not in (int, float) or not age >= 0):
        return "WHITENOISE_MAX_AGE is no number of seconds"
    if len(_setting("MIMETYPES") or {}) > _MOST:
        return f"WHITENOISE_MIMETYPES has more than {_MOST} types"
    return None


def described() -> dict[str, Any]:
    """Describe how the files go, where `why_not` is `None`."""
    age = _max_age()
    index = _setting("INDEX_FILE") or None
    return {
        "max_age": None if age is None else int(min(age, _FOR_EVER)),
        "any_origin": bool(_setting("ALLOW_ALL_ORIGINS", True)),
        "index": "index.html" if index is True else index if isinstance(index, str) else None,
        "autorefresh": bool(_setting("AUTOREFRESH", settings.DEBUG)),
        **_types(),
    }


def prefix() -> str:
    """Return the path below which it has the static files; also of an URL on another server.

    `FORCE_SCRIPT_NAME` is of the addresses that others see, and gone when a request comes.
    """
    path = urlsplit(settings.STATIC_URL or "").path
    path = path.removeprefix((settings.FORCE_SCRIPT_NAME or "").rstrip("/"))
    path = str(_setting("STATIC_PREFIX", path) or "").strip("/")
    return f"/{path}/" if path else "/"


def uses_finders() -> bool:
    """Say whether it looks where the finders look, before `STATIC_ROOT`."""
    return bool(_setting("USE_FINDERS", settings.DEBUG))


def _setting(name: str, default: Any = None) -> Any:
    return getattr(settings, f"WHITENOISE_{name}", default)


def _max_age() -> Any:
    return _setting("MAX_AGE", 0 if settings.DEBUG else 60)


def _changed(used: type) -> str | None:
    """Say what a subclass does in its own way."""
    for part in used.__mro__:
        if part.__module__.partition(".")[0] == "whitenoise":
            return None
        if own := sorted(vars(part).keys() - _OF_EVERY_CLASS):
            return f"{part.__module__}.{part.__qualname__} has its own {own[0]}"
    return None


def _types() -> dict[str, dict[str, str]]:
    """Return types by extension, without its dot, and by name.

    WhiteNoise looks for a file's name in small letters, then for its last extension.
    """
    types: dict[str, dict[str, str]] = {"types": {}, "types_by_name": {}}
    for key, value in (_setting("MIMETYPES") or {}).items():
        if not (isinstance(key, str) and isinstance(value, str)) or key != key.lower():
            continue
        if value.startswith("text/"):
            value += "; charset=utf-8"
        if key.startswith(".") and key.count(".") == 1:
            types["types"][key[1:]] = value
        else:
            types["types_by_name"][key] = value
    return types
