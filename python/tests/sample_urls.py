"""URLs and views of many kinds: some must be guarded at the edge, most must not.

Each pattern's name is its case in `test_manifest.py`, which says what must come of it.
"""

import functools
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.urls import URLPattern, URLResolver, include, path, re_path, register_converter
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.cache import cache_page
from django.views.decorators.csrf import csrf_exempt
from rest_framework import generics, serializers, viewsets
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import (
    AllowAny,
    BasePermission,
    IsAdminUser,
    IsAuthenticated,
    IsAuthenticatedOrReadOnly,
)
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer, StaticHTMLRenderer
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.throttling import AnonRateThrottle
from rest_framework.versioning import AcceptHeaderVersioning
from rest_framework.views import APIView

from yett.drf import views as token_views
from yett.drf.authentication import JWTAuthentication, JWTStatelessUserAuthentication


class YearConverter:
    """A converter of the project's own: `to_python` may refuse what the regex let in."""

    regex = "[0-9]{4}"

    def to_python(self, value: str) -> int:
        year = int(value)
        if year < 2000:
            raise ValueError(value)
        return year

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(YearConverter, "year")


class OwnSecurity(SecurityMiddleware):
    pass


class Plain(APIView):
    def get(self, request: Any, **kwargs: Any) -> Response:
        return Response({"user": request.user.username, "kwargs": sorted(kwargs)})


class Open(Plain):
    permission_classes = (AllowAny,)


class ReadOnly(Plain):
    permission_classes = (IsAuthenticatedOrReadOnly,)


class ForStaff(Plain):
    permission_classes = (IsAdminUser,)


class Combined(Plain):
    permission_classes = (IsAuthenticated & IsAdminUser,)


class Lucky(BasePermission):
    def __init__(self) -> None:
        self.luck = 7


class SecondPermissionIsMade(Plain):
    permission_classes = (IsAuthenticated, Lucky)


class Subclassed(IsAuthenticated):
    def has_permission(self, request: Any, view: Any) -> bool:
        return True


class FirstPermissionIsASubclass(Plain):
    permission_classes = (Subclassed,)


class Throttled(Plain):
    throttle_classes = (AnonRateThrottle,)


class OnlyJson(Plain):
    renderer_classes = (JSONRenderer,)


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "username")


class Users(viewsets.ModelViewSet[User]):
    serializer_class = UserSerializer
    queryset = User.objects.order_by("id")

    @action(detail=False, permission_classes=[AllowAny])
    def public(self, request: Any) -> Response:
        return Response([])

    @action(detail=True, authentication_classes=[SessionAuthentication])
    def by_session(self, request: Any, pk: str) -> Response:
        return Response([])

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(pk=self.request.user.pk)


class UserList(generics.ListCreateAPIView[User]):
    serializer_class = UserSerializer
    queryset = User.objects.all()


@api_view(["GET", "POST"])
def function(request: Any) -> Response:
    return Response({})


@api_view(["GET"])
@permission_classes([AllowAny])
def open_function(request: Any) -> Response:
    return Response({})


class OwnInitial(Plain):
    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        request._request.META["HTTP_AUTHORIZATION"] = request._request.COOKIES["jwt"]
        super().initial(request, *args, **kwargs)


class CookieMixin:
    def get_authenticators(self) -> list[Any]:
        return []


class FromAMixin(CookieMixin, Plain):
    pass


class FromAMixinBehind(Plain, CookieMixin):
    pass


class OwnAttributes(Plain):
    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class OwnHeaders(Plain):
    @property
    def default_response_headers(self) -> dict[str, str]:
        return {"X": "y"}


class RequestIsAProperty(Plain):
    @property
    def request(self) -> Any:
        return self._request

    @request.setter
    def request(self, value: Any) -> None:
        self._request = value


class OwnHandler(Plain):
    def handle_exception(self, exc: Exception) -> Response:
        return Response({"error": str(exc)}, status=418)


class OwnChallenge(Plain):
    def get_authenticate_header(self, request: Any) -> str:
        return "Custom"


class DecoratedDispatch(Plain):
    @method_decorator(cache_page(1))
    def dispatch(self, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(*args, **kwargs)


class Meta(type):
    pass


class OwnMetaclass(Plain, metaclass=Meta):
    pass


class CookieAuthentication(JWTAuthentication):
    def get_header(self, request: Any) -> bytes | None:
        return str(request.COOKIES.get("jwt", "")).encode()


class ByCookie(Plain):
    authentication_classes = (CookieAuthentication,)


class ByTokenOrSession(Plain):
    authentication_classes = (JWTAuthentication, SessionAuthentication)


class Stateless(Plain):
    authentication_classes = (JWTStatelessUserAuthentication,)


class NoAuthentication(Plain):
    authentication_classes = ()


class ComputedAuthentication(Plain):
    @property
    def authentication_classes(self) -> list[Any]:  # type: ignore[override]  # as people write it
        return []


class HtmlFirst(Plain):
    renderer_classes = (BrowsableAPIRenderer, JSONRenderer)


class HtmlOnly(Plain):
    renderer_classes = (StaticHTMLRenderer,)


class PrettyRenderer(JSONRenderer):
    compact = False


class OwnRenderer(Plain):
    renderer_classes = (PrettyRenderer,)


class Versioned(Plain):
    versioning_class = AcceptHeaderVersioning


class Negotiation(DefaultContentNegotiation):
    pass


class OwnNegotiation(Plain):
    content_negotiation_class = Negotiation


class AsynchronousDjango(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("x")


class DjangoView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("x")


def counted(view: Any) -> Any:
    """A decorator that hides as well as it can."""

    @functools.wraps(view)
    def _view_wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return view(request, *args, **kwargs)

    return _view_wrapper


def plain_function(request: HttpRequest) -> HttpResponse:
    return HttpResponse("x")


class OwnPattern(URLPattern):
    def resolve(self, path: str) -> Any:
        return None


class OwnResolver(URLResolver):
    pass


router = SimpleRouter()
router.register("users", Users, basename="user")

extra = [path("inside/", Plain.as_view(), name="inside"), path("", Plain.as_view(), name="here")]

urlpatterns = [
    # guarded
    path("plain/", Plain.as_view(), name="plain"),
    path("plain/<int:pk>/", Plain.as_view(), name="plain-detail"),
    path("function", function, name="function"),
    path("generic/", UserList.as_view(), name="generic"),
    path("throttled/", Throttled.as_view(), name="throttled"),
    path("only-json/", OnlyJson.as_view(), name="only-json"),
    path("staff/", ForStaff.as_view(), name="staff"),
    path("open/", Open.as_view(), name="open"),
    path("open-function/", open_function, name="open-function"),
    path("read-only/", ReadOnly.as_view(), name="read-only"),
    path("combined/", Combined.as_view(), name="combined"),
    path("second-permission/", SecondPermissionIsMade.as_view(), name="second-permission-is-made"),
    path("permission-subclass/", FirstPermissionIsASubclass.as_view(), name="first-is-a-subclass"),
    path("kwargs/", Plain.as_view(), {"page": 1}, name="kwargs"),
    path("api/", include((router.urls, "api"))),
    path("<str:tenant>/things/", include(extra)),
    path("files/<path:rest>", Plain.as_view(), name="path-converter-last"),
    re_path(r"^regex/(?P<slug>[-\w]+)/$", Plain.as_view(), name="regex"),
    re_path(r"^(?:one|two)/$", Plain.as_view(), name="alternatives-in-a-group"),
    # left to the app: the view
    path("initial/", OwnInitial.as_view(), name="own-initial"),
    path("mixin/", FromAMixin.as_view(), name="from-a-mixin"),
    path("mixin-behind/", FromAMixinBehind.as_view(), name="from-a-mixin-behind"),
    path("attributes/", OwnAttributes.as_view(), name="own-attributes"),
    path("headers/", OwnHeaders.as_view(), name="own-headers"),
    path("request/", RequestIsAProperty.as_view(), name="request-is-a-property"),
    path("handler/", OwnHandler.as_view(), name="own-handler"),
    path("challenge/", OwnChallenge.as_view(), name="own-challenge"),
    path("dispatch/", DecoratedDispatch.as_view(), name="decorated-dispatch"),
    path("metaclass/", OwnMetaclass.as_view(), name="own-metaclass"),
    path("settings/", Plain.as_view(settings=object()), name="settings-given"),
    path("cached/", cache_page(1)(Plain.as_view()), name="cached"),
    path("counted/", counted(Plain.as_view()), name="counted"),
    path("exempt-again/", csrf_exempt(Plain.as_view()), name="exempt-again"),
    path("cookie/", ByCookie.as_view(), name="by-cookie"),
    path("session/", ByTokenOrSession.as_view(), name="by-token-or-session"),
    path("given/", Plain.as_view(authentication_classes=[]), name="authentication-given"),
    path("stateless/", Stateless.as_view(), name="stateless"),
    path("no-authentication/", NoAuthentication.as_view(), name="no-authentication"),
    path("computed/", ComputedAuthentication.as_view(), name="computed-authentication"),
    path("html-first/", HtmlFirst.as_view(), name="html-first"),
    path("html-only/", HtmlOnly.as_view(), name="html-only"),
    path("renderer/", OwnRenderer.as_view(), name="own-renderer"),
    path("versioned/", Versioned.as_view(), name="versioned"),
    path("negotiation/", OwnNegotiation.as_view(), name="own-negotiation"),
    path("token/", token_views.TokenObtainPairView.as_view(), name="token"),
    path("suffix/", Plain.as_view(), {"format": "json"}, name="format-given"),
    re_path(r"^format\.(?P<format>[a-z]+)$", Plain.as_view(), name="format-in-the-url"),
    path("django/", DjangoView.as_view(), name="django-view"),
    path("async/", AsynchronousDjango.as_view(), name="async-view"),
    path("plain-function/", plain_function, name="plain-function"),
    # left to the app: the URL
    path("year/<year:year>/", Plain.as_view(), name="own-converter"),
    re_path(r"^a/$|^b/$", Plain.as_view(), name="alternatives-at-the-top"),
    re_path(r"anywhere/$", Plain.as_view(), name="not-anchored"),
    re_path(r"^ahead/(?!x)\w+/$", Plain.as_view(), name="lookahead"),
    re_path(r"^price\$", Plain.as_view(), name="escaped-dollar"),
    path(gettext_lazy("translated/"), Plain.as_view(), name="translated"),
    path("deep/<path:rest>/", include(([path("end/", Plain.as_view(), name="end")], "deep"))),
    re_path(r"^lazy/.+?/", include(([path("end/", Plain.as_view(), name="end")], "lazy"))),
    OwnPattern(path("x/", Plain.as_view()).pattern, Plain.as_view(), name="own-pattern"),
    OwnResolver(path("y/", Plain.as_view()).pattern, extra),
]
