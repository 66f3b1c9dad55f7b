"""A project of DRF that has no users: `django.contrib.auth` is not among its applications.

DRF lets it, with `UNAUTHENTICATED_USER` of `None`; Django then refuses to import its own models.
"""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from django.conf import settings

settings.configure(
    SECRET_KEY="x" * 50, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    INSTALLED_APPS=["rest_framework"],
    REST_FRAMEWORK={
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
    },
)
import django
django.setup()
from django.core.wsgi import get_wsgi_application
from django.urls import path
from rest_framework.views import APIView

if "yett.drf" in sys.argv:
    import yett.drf.authentication

class Open(APIView):
    def get(self, request):
        raise NotImplementedError

urlpatterns = [path("open", Open.as_view())]
from yett.django.manifest import manifest
print(json.dumps(manifest(get_wsgi_application())))
"""


@pytest.mark.parametrize("words", [[], ["yett.drf"]])
def test_project_without_users_is_described_and_left_to_itself(words: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    [entry] = json.loads(ran.stdout)["url_table"]
    assert entry["view"].endswith("Open")
    assert entry["methods"] == ["GET"]
    assert entry["guard"] == "app"
