"""Views of each kind: guarded for all, guarded for those who show a token, and open."""

from django.urls import include, path
from rest_framework import viewsets
from rest_framework.decorators import api_view
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.views import APIView


class Items(viewsets.ViewSet):
    """Guarded, from a router."""

    def list(self, request):
        """Say who asks."""
        return Response({"user": request.user.pk})

    def create(self, request):
        """Say who asks."""
        return Response({"user": request.user.pk}, 201)


class Open(APIView):
    """Open to all, but a bad token is refused here too."""

    permission_classes = (AllowAny,)

    def get(self, request):
        """Say who asks."""
        return Response({"user": request.user.pk})


@api_view(["GET", "DELETE"])
def function(request):
    """Guarded, a function."""
    return Response({"user": request.user.pk})


router = DefaultRouter(use_regex_path=False)
router.register("items", Items, basename="item")
urlpatterns = [
    path("api/", include(router.urls)),
    path("open/", Open.as_view()),
    path("function/<int:number>/", lambda request, number: function(request)),
    path("function/", function),
]
