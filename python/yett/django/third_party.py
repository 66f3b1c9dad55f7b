"""The middleware of other packages that is understood: django-cors-headers and WhiteNoise.

Each is read closely in the versions named here; any other version is a stranger. Neither
is imported unless the project's MIDDLEWARE names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import metadata
from typing import Any
from urllib.parse import quote

from .expressions import literal_start
from .url_table import Row, Uncertain

#: Releases whose middleware was read: a change of the first number is a change of manners.
_READ = {"django-cors-headers": ("4",), "whitenoise": ("6",)}
#: Files outside the static prefix that are written out one by one.
_MOST_FILES = 200


def version_objection(distribution: str) -> str | None:
    """Return why the installed release is not understood, or `None`."""
    try:
        version = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return f"the version of {distribution} is not known"
    if version.partition(".")[0] in _READ[distribution]:
        return None
    return f"{distribution} {version} is not a version that the edge knows"


def cors_rule() -> str | Callable[[Row], bool]:
    """Return which rows get CORS headers, or why that cannot be told.

    `CorsMiddleware` answers preflights, which are OPTIONS. To the other answers for URLs
    that CORS_URLS_REGEX takes, it adds `Vary: origin`, and the rest only for a request
    that has an Origin: so the edge answers those without one.
    """
    from corsheaders.conf import conf
    from corsheaders.signals import check_request_enabled

    if check_request_enabled.receivers:
        return "check_request_enabled has receivers, which may look at the request"
    start = literal_start(conf.CORS_URLS_REGEX)
    if start is None:
        return "CORS_URLS_REGEX is more than a literal start"

    def takes(row: Row) -> bool:
        path = "/" + row.literal_prefix
        if path.startswith(start):
            return True
        if start.startswith(path):
            raise Uncertain("CORS_URLS_REGEX may take some of its paths and not others")
        return False

    return takes


def whitenoise_rows(middleware: Any) -> str | list[Row]:
    """Return the URLs that this `WhiteNoiseMiddleware` may answer before any view.

    It answers the files that it found when it was made, and nothing else. In the mode for
    development (`autorefresh`) it looks for files as the requests come.
    """
    roots = [prefix for _, prefix in middleware.directories]
    if any(prefix != middleware.static_prefix for prefix in roots):
        return "WhiteNoise looks for files of WHITENOISE_ROOT at each request"
    static = middleware.static_prefix
    alone = sorted(url for url in middleware.files if not url.startswith(static))
    if len(alone) > _MOST_FILES:
        return f"WhiteNoise serves {len(alone)} files outside {static}"
    view = f"{type(middleware).__module__}.{type(middleware).__qualname__}"
    why = "WhiteNoise may have a file here and answers first"
    rows = [Row(pieces=(static[1:],), opaque=why, literal_prefix=static[1:], route=static[1:])]
    for url in alone:
        rows.append(
            Row(
                pieces=(f"^{re.escape(url[1:])}\\Z",),
                perhaps=why,
                literal_prefix=url[1:],
                route=quote(url[1:], safe="/~!$&'()*+,;=:@"),
            )
        )
    return [row.of_middleware(view) for row in rows]
