"""What the rows ask for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import generics, serializers
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response

from notes.models import Note


class NoteSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A note without its owner."""

    class Meta:
        model = Note
        fields = ("id", "title", "body")


class Notes(generics.ListAPIView):  # type: ignore[type-arg]
    """The caller's first twenty notes; no pages, whose links would name the port."""

    serializer_class = NoteSerializer

    def get_queryset(self) -> Any:
        return Note.objects.filter(owner=self.request.user).order_by("id")[:20]


def plain(request: HttpRequest) -> HttpResponse:
    """Answer through Django alone."""
    return HttpResponse("Hello, World!", content_type="text/plain")


@api_view(["GET"])
@authentication_classes([])
@permission_classes([])
def public(request: Request) -> Response:
    """Answer through DRF, without a token and without the database."""
    return Response({"status": "ok", "service": "notes"})
