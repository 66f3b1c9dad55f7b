"""Django under ASGI: the shared views are synchronous, the streams are not."""

import asyncio
from collections.abc import AsyncIterator

from django.conf import settings

if not settings.configured:
    import django_site

    django_site.configure("django_asgi")

from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django_urls import common
from held import PIECE, PIECES, mark, pass_gate


async def stream(request: HttpRequest) -> HttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first\n"
        await asyncio.to_thread(pass_gate)
        yield b"second\n"

    return StreamingHttpResponse(pieces(), content_type="text/plain")


async def many(request: HttpRequest) -> HttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(PIECES):
            yield PIECE

    return StreamingHttpResponse(pieces())


async def broken(request: HttpRequest) -> HttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first\n"
        raise RuntimeError("in the middle")

    return StreamingHttpResponse(pieces())


async def events(request: HttpRequest) -> HttpResponse:
    async def pieces() -> AsyncIterator[str]:
        yield "data: 0\n\n"
        await asyncio.to_thread(pass_gate)
        yield "data: 1\n\n"

    return StreamingHttpResponse(pieces(), content_type="text/event-stream")


async def ticks(request: HttpRequest) -> HttpResponse:
    async def pieces() -> AsyncIterator[str]:
        try:
            while True:
                yield "data: tick\n\n"
                await asyncio.sleep(0.01)
        finally:
            mark("left")

    return StreamingHttpResponse(pieces(), content_type="text/event-stream")


urlpatterns = [
    *common,
    path("stream", stream),
    path("many", many),
    path("broken", broken),
    path("events", events),
    path("ticks", ticks),
]
application = get_asgi_application()
