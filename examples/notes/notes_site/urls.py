"""The project's URLs."""

from django.contrib import admin
from django.urls import include, path
from rest_framework.routers import DefaultRouter

from notes import views
from yett.drf.views import TokenObtainPairView, TokenRefreshView, TokenVerifyView

router = DefaultRouter()
router.register("notes", views.NoteViewSet, basename="note")

urlpatterns = [
    path("plain", views.plain, name="plain"),
    path("api/public/", views.public, name="public"),
    path("api/upload/", views.UploadView.as_view(), name="upload"),
    path("api/token/", TokenObtainPairView.as_view(), name="token"),
    path("api/token/refresh/", TokenRefreshView.as_view(), name="token-refresh"),
    path("api/token/verify/", TokenVerifyView.as_view(), name="token-verify"),
    path("api/", include(router.urls)),
    path("admin/", admin.site.urls),
]
