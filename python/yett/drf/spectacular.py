"""The way from drf-spectacular to `openapi.py`, without a setting and without importing either.

Nothing says to a library that another one was imported, and drf-spectacular cannot be imported
from here: it imports DRF's views, which may be what is importing us. So its extensions are
registered at the two steps that every schema takes through this package: it reads `schema`
of each token view, and it has each view make its authenticators. Both are before the first look
into its registry that concerns us. For the same reason nothing of DRF is imported here.
"""

from __future__ import annotations

import sys
from types import ModuleType

#: Loaded by every schema that drf-spectacular makes, for its `AutoSchema`.
_AUTO_SCHEMA = "drf_spectacular.openapi"


def openapi_if_used() -> ModuleType | None:
    """Return `openapi.py` with its extensions registered where drf-spectacular is loaded.

    Elsewhere it is one look-up.
    """
    if _AUTO_SCHEMA not in sys.modules:
        return None
    from . import openapi

    return openapi
