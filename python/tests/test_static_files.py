"""What the manifest says of a project's static files: production, development, WhiteNoise."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.urls import set_script_prefix
from whitenoise.middleware import WhiteNoiseMiddleware

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
        settings.DEBUG = True
        assert static_files()["hashed"] is None
    finally:
        from django.utils.functional import empty

        storage.staticfiles_storage._wrapped = empty


def test_static_root_that_is_not_set_is_said(settings: Any) -> None:
    settings.STATIC_ROOT = None
    assert "STATIC_ROOT is not set" in static_files()["why_not"]
    settings.INSTALLED_APPS = []
    assert static_files()["why_not"] is None


@pytest.mark.parametrize(
    ("said", "under_wsgi", "under_asgi"),
    [
        # Django itself puts the prefix before a relative one.
        ("static/", "/static/", "/shop/static/"),
        ("/shop/static/", "/static/", "/shop/static/"),
        ("/static/", "/static/", "/static/"),
        ("/shopping/", "/shopping/", "/shopping/"),
        ("https://cdn.example.com/shop/", *["https://cdn.example.com/shop/"] * 2),
    ],
)
def test_forced_script_name_is_gone_from_a_request_under_wsgi(
    said: str, under_wsgi: str, under_asgi: str, settings: Any
) -> None:
    # As `django.setup()` does.
    set_script_prefix("/shop")
    try:
        settings.FORCE_SCRIPT_NAME = "/shop"
        settings.STATIC_URL = said
        assert static_files()["url"] == under_wsgi
        assert static_files(asgi=True)["url"] == under_asgi
    finally:
        set_script_prefix("/")


class OwnWhiteNoise(WhiteNoiseMiddleware):  # type: ignore[misc, unused-ignore]
    """Serves as it is told elsewhere."""

    def add_headers_function(self, *args: Any) -> None:
        return None


class RenamedWhiteNoise(WhiteNoiseMiddleware):  # type: ignore[misc, unused-ignore]
    """Only has another name."""


def test_whitenoise_is_read_where_it_is_used_alone(settings: Any) -> None:
    settings.WHITENOISE_MAX_AGE = 7
    assert "whitenoise" not in static_files()
    settings.WHITENOISE_INDEX_FILE = True
    for name in (WHITENOISE, f"{__name__}.RenamedWhiteNoise"):
        settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "no.such.Layer", name]
        assert static_files()["whitenoise"] == {
            "max_age": 7,
            "any_origin": True,
            "index": "index.html",
            "autorefresh": False,
            "types": {},
            "types_by_name": {},
        }


def test_types_of_whitenoise_are_by_extension_or_by_name(settings: Any) -> None:
    settings.MIDDLEWARE = [WHITENOISE]
    settings.WHITENOISE_MIMETYPES = {
        ".foo": "text/x-foo",
        "license": "text/plain",
        ".tar.gz": "a/b",
        ".NEVER": "never/matches",
        "number": 7,
    }
    described = static_files()["whitenoise"]
    assert described["types"] == {"foo": "text/x-foo; charset=utf-8"}
    assert described["types_by_name"] == {"license": "text/plain; charset=utf-8", ".tar.gz": "a/b"}


@pytest.mark.parametrize(("age", "said"), [(None, None), (0, 0), (1.9, 1), (10**30, 315360000)])
def test_age_of_whitenoise_may_be_anything_that_is_a_number_or_none(
    age: Any, said: int | None, settings: Any
) -> None:
    settings.MIDDLEWARE = [WHITENOISE]
    settings.WHITENOISE_MAX_AGE = age
    assert static_files()["whitenoise"]["max_age"] == said


def test_prefix_of_whitenoise_is_a_path_also_before_a_cdn(settings: Any) -> None:
    settings.MIDDLEWARE = [WHITENOISE]
    settings.STATIC_URL = "https://cdn.example.com/assets/"
    assert static_files()["url"] == "/assets/"
    settings.STATIC_URL = "/shop/assets/"
    settings.FORCE_SCRIPT_NAME = "/shop/"
    assert static_files()["url"] == "/assets/"
    settings.WHITENOISE_STATIC_PREFIX = "s"
    assert static_files()["url"] == "/s/"


@pytest.mark.parametrize("debug", [True, False])
def test_what_whitenoise_finds_comes_before_what_was_collected(
    debug: bool, settings: Any, tmp_path: Path
) -> None:
    settings.MIDDLEWARE = [WHITENOISE]
    settings.INSTALLED_APPS = ["django.contrib.staticfiles"]
    settings.STATICFILES_DIRS = [tmp_path / "assets"]
    settings.DEBUG = debug
    settings.WHITENOISE_USE_FINDERS = True
    described = static_files()
    assert [place["folder"] for place in described["places"]] == [
        str(tmp_path / "assets"),
        str(tmp_path / "root"),
    ]
    assert described["root"] is None
    assert described["whitenoise"]["autorefresh"] is debug
    settings.STATIC_ROOT = None
    assert static_files()["why_not"] is None


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("WHITENOISE_ADD_HEADERS_FUNCTION", "x", "WHITENOISE_ADD_HEADERS_FUNCTION is set"),
        ("WHITENOISE_IMMUTABLE_FILE_TEST", "x", "WHITENOISE_IMMUTABLE_FILE_TEST is set"),
        ("WHITENOISE_CHARSET", "latin-1", "WHITENOISE_CHARSET is not utf-8"),
        ("WHITENOISE_MAX_AGE", True, "WHITENOISE_MAX_AGE is no number of seconds"),
        ("WHITENOISE_MAX_AGE", -1, "WHITENOISE_MAX_AGE is no number of seconds"),
        (
            "MIDDLEWARE",
            [f"{__name__}.OwnWhiteNoise"],
            f"{__name__}.OwnWhiteNoise has its own add_headers_function",
        ),
    ],
)
def test_what_only_whitenoise_can_say_is_left_to_it(
    name: str, value: Any, reason: str, settings: Any
) -> None:
    settings.MIDDLEWARE = [WHITENOISE]
    setattr(settings, name, value)
    described = static_files()
    assert (described["root"], described["places"]) == (None, [])
    assert "whitenoise" not in described
    assert described["why_not"] == f"{reason}, so WhiteNoise itself answers /static/"


def test_whitenoise_that_was_changed_at_run_time_is_left_to_itself(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIDDLEWARE = [WHITENOISE]
    monkeypatch.setattr(WhiteNoiseMiddleware, "serve", staticmethod(lambda *_: None))
    assert static_files()["why_not"] == (
        "WhiteNoiseMiddleware.serve was replaced at run time, so WhiteNoise itself answers /static/"
    )
