"""What the manifest says of a project's static files: production, development, WhiteNoise."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

from yett.django.static_files import static_files

MANIFEST = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
WHITENOISE = "whitenoise.middleware.WhiteNoiseMiddleware"


@pytest.fixture(autouse=True)
def project(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.INSTALLED_APPS = ["django.contrib.admin", "django.contrib.staticfiles"]
    settings.STATIC_URL = "/static/"
    settings.STATIC_ROOT = str(tmp_path / "root")
    settings.STATICFILES_DIRS = []
    settings.STATICFILES_FINDERS = [
        "django.contrib.staticfiles.finders.FileSystemFinder",
        "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    ]
    settings.MIDDLEWARE = []
    settings.DEBUG = False
    finders.get_finder.cache_clear()
    yield
    finders.get_finder.cache_clear()


class OwnFinder(finders.FileSystemFinder):
    """Finds by rules of its own."""

    def find(self, *args: Any, **kwargs: Any) -> Any:
        return super().find(*args, **kwargs)


def test_in_production_the_files_are_where_collectstatic_puts_them(tmp_path: Path) -> None:
    described = static_files()
    assert described["root"] == str(tmp_path / "root")
    assert (described["places"], described["hashed"], described["why_not"]) == ([], None, None)
    assert "whitenoise" not in described


def test_development_looks_where_the_finders_look_in_their_order(
    settings: Any, tmp_path: Path
) -> None:
    import django.contrib.admin

    settings.DEBUG = True
    settings.STATICFILES_DIRS = [tmp_path / "assets", ("vendor", tmp_path / "vendor")]
    described = static_files(development=True)
    admin = Path(django.contrib.admin.__file__).parent / "static"
    assert described["root"] is None
    assert described["places"] == [
        {"folder": str(tmp_path / "assets"), "prefix": ""},
        {"folder": str(tmp_path / "vendor"), "prefix": "vendor/"},
        {"folder": str(admin), "prefix": ""},
    ]


def test_development_without_debug_begins_with_what_was_collected(
    settings: Any, tmp_path: Path
) -> None:
    described = static_files(development=True)
    assert described["places"][0] == {"folder": str(tmp_path / "root"), "prefix": ""}


def test_finder_with_a_mind_of_its_own_is_left_to_the_app(settings: Any) -> None:
    settings.STATICFILES_FINDERS = [f"{__name__}.OwnFinder"]
    sys.modules.setdefault(__name__, sys.modules[OwnFinder.__module__])
    described = static_files(development=True)
    assert (
        described["why_not"] == f"files that only {__name__}.OwnFinder can find are left to the app"
    )


def test_list_of_hashed_names_is_named(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = {"staticfiles": {"BACKEND": MANIFEST}}
    from django.contrib.staticfiles import storage

    storage.staticfiles_storage._wrapped = ManifestStaticFilesStorage()
    try:
        assert static_files()["hashed"] == str(tmp_path / "root" / "staticfiles.json")
    finally:
        from django.utils.functional import empty

        storage.staticfiles_storage._wrapped = empty


def test_static_root_that_is_not_set_is_said(settings: Any) -> None:
    settings.STATIC_ROOT = None
    assert "STATIC_ROOT is not set" in static_files()["why_not"]
    settings.INSTALLED_APPS = []
    assert static_files()["why_not"] is None


def test_whitenoise_is_read_where_it_is_used_alone(settings: Any) -> None:
    settings.WHITENOISE_MAX_AGE = 7
    assert "whitenoise" not in static_files()
    settings.MIDDLEWARE = [WHITENOISE]
    settings.WHITENOISE_MIMETYPES = {".foo": "a/b", "name": "c/d"}
    settings.WHITENOISE_INDEX_FILE = True
    assert static_files()["whitenoise"] == {
        "max_age": 7,
        "any_origin": True,
        "index": "index.html",
        "types": {"foo": "a/b"},
    }
    settings.WHITENOISE_STATIC_PREFIX = "/s/"
    assert static_files()["url"] == "/s/"


@pytest.mark.parametrize("name", ["ADD_HEADERS_FUNCTION", "IMMUTABLE_FILE_TEST"])
def test_what_only_whitenoise_can_say_is_left_to_it(name: str, settings: Any) -> None:
    settings.MIDDLEWARE = [WHITENOISE]
    setattr(settings, f"WHITENOISE_{name}", "x")
    described = static_files()
    assert (described["root"], described["places"]) == (None, [])
    assert described["why_not"] == (
        f"WHITENOISE_{name} is set, so WhiteNoise itself answers /static/"
    )
