"""Fetches JSON Web Key Sets over HTTP, under PyJWT's names.

https alone; http only where the host is this machine, or with `danger_allow_http`. Never follows
a redirect, never reads more than `LONGEST_ANSWER`. One fetch at a time; whoever waits for it
takes its result. A failed fetch leaves the keys that are there.
"""

import functools
import http.client
import ipaddress
import json
import math
import threading
import time
import urllib.request
from ssl import SSLContext
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from yett.jwt.api_jwk import PyJWK, PyJWKSet
from yett.jwt.api_jws import get_unverified_header
from yett.jwt.exceptions import PyJWKClientConnectionError, PyJWKClientError
from yett.jwt.jwk_set_cache import JWKSetCache

#: Bytes of a JWK set; a longer answer is an error. Large providers publish about 10 KiB.
LONGEST_ANSWER: Final = 1024 * 1024


class _NoRedirectHandler(urllib.request.HTTPRedirectHandler):
    """Whoever answers for the configured address must not be able to name another one."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None


class PyJWKClient:
    """The keys of one address.

    `lifespan` seconds a set is kept; then, and for an unknown key id, it is fetched again, for
    the latter at most once in `cooldown_duration` seconds. `cache_keys` also keeps the last
    `max_cached_keys` keys that were asked for, without a limit in time. `timeout` in seconds
    counts for each step of a fetch.
    """

    def __init__(
        self,
        uri: str,
        cache_keys: bool = False,
        max_cached_keys: int = 16,
        cache_jwk_set: bool = True,
        lifespan: float = 300,
        headers: dict[str, Any] | None = None,
        timeout: float = 30,
        ssl_context: SSLContext | None = None,
        cooldown_duration: float = 30,
        *,
        danger_allow_http: bool = False,
    ) -> None:
        _check_address(uri, danger_allow_http)
        if not (math.isfinite(cooldown_duration) and cooldown_duration >= 0):
            raise PyJWKClientError("Cooldown duration must be finite and not negative")
        if cache_jwk_set and not lifespan > 0:
            raise PyJWKClientError("Lifespan must be greater than 0")
        self.uri = uri
        self.headers = {} if headers is None else headers
        self.timeout = timeout
        self.ssl_context = ssl_context
        self.cooldown_duration = cooldown_duration
        self.jwk_set_cache = JWKSetCache(lifespan) if cache_jwk_set else None
        self._last_successful_fetch: float | None = None
        self._fetching = threading.RLock()
        if cache_keys:
            remember = functools.lru_cache(maxsize=max_cached_keys)
            self.get_signing_key = remember(self.get_signing_key)  # type: ignore[method-assign]

    def fetch_data(self) -> Any:
        """Fetch the set: a dictionary. May be overridden to change what is fetched."""
        handlers: list[urllib.request.BaseHandler] = [_NoRedirectHandler()]
        if self.ssl_context is not None:
            handlers.append(urllib.request.HTTPSHandler(context=self.ssl_context))
        opener = urllib.request.build_opener(*handlers)
        request = urllib.request.Request(self.uri, headers=self.headers)
        try:
            with opener.open(request, timeout=self.timeout) as answer:
                body = answer.read(LONGEST_ANSWER + 1)
        except (URLError, TimeoutError, http.client.HTTPException, OSError) as error:
            if isinstance(error, HTTPError):
                error.close()
            raise PyJWKClientConnectionError(
                f'Fail to fetch data from the url, err: "{error}"'
            ) from error
        if len(body) > LONGEST_ANSWER:
            raise PyJWKClientError(f"The JWKS endpoint sent more than {LONGEST_ANSWER} bytes")
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            data = None
        data = self._as_jwk_set_payload(data)
        if self.jwk_set_cache is not None:
            self.jwk_set_cache.put(data)
        self._last_successful_fetch = time.monotonic()
        return data

    @staticmethod
    def _as_jwk_set_payload(data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise PyJWKClientError("The JWKS endpoint did not return a JSON object")
        return data

    def get_jwk_set(self, refresh: bool = False) -> PyJWKSet:
        """The set: the one at hand, or with `refresh`, or when there is none, a new one."""
        if not refresh and (kept := self._kept()) is not None:
            return kept
        with self._fetching:
            # Somebody may have fetched it while we waited.
            if not refresh and (kept := self._kept()) is not None:
                return kept
            data = self.fetch_data()
            jwk_set = (
                data
                if isinstance(data, PyJWKSet)
                else PyJWKSet.from_dict(self._as_jwk_set_payload(data))
            )
            # What an overriding `fetch_data` gave back, not what came over the wire.
            if self.jwk_set_cache is not None:
                self.jwk_set_cache.put(jwk_set)
            return jwk_set

    def _kept(self) -> PyJWKSet | None:
        return None if self.jwk_set_cache is None else self.jwk_set_cache.get()

    def get_signing_keys(self, refresh: bool = False) -> list[PyJWK]:
        """The keys with an id that are for signatures, or do not say what they are for."""
        keys = [
            key
            for key in self.get_jwk_set(refresh).keys
            if key.public_key_use in ("sig", None) and key.key_id
        ]
        if not keys:
            raise PyJWKClientError("The JWKS endpoint did not contain any signing keys")
        return keys

    def get_signing_key(self, kid: str) -> PyJWK:
        """The key of an id, from the set at hand or, under the cooldown, from a new one."""
        found = self.match_kid(self.get_signing_keys(), kid)
        if found is None:
            with self._fetching:
                found = self._after_refresh(kid)
        if found is None:
            raise PyJWKClientError(f'Unable to find a signing key that matches: "{kid}"')
        return found

    def _after_refresh(self, kid: str) -> PyJWK | None:
        if self.jwk_set_cache is not None:
            # Whoever held the lock before us may have fetched a set that has it.
            found = self.match_kid(self.get_signing_keys(), kid)
            if found is not None or self._is_cooling_down():
                return found
        return self.match_kid(self.get_signing_keys(refresh=True), kid)

    def _is_cooling_down(self) -> bool:
        last = self._last_successful_fetch
        return last is not None and time.monotonic() - last < self.cooldown_duration

    def get_signing_key_from_jwt(self, token: str | bytes) -> PyJWK:
        """The key that a token's header names. The token is not proved by this."""
        return self.get_signing_key(get_unverified_header(token).get("kid", ""))

    @staticmethod
    def match_kid(signing_keys: list[PyJWK], kid: str) -> PyJWK | None:
        """The first key of the id."""
        return next((key for key in signing_keys if key.key_id == kid), None)


def _check_address(uri: str, danger_allow_http: bool) -> None:
    """Refuse what urllib would open besides (files, ftp), and keys that anyone could replace."""
    address = urlsplit(uri)
    if address.scheme not in ("http", "https"):
        raise PyJWKClientError(
            f"Invalid JWKS URI scheme {address.scheme!r}: only 'https' is supported"
        )
    if (
        address.scheme == "http"
        and not danger_allow_http
        and not _is_this_machine(address.hostname)
    ):
        raise PyJWKClientError(
            "A JWK Set over http can be replaced on its way: use https, or danger_allow_http"
        )


def _is_this_machine(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
