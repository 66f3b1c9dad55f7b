"""The API: the caller's own notes, an upload, and two pages that are open to all."""

import hashlib

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .models import Note


class NoteSerializer(serializers.ModelSerializer):
    """A note without its owner, who is always the caller."""

    class Meta:
        model = Note
        fields = ("id", "title", "body", "created")


class NoteViewSet(viewsets.ModelViewSet):
    """Lists, makes, changes and deletes the caller's notes; others' do not exist."""

    serializer_class = NoteSerializer

    def get_queryset(self):
        return Note.objects.filter(owner=self.request.user)

    def perform_create(self, serializer):
        serializer.save(owner=self.request.user)


class UploadSerializer(serializers.Serializer):
    """One file."""

    file = serializers.FileField(allow_empty_file=True)


class UploadView(APIView):
    """Takes a file and says what came: nothing is kept."""

    parser_classes = (MultiPartParser,)

    def post(self, request: Request) -> Response:
        serializer = UploadSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        file = serializer.validated_data["file"]
        digest = hashlib.sha256()
        for chunk in file.chunks():
            digest.update(chunk)
        return Response(
            {"name": file.name, "size": file.size, "sha256": digest.hexdigest()},
            status=status.HTTP_201_CREATED,
        )


@api_view(["GET"])
@authentication_classes([])
@permission_classes([])
def public(request: Request) -> Response:
    """Answer everybody."""
    return Response({"status": "ok", "service": "notes"})


def plain(request: HttpRequest) -> HttpResponse:
    """Answer with plain text, through Django alone."""
    return HttpResponse("Hello, World!", content_type="text/plain")
