"""Django REST Framework under WSGI."""

from collections.abc import Iterator

import django_site as site

site.configure("drf_app", "rest_framework")

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from held import GREETING, PIECE, PIECES, SECRET, described, pass_gate  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402


@api_view(["GET", "HEAD", "POST"])
def json(request: Request) -> Response:
    return Response({"received": request.data} if request.method == "POST" else GREETING)


@api_view(["GET"])
def item(request: Request, number: int, name: str) -> Response:
    found = request.query_params.getlist("q")
    return Response({"number": number, "name": name, "q": found})


@api_view(["POST"])
def form(request: Request) -> Response:
    fields = request.data
    return Response({"name": fields["name"], "colours": fields.getlist("colour")})


@api_view(["POST"])
def upload(request: Request) -> Response:
    file = request.data["file"]
    return Response(described(request.data["note"], file.name, file.read()))


@api_view(["GET"])
def stream(request: Request) -> HttpResponse:
    def pieces() -> Iterator[bytes]:
        yield b"first\n"
        pass_gate()
        yield b"second\n"

    return StreamingHttpResponse(pieces(), content_type="text/plain")


@api_view(["GET"])
def many(request: Request) -> HttpResponse:
    return StreamingHttpResponse(PIECE for _ in range(PIECES))


@api_view(["GET"])
def broken(request: Request) -> HttpResponse:
    def pieces() -> Iterator[bytes]:
        yield b"first\n"
        raise RuntimeError("in the middle")

    return StreamingHttpResponse(pieces())


@api_view(["GET"])
def error(request: Request) -> Response:
    raise RuntimeError(SECRET)


@api_view(["GET"])
def redirect(request: Request) -> Response:
    answer = Response(status=302, headers={"Location": "/json"})
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


@api_view(["GET"])
def cookies(request: Request) -> Response:
    return Response(request.COOKIES)


@api_view(["GET"])
def seen(request: Request) -> Response:
    return Response(
        {
            "client": request.META["REMOTE_ADDR"],
            "scheme": request.scheme,
            "host": request.get_host(),
            "path": request.path,
        }
    )


urlpatterns = [
    path("json", json),
    path("items/<int:number>/<str:name>", item),
    path("form", form),
    path("upload", upload),
    path("stream", stream),
    path("many", many),
    path("broken", broken),
    path("error", error),
    path("redirect", redirect),
    path("cookies", cookies),
    path("seen/ä", seen),
]
application = get_wsgi_application()
