"""Views of every kind. Each says who asks; how it is guarded differs."""

import functools
from importlib import import_module

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from rest_framework import generics, mixins, serializers, viewsets
from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.decorators import (
    action,
    api_view,
    authentication_classes,
    permission_classes,
    renderer_classes,
    throttle_classes,
)
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.permissions import (
    AllowAny,
    BasePermission,
    IsAdminUser,
    IsAuthenticated,
    IsAuthenticatedOrReadOnly,
)
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer, StaticHTMLRenderer
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle
from rest_framework.versioning import (
    AcceptHeaderVersioning,
    NamespaceVersioning,
    QueryParameterVersioning,
    URLPathVersioning,
)
from rest_framework.views import APIView

authentication = import_module(f"{settings.AUTH}.authentication")
token_views = import_module(f"{settings.AUTH}.views")
JWTAuthentication = authentication.JWTAuthentication


def told(request, **more):
    """Say who asks."""
    return Response({"user": getattr(request.user, "pk", None), **more})


class Plain(APIView):
    """Guarded by the defaults."""

    def get(self, request, **kwargs):
        return told(request, kwargs=sorted(kwargs))

    def post(self, request, **kwargs):
        return told(request, made=True)


# Permissions


class Open(Plain):
    permission_classes = (AllowAny,)


class NoPermissions(Plain):
    permission_classes = ()


class ReadOnly(Plain):
    permission_classes = (IsAuthenticatedOrReadOnly,)


class Staff(Plain):
    permission_classes = (IsAdminUser,)


class And(Plain):
    permission_classes = (IsAuthenticated & IsAdminUser,)


class Or(Plain):
    permission_classes = (IsAuthenticated | IsAdminUser,)


class Not(Plain):
    permission_classes = (~IsAuthenticated,)


class IsLucky(BasePermission):
    """The project's own: what it says of a stranger only it knows."""

    def has_permission(self, request, view):
        return request.query_params.get("lucky") == "1" or request.user.is_authenticated


class Lucky(Plain):
    permission_classes = (IsLucky,)


class LuckySecond(Plain):
    permission_classes = (IsAuthenticated, IsLucky)


class IsReallyAuthenticated(IsAuthenticated):
    pass


class SubclassedPermission(Plain):
    permission_classes = (IsReallyAuthenticated,)


# Authentication


class NoAuthentication(Plain):
    authentication_classes = ()


class Session(Plain):
    authentication_classes = (SessionAuthentication,)


class Basic(Plain):
    authentication_classes = (BasicAuthentication,)


class TokenOrSession(Plain):
    authentication_classes = (JWTAuthentication, SessionAuthentication)


class SessionOrToken(Plain):
    authentication_classes = (SessionAuthentication, JWTAuthentication)


class QueryAuthentication(JWTAuthentication):
    def get_header(self, request):
        if "token" in request.query_params:
            return b"Bearer " + request.query_params["token"].encode()
        return super().get_header(request)


class ByQuery(Plain):
    authentication_classes = (QueryAuthentication,)


class Stateless(Plain):
    authentication_classes = (authentication.JWTStatelessUserAuthentication,)


class ComputedAuthentication(Plain):
    @property
    def authentication_classes(self):
        return (JWTAuthentication,)


# Overridden methods


class OwnGetPermissions(Plain):
    def get_permissions(self):
        return [AllowAny()] if self.request.method == "GET" else [IsAuthenticated()]


class OwnGetAuthenticators(Plain):
    def get_authenticators(self):
        return [] if self.request.method == "GET" else super().get_authenticators()


class OwnInitial(Plain):
    def initial(self, request, *args, **kwargs):
        request.started = True
        super().initial(request, *args, **kwargs)


class OwnDispatch(Plain):
    def dispatch(self, request, *args, **kwargs):
        if request.GET.get("ping"):
            return HttpResponse("pong")
        return super().dispatch(request, *args, **kwargs)


class OwnHandler(Plain):
    def handle_exception(self, exc):
        return Response({"error": type(exc).__name__}, status=418)


class OwnDenied(Plain):
    def permission_denied(self, request, message=None, code=None):
        self.denied = True
        super().permission_denied(request, message, code)


class OwnFinalize(Plain):
    def finalize_response(self, request, response, *args, **kwargs):
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["X-Total"] = "0"
        return answer


class OwnChallenge(Plain):
    def get_authenticate_header(self, request):
        return None


class CookieMixin:
    def perform_authentication(self, request):
        if not request.COOKIES.get("trusted"):
            super().perform_authentication(request)


class FromAMixin(CookieMixin, Plain):
    pass


# What else shapes the refusal


class Throttled(Plain):
    throttle_classes = (AnonRateThrottle, UserRateThrottle)


class OnlyJson(Plain):
    renderer_classes = (JSONRenderer,)
    parser_classes = (JSONParser,)


class BrowsableFirst(Plain):
    renderer_classes = (BrowsableAPIRenderer, JSONRenderer)


class Html(Plain):
    renderer_classes = (StaticHTMLRenderer,)

    def get(self, request):
        return Response("<p>hello</p>")


class OwnNegotiation(Plain):
    class content_negotiation_class(DefaultContentNegotiation):
        def select_renderer(self, request, renderers, format_suffix=None):
            return renderers[0], renderers[0].media_type


class VersionByAccept(Plain):
    versioning_class = AcceptHeaderVersioning


class VersionByPath(Plain):
    versioning_class = URLPathVersioning


class VersionByQuery(Plain):
    versioning_class = QueryParameterVersioning


class VersionByNamespace(Plain):
    versioning_class = NamespaceVersioning


class OnlyGet(APIView):
    http_method_names = ("get", "head", "options")

    def get(self, request, **kwargs):
        return told(request)


class Streaming(APIView):
    def get(self, request):
        return StreamingHttpResponse(iter([b"a", b"b"]), content_type="text/plain")


class Deleting(APIView):
    def delete(self, request):
        return Response(status=204)

    def put(self, request):
        return told(request)

    def patch(self, request):
        return told(request)


@method_decorator(never_cache, name="dispatch")
class DecoratedDispatch(Plain):
    pass


class DecoratedHandler(Plain):
    @method_decorator(never_cache)
    def get(self, request):
        return told(request)


# Functions


@api_view(["GET"])
def function(request):
    return told(request)


@api_view(["GET", "POST", "DELETE"])
def function_of_methods(request):
    return told(request)


@api_view(["GET"])
@permission_classes([AllowAny])
def open_function(request):
    return told(request)


@api_view(["GET"])
@permission_classes([IsAdminUser])
@throttle_classes([AnonRateThrottle])
def staff_function(request):
    return told(request)


@api_view(["GET"])
@authentication_classes([])
@permission_classes([])
def unguarded_function(request):
    return told(request)


@api_view(["GET"])
@renderer_classes([StaticHTMLRenderer])
def html_function(request):
    return Response("<p>hello</p>")


@csrf_exempt
@api_view(["GET", "POST"])
def exempt_function(request):
    return told(request)


@never_cache
@api_view(["GET"])
def uncached_function(request):
    return told(request)


@transaction.atomic
@api_view(["GET"])
def atomic_function(request):
    return told(request)


def counted(view):
    """The project's own decorator, which copies all that a view has."""

    @functools.wraps(view)
    def around(request, *args, **kwargs):
        if request.GET.get("count"):
            return JsonResponse({"count": 1})
        return view(request, *args, **kwargs)

    return around


@counted
@api_view(["GET"])
def counted_function(request):
    return told(request)


@api_view(["GET"])
@counted
def counted_inside(request):
    return told(request)


# Views that are not DRF's


class DjangoView(View):
    def get(self, request):
        return JsonResponse({"django": True})


def plain_function(request):
    return JsonResponse({"plain": True})


def streamed(request):
    return StreamingHttpResponse(iter([b"a", b"b"]))


@login_required
def behind_login(request):
    return HttpResponse("in")


# Generic views and view sets


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("id", "username")


class UserList(generics.ListCreateAPIView):
    queryset = User.objects.order_by("pk")
    serializer_class = UserSerializer


class UserDetail(generics.RetrieveUpdateDestroyAPIView):
    queryset = User.objects.all()
    serializer_class = UserSerializer


class Users(viewsets.ModelViewSet):
    queryset = User.objects.order_by("pk")
    serializer_class = UserSerializer

    @action(detail=False, permission_classes=[AllowAny])
    def public(self, request, format=None):
        return told(request)

    @action(detail=True, permission_classes=[IsAdminUser])
    def audit(self, request, pk=None, format=None):
        return told(request, pk=pk)

    @action(detail=False, authentication_classes=[SessionAuthentication])
    def mine(self, request, format=None):
        return told(request)

    @action(detail=False, methods=["get"], url_path=r"by-name/(?P<name>[a-z]+)")
    def by_name(self, request, name=None, format=None):
        return told(request, name=name)

    @by_name.mapping.post
    def set_name(self, request, name=None, format=None):
        return told(request, set=name)


class ReadOnlyUsers(viewsets.ReadOnlyModelViewSet):
    queryset = User.objects.order_by("pk")
    serializer_class = UserSerializer
    permission_classes = (AllowAny,)


class UsersByAction(viewsets.ReadOnlyModelViewSet):
    queryset = User.objects.order_by("pk")
    serializer_class = UserSerializer

    def get_permissions(self):
        return [AllowAny()] if self.action == "list" else super().get_permissions()


class Items(viewsets.ViewSet):
    def list(self, request):
        return told(request)

    def create(self, request):
        return told(request)

    def retrieve(self, request, pk=None):
        return told(request, pk=pk)


class Creating(mixins.CreateModelMixin, viewsets.GenericViewSet):
    queryset = User.objects.all()
    serializer_class = UserSerializer
