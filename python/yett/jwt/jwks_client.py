"""Fetches JSON Web Key Sets over HTTP, under PyJWT's names.

https alone; http only where the host is this machine, or with `danger_allow_http`. Never follows
a redirect, never reads more than `LONGEST_ANSWER`, and gives up after `timeout` seconds. One fetch
at a time: whoever wants the set meanwhile takes its result, good or bad, and waits no longer than
`timeout`. A failure stands for `FAILURE_COUNTS` seconds, and leaves the keys that are there.

A published set is judged as strictly as Rust's (`yett-jwt`, `key_set.rs`), and refused as a whole
if it names a shared secret, has two keys of one id, or more than `MOST_KEYS` members.
"""

import functools
import http.client
import ipaddress
import math
import os
import threading
import time
import urllib.request
from ssl import SSLContext
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from yett.jwt import _fetch
from yett.jwt._fetch import NoRedirectHandler as _NoRedirectHandler  # noqa: F401 - PyJWT's name
from yett.jwt.api_jwk import MOST_KEYS, PyJWK, PyJWKSet, json_object
from yett.jwt.api_jws import get_unverified_header
from yett.jwt.exceptions import (
    PyJWKClientConnectionError,
    PyJWKClientError,
    PyJWKSetError,
    PyJWTError,
)
from yett.jwt.jwk_set_cache import JWKSetCache

#: Bytes of a JWK set; a longer answer is an error. Large providers publish about 10 KiB.
LONGEST_ANSWER: Final = 1024 * 1024

#: Seconds in which nobody asks again after a failed fetch.
FAILURE_COUNTS: Final = 5.0


class _Flight:
    """One fetch, for all who want its result."""

    def __init__(self) -> None:
        self.process, self.thread = os.getpid(), threading.get_ident()
        self.is_over = threading.Event()
        self.jwk_set: PyJWKSet | None = None
        self.failure: PyJWTError = PyJWKClientConnectionError("The fetch was interrupted")

    def is_mine(self) -> bool:
        return self.process == os.getpid() and self.thread == threading.get_ident()

    def result(self) -> PyJWKSet:
        if self.jwk_set is None:
            raise _anew(self.failure)
        return self.jwk_set


def _anew(failure: PyJWTError) -> PyJWTError:
    """The same error for another thread: an exception object belongs to one."""
    kinds = (PyJWKClientConnectionError, PyJWKSetError)
    kind = type(failure) if type(failure) in kinds else PyJWKClientError
    return kind(str(failure))


class PyJWKClient:
    """The keys of one address.

    `lifespan` seconds a set is kept; then, and for an unknown key id, it is fetched again, for
    the latter at most once in `cooldown_duration` seconds. `cache_keys` also keeps the last
    `max_cached_keys` keys that were asked for, without a limit in time. `timeout` in seconds
    counts for a fetch as a whole, but for the resolution of the host's name.
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
        if not (math.isfinite(timeout) and timeout > 0):
            raise PyJWKClientError("Timeout must be finite and greater than 0")
        self.uri = uri
        self.headers = {} if headers is None else headers
        self.timeout = timeout
        self.ssl_context = ssl_context
        self.cooldown_duration = cooldown_duration
        self.jwk_set_cache = JWKSetCache(lifespan) if cache_jwk_set else None
        self._last_successful_fetch: float | None = None
        # Held for moments, never during a fetch. Reentrant: a finalizer may come in between.
        self._lock = threading.RLock()
        self._flight: _Flight | None = None
        self._failed: tuple[float, PyJWTError] | None = None
        if cache_keys:
            remember = functools.lru_cache(maxsize=max_cached_keys)
            self.get_signing_key = remember(self.get_signing_key)  # type: ignore[method-assign]

    def fetch_data(self) -> Any:
        """Fetch the set: a dictionary. May be overridden to change what is fetched."""
        handlers = _fetch.handlers(_fetch.Deadline(self.timeout), self.ssl_context)
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
            data = json_object(body)
        except ValueError as error:
            raise PyJWKClientError(
                f"The JWKS endpoint did not return a JSON object. {error}"
            ) from None
        # Within `get_jwk_set` the result counts alone: an overriding `fetch_data` may leave keys
        # out, and then nobody may see these before.
        flight = self._flight
        if flight is None or not flight.is_mine():
            self._take(_published(data))
        return data

    def _take(self, jwk_set: PyJWKSet) -> None:
        if self.jwk_set_cache is not None:
            self.jwk_set_cache.put(jwk_set)
        self._last_successful_fetch = time.monotonic()

    def get_jwk_set(self, refresh: bool = False) -> PyJWKSet:
        """The set: the one at hand, or with `refresh`, or when there is none, a new one."""
        kept = self._kept()
        return kept if kept is not None and not refresh else self._shared(kept)

    def _shared(self, seen: PyJWKSet | None) -> PyJWKSet:
        """A set that is newer than `seen`, by a fetch of ours or of another thread."""
        with self._lock:
            kept = self._kept()
            if kept is not None and kept is not seen:
                return kept
            if self._failed is not None:
                when, failure = self._failed
                if time.monotonic() - when < FAILURE_COUNTS:
                    raise _anew(failure)
            flight = self._flight
            # A fetch that was on when the process forked goes on in the parent alone.
            is_ours = flight is None or flight.process != os.getpid()
            if flight is None or is_ours:
                flight = self._flight = _Flight()
        if is_ours:
            self._fly(flight)
        elif flight.is_mine():
            raise PyJWKClientError("fetch_data must not ask for the set that it fetches")
        elif not flight.is_over.wait(self.timeout):
            raise PyJWKClientConnectionError("Another thread's fetch takes too long")
        return flight.result()

    def _fly(self, flight: _Flight) -> None:
        """Fetch, and tell all who wait."""
        failure: PyJWTError | None = None
        try:
            jwk_set = _published(self.fetch_data())
            self._take(jwk_set)
            flight.jwk_set = jwk_set
        except PyJWTError as error:
            failure = error
            raise
        except Exception as error:
            # Out of an overriding `fetch_data`. What it is, only its own thread is told.
            failure = PyJWKClientConnectionError(f"Fail to fetch data: {type(error).__name__}")
            raise
        finally:
            with self._lock:
                self._failed = None
                if failure is not None:
                    flight.failure = _anew(failure)
                    self._failed = (time.monotonic(), flight.failure)
                self._flight = None
            flight.is_over.set()

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
            # Under the cooldown, another thread may have fetched a set that has it just now.
            refresh = self.jwk_set_cache is None or not self._is_cooling_down()
            found = self.match_kid(self.get_signing_keys(refresh=refresh), kid)
        if found is None:
            raise PyJWKClientError(f'Unable to find a signing key that matches: "{kid}"')
        return found

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


def _published(data: Any) -> PyJWKSet:
    """A set that came from elsewhere. Whoever publishes a secret lets everybody sign with it, and
    of two keys of one id nobody could say which one a token means."""
    if not isinstance(data, (dict, PyJWKSet)):
        raise PyJWKClientError("The JWKS endpoint did not return a JSON object")
    members = data.get("keys") if isinstance(data, dict) else None
    types = [
        one.get("kty")
        for one in (members if isinstance(members, list) else ())
        if isinstance(one, dict)
    ]
    jwk_set = PyJWKSet.from_dict(data) if isinstance(data, dict) else data
    if "oct" in types or any(key.key_type == "oct" for key in jwk_set.keys):
        raise PyJWKClientError("The JWKS endpoint published a shared secret")
    if len(jwk_set.keys) > MOST_KEYS:
        raise PyJWKClientError(f"The JWKS endpoint sent more than {MOST_KEYS} keys")
    ids = [key.key_id for key in jwk_set.keys if key.key_id is not None]
    if len(set(ids)) < len(ids):
        raise PyJWKClientError("Two keys of the JWKS endpoint have the same id")
    return jwk_set


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
