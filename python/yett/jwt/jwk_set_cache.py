"""One JSON Web Key Set and its age, for `PyJWKClient`."""

import time
from typing import Any

from yett.jwt.api_jwk import PyJWKSet, PyJWTSetWithTimestamp
from yett.jwt.exceptions import PyJWKSetError


class JWKSetCache:
    """Holds one set for `lifespan` seconds; for ever where that is -1."""

    def __init__(self, lifespan: float) -> None:
        self.jwk_set_with_timestamp: PyJWTSetWithTimestamp | None = None
        self.lifespan = lifespan

    def put(self, jwk_set: PyJWKSet | dict[str, Any] | None) -> None:
        """Keep a set, parsed or as a dictionary; `None` empties the cache."""
        if jwk_set is None:
            self.jwk_set_with_timestamp = None
            return
        if isinstance(jwk_set, dict):
            jwk_set = PyJWKSet.from_dict(jwk_set)
        if not isinstance(jwk_set, PyJWKSet):
            raise PyJWKSetError("Invalid JWK Set value")
        self.jwk_set_with_timestamp = PyJWTSetWithTimestamp(jwk_set)

    def get(self) -> PyJWKSet | None:
        """The set, unless there is none or it is too old."""
        # One reading of the attribute: another thread may empty the cache in between.
        kept = self.jwk_set_with_timestamp
        if kept is None or self._is_old(kept):
            return None
        return kept.get_jwk_set()

    def is_expired(self) -> bool:
        """Whether there is a set, and it is too old."""
        kept = self.jwk_set_with_timestamp
        return kept is not None and self._is_old(kept)

    def _is_old(self, kept: PyJWTSetWithTimestamp) -> bool:
        return self.lifespan > -1 and time.monotonic() > kept.get_timestamp() + self.lifespan
