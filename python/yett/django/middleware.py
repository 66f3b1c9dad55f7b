"""Which MIDDLEWARE surely lets a refused request through to the view.

Allowed are a few of Django's own classes, under the settings that make them plain: they
answer nothing themselves, read no database for the request, and add headers that are the
same for every request. One entry that is not surely so decides for the whole project.
Read in Django 4.2 to 6.1.
"""

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string

from .originals import replaced_in

_SESSION_ENGINES = frozenset(
    f"django.contrib.sessions.backends.{name}"
    for name in ("cache", "cached_db", "db", "file", "signed_cookies")
)
_MESSAGE_STORAGES = frozenset(
    f"django.contrib.messages.storage.{name}"
    for name in ("cookie.CookieStorage", "fallback.FallbackStorage", "session.SessionStorage")
)


def _security() -> str | None:
    if settings.SECURE_SSL_REDIRECT:
        return "SECURE_SSL_REDIRECT answers before the view"
    if settings.SECURE_HSTS_SECONDS:
        # Only over TLS, which SECURE_PROXY_SSL_HEADER may take from a header.
        return "SECURE_HSTS_SECONDS makes the headers depend on the scheme"
    return None


def _session() -> str | None:
    if settings.SESSION_SAVE_EVERY_REQUEST:
        return "SESSION_SAVE_EVERY_REQUEST writes the session even when the view refuses"
    if settings.SESSION_ENGINE not in _SESSION_ENGINES:
        return f"SESSION_ENGINE {settings.SESSION_ENGINE} is not one of Django's own"
    return None


def _common() -> str | None:
    if settings.DISALLOWED_USER_AGENTS:
        return "DISALLOWED_USER_AGENTS refuses some clients before the view"
    if settings.PREPEND_WWW:
        return "PREPEND_WWW redirects before the view"
    if settings.USE_X_FORWARDED_HOST:
        return "USE_X_FORWARDED_HOST takes the host from another header"
    return None


def _csrf() -> str | None:
    if settings.CSRF_USE_SESSIONS:
        return "CSRF_USE_SESSIONS reads the session before the view"
    return None


def _message() -> str | None:
    if settings.MESSAGE_STORAGE not in _MESSAGE_STORAGES:
        return f"MESSAGE_STORAGE {settings.MESSAGE_STORAGE} is not one of Django's own"
    return None


def _plain() -> str | None:
    return None


#: The classes that are understood, each with what asks its settings for an objection.
_UNDERSTOOD: dict[type, Callable[[], str | None]] = {
    SecurityMiddleware: _security,
    SessionMiddleware: _session,
    CommonMiddleware: _common,
    CsrfViewMiddleware: _csrf,
    # Sets a lazy `request.user`; a refused request never asks for it.
    AuthenticationMiddleware: _plain,
    MessageMiddleware: _message,
    XFrameOptionsMiddleware: _plain,
}


def objection(application: Any) -> str | None:
    """Return why the edge may answer nothing in place of this project, or `None`."""
    return next(_objections(application), None)


def _objections(application: Any) -> Iterator[str]:
    if type(application) is not WSGIHandler:
        kind = f"{type(application).__module__}.{type(application).__qualname__}"
        yield f"the application is a {kind} around Django, which may answer first"
    for path in settings.MIDDLEWARE:
        middleware = import_string(path)
        if middleware not in _UNDERSTOOD:
            yield f"the middleware {path} may answer first or change the answer"
        elif against := _UNDERSTOOD[middleware]():
            yield against
        elif replaced := replaced_in(middleware):
            yield f"{path}.{replaced[0]} was replaced at run time"
    if replaced := replaced_in(MiddlewareMixin):
        yield f"{MiddlewareMixin.__name__}.{replaced[0]} was replaced at run time"
    for module in _strangers_at_request_started():
        yield f"{module} receives request_started and may change the request"


def _strangers_at_request_started() -> Iterator[str]:
    for _, receiver, *_ in signals.request_started.receivers:
        # Most receivers are held by weak references.
        function = receiver() if isinstance(receiver, weakref.ReferenceType) else receiver
        module = getattr(function, "__module__", None) or type(function).__module__
        if function is not None and module.partition(".")[0] not in ("django", "yett"):
            yield module
