"""Django under WSGI."""

from collections.abc import Iterator

import django_site as site

site.configure("django_wsgi")

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django_urls import common  # noqa: E402
from held import PIECE, PIECES, pass_gate  # noqa: E402


def stream(request: HttpRequest) -> HttpResponse:
    def pieces() -> Iterator[bytes]:
        yield b"first\n"
        pass_gate()
        yield b"second\n"

    return StreamingHttpResponse(pieces(), content_type="text/plain")


def many(request: HttpRequest) -> HttpResponse:
    return StreamingHttpResponse(PIECE for _ in range(PIECES))


def broken(request: HttpRequest) -> HttpResponse:
    def pieces() -> Iterator[bytes]:
        yield b"first\n"
        raise RuntimeError("in the middle")

    return StreamingHttpResponse(pieces())


urlpatterns = [*common, path("stream", stream), path("many", many), path("broken", broken)]
application = get_wsgi_application()
