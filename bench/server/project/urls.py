"""Two pages that ask for nothing, a list that asks for a token, and the refresh of tokens."""

from importlib import import_module

from django.conf import settings
from django.urls import path

import views

refresh = import_module(f"{settings.TOKENS}.views").TokenRefreshView

urlpatterns = [
    path("plain", views.plain),
    path("api/public/", views.public),
    path("api/notes/", views.Notes.as_view()),
    path("api/token/refresh/", refresh.as_view()),
]
