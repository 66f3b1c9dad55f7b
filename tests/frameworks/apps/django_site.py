"""The Django settings and the views that WSGI and ASGI share."""

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views import View
from held import GREETING, SECRET, described


def configure(urlconf: str, *further_apps: str) -> None:
    """Set Django up, once, for one application."""
    import django

    settings.configure(
        SECRET_KEY="only-for-the-grid-of-frameworks-where-nobody-logs-in",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=urlconf,
        INSTALLED_APPS=further_apps,
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        # A threshold that the large upload crosses: a file on disk.
        FILE_UPLOAD_MAX_MEMORY_SIZE=1 << 20,
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [],
            "DEFAULT_PERMISSION_CLASSES": [],
            "UNAUTHENTICATED_USER": None,
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        },
    )
    django.setup()


class Json(View):
    """A class: Django answers HEAD and OPTIONS for it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(GREETING)

    def post(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse({"received": json.loads(request.body)})


def item(request: HttpRequest, number: int, name: str) -> HttpResponse:
    return JsonResponse({"number": number, "name": name, "q": request.GET.getlist("q")})


def form(request: HttpRequest) -> HttpResponse:
    fields = request.POST
    return JsonResponse({"name": fields["name"], "colours": fields.getlist("colour")})


def upload(request: HttpRequest) -> HttpResponse:
    file = request.FILES["file"]
    return JsonResponse(described(request.POST["note"], file.name, file.read()))


def error(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(SECRET)


def redirect(request: HttpRequest) -> HttpResponse:
    answer = HttpResponseRedirect("/json")
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


def cookies(request: HttpRequest) -> HttpResponse:
    return JsonResponse(request.COOKIES)


def seen(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {
            "client": request.META["REMOTE_ADDR"],
            "scheme": request.scheme,
            "host": request.get_host(),
            "path": request.path,
        }
    )
