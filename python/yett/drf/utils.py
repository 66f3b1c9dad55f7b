"""Small shared pieces: UTC clock, epoch conversion, lazy formatting, the logger.

The module and its functions have the names that simplejwt gives them, because projects
import them. All times are UTC; they are naive only when `USE_TZ` is off.
"""

import hashlib
import logging
from calendar import timegm
from datetime import datetime, timezone
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DataError
from django.utils.functional import lazy

#: What a look-up by a claim raises when the model's field, or the database's column, cannot hold
#: the value: a text for a number, a list, a number too large, a NUL. Nobody has such an id.
NO_ID_OF_THE_MODEL = (TypeError, ValueError, OverflowError, ValidationError, DataError)

logger = logging.getLogger("yett.drf")


def get_md5_hash_password(password: str) -> str:
    """Return the fingerprint of a stored password string that `CHECK_REVOKE_TOKEN` compares.

    Upper-case hexadecimal MD5, as simplejwt writes it: tokens in circulation carry it. It
    shows whether the string changed and protects nothing.
    """
    return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest().upper()


def make_utc(dt: datetime) -> datetime:
    """Mark a naive time as UTC when the project uses time zones."""
    return dt.replace(tzinfo=timezone.utc) if settings.USE_TZ and dt.tzinfo is None else dt


def aware_utcnow() -> datetime:
    """Return the time now in UTC; naive when `USE_TZ` is off."""
    return _as_project_wants(datetime.now(tz=timezone.utc))


def datetime_to_epoch(dt: datetime) -> int:
    """Return whole seconds since 1970, fractions dropped, as JWT's NumericDate."""
    return timegm(dt.utctimetuple())


def datetime_from_epoch(ts: float) -> datetime:
    """Return the UTC time of a NumericDate; naive when `USE_TZ` is off."""
    return _as_project_wants(datetime.fromtimestamp(ts, tz=timezone.utc))


def _as_project_wants(utc: datetime) -> datetime:
    return utc if settings.USE_TZ else utc.replace(tzinfo=None)


def _format(template: Any, *args: Any, **kwargs: Any) -> str:
    return str(template).format(*args, **kwargs)


#: Format a translatable template when the text is needed, not when it is defined.
format_lazy = lazy(_format, str)
