"""The `django` part of the app manifest: what the edge may know of the loaded project.

Runs once in the zygote, after the application was imported and before any fork, in the
single thread. It opens no database connection, starts no thread and sends no request
anywhere. Closed by default: whatever is not surely understood is left to the project
(`"guard": "app"`), with the reason. The form is fixed in `docs/notes/borders.md`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver

from . import languages, middleware
from .static_files import static_files
from .token_rules import NotForTheEdge, token_rules
from .url_table import Row, Uncertain, handled_methods, rows


def manifest(
    application: Any = None, *, development: bool = False, asgi: bool = False
) -> dict[str, Any]:
    """Describe the project whose settings are loaded.

    `application` is the callable that serves the project, a WSGI one unless `asgi`; without it
    the one that the settings name is taken. In development static files are where the finders
    look. The result can be written as JSON and holds the key.
    """
    if application is None:
        from django.core.servers.basehttp import get_internal_wsgi_application

        application = get_internal_wsgi_application()
    # First: reading the URLs imports the views, and with them yett.drf if it is used.
    with languages.kept():
        table = list(rows(get_resolver()))
    rules, why_not = _rules_or_reason()
    answers = _Answers()
    hosts = allowed_hosts()
    with ExitStack() as stack:
        judge = _Judge(stack, application, hosts, why_not)
        url_table = [_entry(row, judge, answers) for row in (*judge.layers.first, *table)]
    header = middleware.scheme_header() if judge.may_answer() else None
    return {
        "version": django.get_version(),
        "settings": os.environ.get("DJANGO_SETTINGS_MODULE", ""),
        "debug": bool(settings.DEBUG),
        "static": static_files(development=development, asgi=asgi),
        "allowed_hosts": hosts,
        "scheme_header": header and {"name": header[0], "secure": header[1]},
        "token_rules": rules,
        "token_rules_why_not": why_not,
        "url_table": url_table,
        "answers": [answer.as_json() for answer in answers.unique],
    }


def allowed_hosts() -> list[str]:
    """Return the hosts that Django accepts (`HttpRequest.get_host`)."""
    if settings.DEBUG and not settings.ALLOWED_HOSTS:
        return [".localhost", "127.0.0.1", "[::1]"]
    return [str(host) for host in settings.ALLOWED_HOSTS]


def _rules_or_reason() -> tuple[dict[str, Any] | None, str | None]:
    try:
        return token_rules(), None
    except NotForTheEdge as reason:
        return None, str(reason)


class _Answers:
    """The distinct answers, each once, and where each stands."""

    def __init__(self) -> None:
        self.unique: list[Any] = []
        self._positions: dict[Any, int] = {}

    def position(self, answer: Any) -> int:
        if answer not in self._positions:
            self._positions[answer] = len(self.unique)
            self.unique.append(answer)
        return self._positions[answer]


class _Judge:
    """Decides for each row who refuses; the reasons that hold for all are asked once."""

    def __init__(
        self, stack: ExitStack, application: Any, hosts: list[str], no_rules: str | None
    ) -> None:
        self.layers = middleware.Layers()
        self._for_all = next(self._project_objections(application, hosts, no_rules), None)
        if self._for_all is None:
            from .probe import Prober, host_for

            host = host_for(hosts)
            assert host is not None, "a project without hosts has an objection"
            try:
                self._prober = stack.enter_context(Prober(host, self.layers))
            except ImproperlyConfigured as error:
                self._for_all = f"the project cannot be asked: {error}"

    def may_answer(self) -> bool:
        """Return whether the edge may answer for the project at all."""
        return self._for_all is None

    def _project_objections(
        self, application: Any, hosts: list[str], no_rules: str | None
    ) -> Iterator[str]:
        if no_rules is not None:
            yield no_rules
            return
        if not _has_users():
            yield "django.contrib.auth is not among INSTALLED_APPS"
            return
        # Only now: it imports DRF, which the project has by the rules above.
        from . import views

        if not hosts:
            yield "ALLOWED_HOSTS is empty, so the project answers 400 to everything"
        try:
            self.layers = middleware.understand(application)
        except middleware.NotUnderstood as reason:
            yield str(reason)
        if (objection := views.project_objection()) is not None:
            yield objection

    def verdict(self, row: Row) -> tuple[str, dict[str, dict[str, Any]] | None]:
        """Return the reason and, when the edge may refuse, the answers by scheme and kind."""
        if self._for_all is not None:
            return self._for_all, None
        if (unsure := row.opaque or row.perhaps) is not None:
            return unsure, None
        from rest_framework.settings import api_settings as rest_framework_settings

        from . import views
        from .probe import Unfit

        view = views.rest_view(row.callback)
        if view is None and not hasattr(row.callback, "cls"):
            return "it is no view of Django REST framework", None
        if view is None:
            return "something stands around what as_view() made, such as a decorator", None
        suffix = rest_framework_settings.FORMAT_SUFFIX_KWARG
        if suffix and suffix in row.arguments:
            return "the URL can choose the renderer", None
        if (objection := views.objection(row.callback, view)) is not None:
            return objection, None
        try:
            answers = self._prober.answers(row, view)
        except (Unfit, Uncertain) as reason:
            return str(reason), None
        if all("missing" in kinds for kinds in answers.values()):
            why = "only a valid token gets past JWTAuthentication and its first permission"
        else:
            why = "JWTAuthentication refuses a bad token; without one the permissions decide"
        if "http" not in answers:
            why += "; over http SECURE_SSL_REDIRECT answers first"
        return why, answers


def _entry(row: Row, judge: _Judge, answers: _Answers) -> dict[str, Any]:
    why, found = judge.verdict(row)
    return {
        "pieces": list(row.pieces),
        "opaque": row.opaque is not None,
        "perhaps": row.perhaps is not None,
        "literal_prefix": row.literal_prefix,
        "route": row.route,
        "name": row.full_name,
        **(_description(row.callback) if not row.middleware else _of_middleware(row)),
        "guard": "app" if found is None else "token",
        "why": why,
        "answers": None
        if found is None
        else {
            scheme: {kind: answers.position(answer) for kind, answer in kinds.items()}
            for scheme, kinds in found.items()
        },
    }


def _has_users() -> bool:
    """Whether Django's users can be imported: DRF needs them only with its own defaults."""
    return apps.is_installed("django.contrib.auth")


def _of_middleware(row: Row) -> dict[str, Any]:
    return {"view": row.middleware, "methods": [], "authentication": "", "permission": ""}


def _description(callback: Any) -> dict[str, Any]:
    """Return what people want to know of a view; empty where it has no such thing."""
    view_class = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    shown = view_class or callback
    name = getattr(shown, "__qualname__", None) or type(shown).__qualname__
    description = {
        "view": f"{shown.__module__}.{name}" if callback is not None else "",
        "methods": [],
        "authentication": "",
        "permission": "",
    }
    if not isinstance(view_class, type):
        return description
    if not hasattr(view_class, "authentication_classes") or not _has_users():
        return description | {"methods": handled_methods(view_class)}

    from . import views

    view = views.rest_view(callback) or views.RestView(
        view_class, getattr(callback, "initkwargs", {}), getattr(callback, "actions", None)
    )
    return description | {
        "methods": view.methods(),
        "authentication": views.names(view.policy("authentication_classes")),
        "permission": views.names(view.policy("permission_classes")),
    }
