"""Reads from a URL's callback whether a valid token is surely needed.

The answer is yes only when every line that runs before the refusal is Django's, DRF's or
Yett's own: the callback is exactly what `as_view()` made, the class overrides nothing on
the way (DRF 3.15 to 3.18: `View.setup`, `APIView.dispatch` and all that they call), and
the policies are the exact classes that are understood. What runs after the refusal was
certain, such as throttles and the handlers, is free.

Nothing is called here but `as_view()` of two empty classes of our own.
"""

from __future__ import annotations

import abc
import typing
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from rest_framework import generics, mixins, views, viewsets
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings as rest_framework_settings

from yett.drf.authentication import JWTAuthentication
from yett.drf.backends import TokenBackend
from yett.drf.settings import api_settings
from yett.drf.tokens import AccessToken

from .originals import comes_from, first_replaced, is_original, is_public_name_of
from .url_table import handled_methods

_HOMES = frozenset(module.__name__ for module in (generics, mixins, views, viewsets)) | {
    View.__module__
}

#: What runs, or is read, between the URL and the refusal, and from there to the answer.
ON_THE_WAY = frozenset(
    {
        # making the view object
        *("as_view", "__new__", "__init__", "__getattribute__", "__getattr__", "__setattr__"),
        # View.setup and APIView.dispatch
        *("setup", "dispatch", "initialize_request", "initial", "settings"),
        *("get_parser_context", "get_parsers", "get_authenticators", "get_content_negotiator"),
        *("default_response_headers", "allowed_methods", "_allowed_methods"),
        # APIView.initial
        *("get_format_suffix", "perform_content_negotiation", "get_renderers"),
        *("determine_version", "perform_authentication"),
        *("check_permissions", "get_permissions", "permission_denied"),
        # the refusal becomes an answer
        *("handle_exception", "get_authenticate_header", "get_exception_handler"),
        *("get_exception_handler_context", "raise_uncaught_exception"),
        *("finalize_response", "get_renderer_context"),
        # other ways out of dispatch
        *("http_method_not_allowed", "options"),
        # what the methods above keep on the object: a property there could do anything
        *("request", "args", "kwargs", "headers", "format_kwarg", "response", "action_map"),
        "_negotiator",
    }
)

#: Library classes outside the view whose code decides the refusal.
_DECIDING: tuple[type, ...] = (
    *(Request, Response, DefaultContentNegotiation, JSONRenderer, IsAuthenticated, IsAdminUser),
    *(JWTAuthentication, AccessToken, TokenBackend),
)


class RestView(NamedTuple):
    """A view of DRF, exactly as `as_view()` made it."""

    view_class: type
    initkwargs: dict[str, Any]
    #: HTTP method to action, in a view set.
    actions: dict[str, str] | None

    def policy(self, name: str) -> Any:
        """Return what an object of this view will have under `name`."""
        return self.initkwargs.get(name, getattr(self.view_class, name, None))

    def identity(self) -> tuple[Any, ...]:
        """Return a key that is equal only for views that are configured alike."""
        actions = tuple(sorted(self.actions.items())) if self.actions is not None else None
        return self.view_class, actions, tuple((n, id(v)) for n, v in self.initkwargs.items())

    def methods(self) -> list[str]:
        """Return the HTTP methods that have a handler, but for OPTIONS and a derived HEAD."""
        names = self.view_class.http_method_names  # type: ignore[attr-defined]  # a View
        if self.actions is not None:
            handled = [name for name in names if name in self.actions]
            return [name.upper() for name in handled if name != "head"]
        return handled_methods(self.view_class)


class _EmptyView(views.APIView):
    """Gives the code objects of what `APIView.as_view()` returns."""


class _EmptyViewSet(viewsets.ViewSet):
    """Gives the code objects of what `ViewSetMixin.as_view()` returns."""


@cache
def _codes_of_as_view() -> tuple[CodeType, frozenset[CodeType]]:
    """Return the code of `csrf_exempt`'s wrapper, and of the view functions inside."""
    inside = []
    for made in (_EmptyView.as_view(), _EmptyViewSet.as_view({"get": "list"})):
        inside.append(_closure(made)["view_func"].__code__)
    return csrf_exempt(lambda request: None).__code__, frozenset(inside)


def _closure(function: Any) -> dict[str, Any]:
    cells = function.__closure__ or ()
    return {
        name: cell.cell_contents
        for name, cell in zip(function.__code__.co_freevars, cells, strict=True)
    }


def rest_view(callback: Any) -> RestView | None:
    """Return the view behind a callback, or `None` unless `as_view()` alone made it.

    Code objects are compared, because a decorator such as `cache_page` copies names and
    attributes, but cannot have this code.
    """
    wrapper, inside = _codes_of_as_view()
    if getattr(callback, "__code__", None) is not wrapper:
        return None
    view = callback
    # `@csrf_exempt` once more around it does nothing more.
    while getattr(view, "__code__", None) is wrapper:
        view = _closure(view).get("view_func")
    if getattr(view, "__code__", None) not in inside:
        return None
    made_with = _closure(view)
    return RestView(made_with["cls"], made_with["initkwargs"], made_with.get("actions"))


def project_objection() -> str | None:
    """Return why no view of this project can be judged, or `None`."""
    if rest_framework_settings.EXCEPTION_HANDLER is not views.exception_handler:
        return "EXCEPTION_HANDLER is the project's own and writes the answer"
    if not comes_from(views.exception_handler, views.__name__):
        return "DRF's exception_handler was replaced at run time"
    nobody: Any = rest_framework_settings.UNAUTHENTICATED_USER
    if nobody not in (AnonymousUser, None):
        return "UNAUTHENTICATED_USER is the project's own"
    if rest_framework_settings.UNAUTHENTICATED_TOKEN is not None:
        return "UNAUTHENTICATED_TOKEN is the project's own"
    if rest_framework_settings.URL_FORMAT_OVERRIDE not in ("format", None):
        return "URL_FORMAT_OVERRIDE lets another query parameter choose the renderer"
    if api_settings.AUTH_HEADER_NAME != "HTTP_AUTHORIZATION":
        return f"AUTH_HEADER_NAME is {api_settings.AUTH_HEADER_NAME}"
    if tuple(api_settings.AUTH_TOKEN_CLASSES) != (AccessToken,):
        return "AUTH_TOKEN_CLASSES is not AccessToken alone"
    return first_replaced(_DECIDING)


def objection(callback: Any, view: RestView) -> str | None:
    """Return why a bad token is not surely refused before the project's code, or `None`."""
    return next(_objections(callback, view), None)


def _objections(callback: Any, view: RestView) -> Iterator[str]:
    if getattr(callback, "csrf_exempt", None) is not True:
        yield "the view is not exempt from CSRF checks"
    yield from _class_objections(view)
    if view.policy("settings") is not rest_framework_settings:
        yield "the view has settings of its own"
    yield from _policy_objections(view)


def _class_objections(view: RestView) -> Iterator[str]:
    view_class = view.view_class
    if type(view_class) not in (type, abc.ABCMeta):
        yield f"{view_class.__name__} has the metaclass {type(view_class).__name__}"
    if view_class.view_is_async:  # type: ignore[attr-defined]  # a View
        yield "the view is asynchronous"
    for name in sorted(ON_THE_WAY & view.initkwargs.keys()):
        yield f"as_view() was given {name}"
    for klass in view_class.__mro__:
        if _is_library(klass):
            continue
        for name in sorted(ON_THE_WAY & vars(klass).keys()):
            yield f"{klass.__qualname__} has its own {name}"
    for klass in filter(_is_library, view_class.__mro__):
        for name in sorted(ON_THE_WAY & vars(klass).keys()):
            if klass is not object and not is_original(klass, name):
                yield f"{klass.__qualname__}.{name} was replaced at run time"


def _is_library(klass: type) -> bool:
    if klass in (object, typing.Generic, abc.ABC):
        return True
    return klass.__module__ in _HOMES and is_public_name_of(klass)


def _policy_objections(view: RestView) -> Iterator[str]:
    authentication = view.policy("authentication_classes")
    if not _is_list_of_classes(authentication):
        yield "its authentication classes are not a plain list"
    elif not authentication:
        yield "it asks for no authentication"
    elif list(authentication) != [JWTAuthentication]:
        yield f"its authentication is by {names(authentication)}, not JWTAuthentication alone"
    if view.policy("versioning_class") is not None:
        yield "versioning looks at the request first"
    if view.policy("content_negotiation_class") is not DefaultContentNegotiation:
        yield "its content negotiation is not DRF's"
    renderers = view.policy("renderer_classes")
    if not _is_list_of_classes(renderers) or not renderers or renderers[0] is not JSONRenderer:
        yield "its first renderer is not JSONRenderer"
    elif stranger := _made_in_its_own_way(renderers):
        yield f"its renderer {stranger} has a constructor"
    parsers = view.policy("parser_classes")
    if not _is_list_of_classes(parsers):
        yield "its parsers are not a plain list"
    elif stranger := _made_in_its_own_way(parsers):
        yield f"its parser {stranger} has a constructor"


def needs_token(view: RestView) -> bool:
    """Return whether a request without a token is refused by the first permission.

    DRF makes all permission objects before it asks the first, so none may have a
    constructor of its own.
    """
    permissions = view.policy("permission_classes")
    return (
        isinstance(permissions, (list, tuple))
        and bool(permissions)
        and any(permissions[0] is known for known in (IsAuthenticated, IsAdminUser))
        and _made_in_its_own_way(_operands(permissions)) is None
    )


def _operands(permissions: typing.Iterable[Any]) -> Iterator[Any]:
    """Yield the classes in permissions that are combined by `&`, `|` and `~`."""
    for permission in permissions:
        parts = [getattr(permission, name, None) for name in ("op1_class", "op2_class")]
        found = [part for part in parts if part is not None]
        if isinstance(permission, type) or not found:
            yield permission
        else:
            yield from _operands(found)


def _is_list_of_classes(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, type) for item in value)


def _made_in_its_own_way(classes: typing.Iterable[Any]) -> str | None:
    for klass in classes:
        if not isinstance(klass, type):
            return repr(klass)
        made: tuple[Callable[..., Any], Callable[..., Any]] = (klass.__init__, klass.__new__)  # type: ignore[misc]
        if made != (object.__init__, object.__new__):
            return klass.__qualname__
    return None


def names(policies: Any) -> str:
    """Return the names of policy classes for people; empty when there are none."""
    if not isinstance(policies, (list, tuple)):
        return "a computed list"
    return ", ".join(_name(policy) for policy in policies)


def _name(policy: Any) -> str:
    if isinstance(policy, type):
        return policy.__qualname__
    operator = getattr(policy, "operator_class", None)
    signs = {"AND": " & ", "OR": " | "}
    sign = signs.get(getattr(operator, "__name__", ""))
    if sign is not None:
        return f"({_name(policy.op1_class)}{sign}{_name(policy.op2_class)})"
    if getattr(operator, "__name__", "") == "NOT":
        return f"~{_name(policy.op1_class)}"
    return type(policy).__qualname__
