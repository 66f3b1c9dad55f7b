"""The way from drf-spectacular to `openapi.py`, without a setting and without importing either.

Nothing says to a library that another one was imported, and drf-spectacular cannot be imported
from here: it imports DRF's views, which may be what is importing us. So its extensions are
registered at the two steps that every schema takes through this package: it reads `schema`
of each view, and it asks each view for its authenticators. Both are before the first look
into its registry that concerns us.
"""

from __future__ import annotations

import sys
from typing import Any

from rest_framework.schemas import DefaultSchema

#: Loaded by every schema that drf-spectacular makes, for its `AutoSchema`.
_AUTO_SCHEMA = "drf_spectacular.openapi"


def register_if_used() -> None:
    """Register the extensions where drf-spectacular is loaded; a look-up where it is not."""
    if _AUTO_SCHEMA in sys.modules:
        from . import openapi  # noqa: F401  # its classes register themselves


class TokenViewSchema(DefaultSchema):
    """The attribute `schema` of the token views: the project's class, and what we know more.

    Read when a schema is made or a view asked for it, not by requests.
    """

    def __get__(self, instance: Any, owner: Any) -> Any:
        """Return the schema of a view, of the project's class in any case."""
        schema = super().__get__(instance, owner)
        if _AUTO_SCHEMA not in sys.modules:
            return schema
        from . import openapi

        # One that was set on this very view stays what it is.
        return schema if instance in self.instance_schemas else openapi.extended(schema, instance)
