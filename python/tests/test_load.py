"""How a callable shows which interface it is of."""

import functools
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from yett.worker import load as loader
from yett.worker.load import LoadError, load


async def coroutine(scope: Any, receive: Any, send: Any) -> None: ...


def wsgi(environ: Any, start_response: Any) -> Any: ...


def returns_a_coroutine(scope: Any, receive: Any, send: Any) -> Any:
    return coroutine(scope, receive, send)


@functools.wraps(coroutine)
def decorated(*args: Any, **kwargs: Any) -> Any:
    return coroutine(*args, **kwargs)


def opaque(*args: Any, **kwargs: Any) -> Any: ...


def old_style(scope: Any) -> Any: ...


class Instance:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...
    async def method(self, scope: Any, receive: Any, send: Any) -> None: ...


class WsgiInstance:
    def __call__(self, environ: Any, start_response: Any) -> Any: ...


class Endpoint:
    """As Starlette's: called with all three, then awaited."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None: ...
    def __await__(self) -> Iterator[Any]:
        yield


class WsgiClass:
    """As in PEP 3333."""

    def __init__(self, environ: Any, start_response: Any) -> None: ...
    def __iter__(self) -> Iterator[bytes]:
        yield b""


class OldStyle:
    def __init__(self, scope: Any) -> None: ...
    async def __call__(self, receive: Any, send: Any) -> None: ...


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], ModuleType]:
    """Stand an application in a module that `load` finds."""

    def stand(application: Any) -> ModuleType:
        made = ModuleType("shop")
        made.__dict__["application"] = application
        monkeypatch.setattr(loader, "_module", lambda name: made)
        return made

    return stand


@pytest.mark.parametrize(
    ("application", "interface"),
    [
        (coroutine, "asgi"),
        (returns_a_coroutine, "asgi"),
        (decorated, "asgi"),
        (functools.partial(coroutine), "asgi"),
        (functools.partial(functools.partial(Instance())), "asgi"),
        (Instance(), "asgi"),
        (Instance().method, "asgi"),
        (Endpoint, "asgi"),
        (wsgi, "wsgi"),
        (functools.partial(wsgi), "wsgi"),
        (WsgiInstance(), "wsgi"),
        (WsgiClass, "wsgi"),
        (opaque, "wsgi"),
    ],
)
def test_interface_is_seen(module: Any, application: Any, interface: str) -> None:
    module(application)
    assert load("shop", "auto").interface == interface
    assert load("shop", interface).interface == interface


def test_what_does_not_show_is_what_is_said(module: Any) -> None:
    module(opaque)
    assert load("shop", "asgi").interface == "asgi"
    assert load("shop", "wsgi").interface == "wsgi"


@pytest.mark.parametrize(
    ("application", "said", "error"),
    [
        (coroutine, "wsgi", "is an ASGI application, but --interface says wsgi"),
        (wsgi, "asgi", "is a WSGI application, but --interface says asgi"),
        (OldStyle, "auto", "ASGI 2"),
        (old_style, "asgi", "ASGI 2"),
        ("text", "auto", "is not callable"),
    ],
)
def test_what_cannot_be_served_is_said(
    module: Any, application: Any, said: str, error: str
) -> None:
    module(application)
    with pytest.raises(LoadError, match=error):
        load("shop", said)
