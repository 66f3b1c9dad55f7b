"""Which MIDDLEWARE surely lets a refused request through to the view, and what it adds.

Understood are classes of Django and of two packages (`third_party.py`), under the
settings that make them plain: for the requests that the edge answers they refuse nothing
themselves, read no database, and add headers that follow from the URL, the scheme and
the headers named in `Vary`. One entry that is not surely so decides for the whole
project. Read in Django 4.2 to 6.1.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signals
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest
from django.urls import LocalePrefixPattern, URLPattern, URLResolver
from django.urls.resolvers import RegexPattern, RoutePattern
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string

from . import languages, third_party
from .originals import first_replaced, is_public_name_of, replaced_in
from .url_table import Row, Uncertain

_SESSION_ENGINES = frozenset(
    f"django.contrib.sessions.backends.{name}"
    for name in ("cache", "cached_db", "db", "file", "signed_cookies")
)
_MESSAGE_STORAGES = frozenset(
    f"django.contrib.messages.storage.{name}"
    for name in ("cookie.CookieStorage", "fallback.FallbackStorage", "session.SessionStorage")
)
#: What carries a request from the server to the middleware and on to the view.
_CARRIERS: tuple[type, ...] = (
    *(WSGIHandler, BaseHandler, WSGIRequest, HttpRequest, MiddlewareMixin),
    *(URLResolver, URLPattern, RoutePattern, RegexPattern, LocalePrefixPattern),
)
#: Packages that wrap Django's handlers to watch them, and change no answer.
_WATCHERS = frozenset({"sentry_sdk", "opentelemetry"})

SCHEMES = ("http", "https")


class NotUnderstood(Exception):
    """The edge may answer nothing in place of this project; the text is for people."""


@dataclass
class Layers:
    """What stands around the views, as far as a refusal goes."""

    #: The schemes over which a request reaches the view.
    schemes: tuple[str, ...] = SCHEMES
    #: Each says of a row what the answer there depends on; raises `Uncertain`.
    rules: tuple[Callable[[Row], Hashable], ...] = ()
    #: What is answered before any view.
    first: tuple[Row, ...] = ()

    def likeness(self, row: Row) -> tuple[Hashable, ...]:
        """Return a key that is equal for rows whose answers get the same headers."""
        return tuple(rule(row) for rule in self.rules)


def scheme_header() -> tuple[str, str] | None:
    """Return the header that tells Django the scheme, and the value for https."""
    if settings.SECURE_PROXY_SSL_HEADER is None:
        return None
    key, secure = settings.SECURE_PROXY_SSL_HEADER
    return key.removeprefix("HTTP_").replace("_", "-").lower(), secure


def _security(layers: Layers, _: Any) -> str | None:
    if settings.SECURE_SSL_REDIRECT:
        # Some paths may be exempt; over http all are left to the app.
        layers.schemes = ("https",)
    return None


def _session(_: Layers, __: Any) -> str | None:
    if settings.SESSION_SAVE_EVERY_REQUEST:
        return "SESSION_SAVE_EVERY_REQUEST writes the session even when the view refuses"
    if settings.SESSION_ENGINE not in _SESSION_ENGINES:
        return f"SESSION_ENGINE {settings.SESSION_ENGINE} is not one of Django's own"
    return None


def _common(_: Layers, __: Any) -> str | None:
    if settings.DISALLOWED_USER_AGENTS:
        return "DISALLOWED_USER_AGENTS refuses some clients before the view"
    if settings.PREPEND_WWW:
        return "PREPEND_WWW redirects before the view"
    if settings.USE_X_FORWARDED_HOST:
        return "USE_X_FORWARDED_HOST takes the host from another header"
    return None


def _csrf(_: Layers, __: Any) -> str | None:
    if settings.CSRF_USE_SESSIONS:
        return "CSRF_USE_SESSIONS reads the session before the view"
    return None


def _message(_: Layers, __: Any) -> str | None:
    if settings.MESSAGE_STORAGE not in _MESSAGE_STORAGES:
        return f"MESSAGE_STORAGE {settings.MESSAGE_STORAGE} is not one of Django's own"
    return None


def _locale(layers: Layers, _: Any) -> str | None:
    def language(row: Row) -> str | None:
        if not languages.are_in_urls():
            return None
        if languages.names_a_language(row.literal_prefix) is None:
            raise Uncertain("its URL may begin with the name of a language")
        return languages.of_path("/" + row.literal_prefix)

    layers.rules += (language,)
    return None


def _login_required(layers: Layers, _: Any) -> str | None:
    def exempt(row: Row) -> None:
        if getattr(row.callback, "login_required", True) is not False:
            raise Uncertain("LoginRequiredMiddleware answers before the view")

    layers.rules += (exempt,)
    return None


def _cors(layers: Layers, _: Any) -> str | None:
    rule = third_party.version_objection("django-cors-headers") or third_party.cors_rule()
    if isinstance(rule, str):
        return rule
    layers.rules += (rule,)
    return None


def _whitenoise(layers: Layers, loaded: Any) -> str | None:
    if objection := third_party.version_objection("whitenoise"):
        return objection
    if loaded is None:
        return "the files of WhiteNoise are not known before it is loaded"
    rows = third_party.whitenoise_rows(loaded)
    if isinstance(rows, str):
        return rows
    layers.first += tuple(rows)
    return None


def _plain(_: Layers, __: Any) -> str | None:
    return None


#: The classes that are understood, each with what reads its settings: it adds to the
#: layers, or returns an objection. The second argument is the loaded object, if found.
_UNDERSTOOD: dict[str, Callable[[Layers, Any], str | None]] = {
    "django.middleware.security.SecurityMiddleware": _security,
    "django.contrib.sessions.middleware.SessionMiddleware": _session,
    "django.middleware.common.CommonMiddleware": _common,
    "django.middleware.csrf.CsrfViewMiddleware": _csrf,
    # Sets a lazy `request.user`; a refused request never asks for it.
    "django.contrib.auth.middleware.AuthenticationMiddleware": _plain,
    "django.contrib.messages.middleware.MessageMiddleware": _message,
    "django.middleware.clickjacking.XFrameOptionsMiddleware": _plain,
    languages.LOCALE_MIDDLEWARE: _locale,
    # Leaves short answers alone; says `Vary: Accept-Encoding` in the others.
    "django.middleware.gzip.GZipMiddleware": _plain,
    "django.contrib.auth.middleware.LoginRequiredMiddleware": _login_required,
    # These three act on an answer of 404 alone.
    "django.middleware.common.BrokenLinkEmailsMiddleware": _plain,
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware": _plain,
    "django.contrib.redirects.middleware.RedirectFallbackMiddleware": _plain,
    "corsheaders.middleware.CorsMiddleware": _cors,
    "whitenoise.middleware.WhiteNoiseMiddleware": _whitenoise,
}


def understand(application: Any) -> Layers:
    """Return what the project's middleware does; raises `NotUnderstood`."""
    layers = Layers()
    for objection in _objections(application, layers):
        raise NotUnderstood(objection)
    return layers


def _objections(application: Any, layers: Layers) -> Iterator[str]:
    application = http_part(application)
    carriers = _CARRIERS
    if asgi := _asgi_carriers(application):
        carriers += asgi
        if settings.FORCE_SCRIPT_NAME:
            yield "under ASGI, FORCE_SCRIPT_NAME takes a part of the path away before it is matched"
    elif type(application) is not WSGIHandler:
        kind = f"{type(application).__module__}.{type(application).__qualname__}"
        yield f"the application is a {kind} around Django, which may answer first"
    header = settings.SECURE_PROXY_SSL_HEADER
    if header is not None and not _is_header(header):
        yield "SECURE_PROXY_SSL_HEADER takes the scheme from something that is no header"
    for path in settings.MIDDLEWARE:
        middleware = import_string(path)
        name = f"{middleware.__module__}.{getattr(middleware, '__qualname__', '')}"
        if (
            name not in _UNDERSTOOD
            or not isinstance(middleware, type)
            or not is_public_name_of(middleware)
        ):
            yield f"the middleware {path} may answer first or change the answer"
        elif against := (
            _UNDERSTOOD[name](layers, _loaded(application, middleware))
            or first_replaced((middleware,))
        ):
            yield against
    for carrier in carriers:
        if replaced := replaced_in(carrier, but_by=_WATCHERS):
            yield f"{carrier.__qualname__}.{replaced[0]} was replaced at run time"
    for module in _strangers_at_request_started():
        yield f"{module} receives request_started and may change the request"


def http_part(application: Any) -> Any:
    """Return what answers HTTP: of Channels' router by protocol, the part that it names for it.

    Anything else is returned as it is, also a router that somebody changed.
    """
    router = type(application)
    if (
        router.__module__ == "channels.routing"
        and router.__qualname__ == "ProtocolTypeRouter"
        and is_public_name_of(router)
        and first_replaced((router,)) is None
    ):
        return application.application_mapping.get("http", application)
    return application


def _asgi_carriers(application: Any) -> tuple[type, ...]:
    """Return what carries a request if the application is Django's own under ASGI."""
    if type(application).__module__ != "django.core.handlers.asgi":
        return ()
    from django.core.handlers.asgi import ASGIHandler, ASGIRequest

    return (ASGIHandler, ASGIRequest) if type(application) is ASGIHandler else ()


def _is_header(setting: Any) -> bool:
    """Return whether SECURE_PROXY_SSL_HEADER names a header as WSGI writes it."""
    if not isinstance(setting, (list, tuple)) or len(setting) != 2:
        return False
    key, secure = setting
    return (
        isinstance(secure, str)
        and isinstance(key, str)
        and key.startswith("HTTP_")
        and key == key.upper()
        and key.removeprefix("HTTP_").replace("_", "a").isalnum()
        and key.isascii()
    )


def _loaded(application: Any, middleware: type) -> Any:
    """Return the object of a middleware that really stands in the application."""
    layer = getattr(application, "_middleware_chain", None)
    while layer is not None:
        # `convert_exception_to_response` wraps each one.
        instance = getattr(layer, "__wrapped__", None)
        if type(instance) is middleware:
            return instance
        layer = getattr(instance, "get_response", None)
    return None


def _strangers_at_request_started() -> Iterator[str]:
    for _, receiver, *_ in signals.request_started.receivers:
        # Most receivers are held by weak references.
        function = receiver() if isinstance(receiver, weakref.ReferenceType) else receiver
        module = getattr(function, "__module__", None) or type(function).__module__
        if function is not None and module.partition(".")[0] not in ("django", "yett"):
            yield module
