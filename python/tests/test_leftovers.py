"""What is left of simplejwt in a project is found, with what to write instead."""

import sys
from importlib import util
from pathlib import Path
from typing import Any

import pytest
import rest_framework_simplejwt.views  # noqa: F401  # as a project that still imports it

import yett.drf.tokens  # noqa: F401  # and uses ours
from yett.django.leftovers import MOST, leftovers


def load(folder: Path, name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Import a module of that source, for the time of a test."""
    file = folder / f"{name}.py"
    file.write_text(source)
    found = util.spec_from_file_location(name, file)
    assert found is not None and found.loader is not None
    module = util.module_from_spec(found)
    monkeypatch.setitem(sys.modules, name, module)
    found.loader.exec_module(module)
    return file


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the modules of these tests, which use simplejwt on purpose."""
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(Path(__file__).parent)):
            monkeypatch.delitem(sys.modules, name)


@pytest.mark.usefixtures("alone")
def test_settings_that_name_simplejwt_are_told(settings: Any) -> None:
    settings.REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.X"]
    }
    settings.LOGGING = {"version": 1, "loggers": {"rest_framework_simplejwt": {"level": "INFO"}}}
    settings.UNRELATED = {"rest_framework_simplejwt_x", "a rest_framework_simplejwt"}
    assert leftovers() == [
        "the setting LOGGING names rest_framework_simplejwt: write yett.drf",
        "the setting REST_FRAMEWORK names rest_framework_simplejwt.authentication.X: write "
        "yett.drf.authentication.X",
    ]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("source", "line", "imported"),
    [
        ("import os\n\nfrom rest_framework_simplejwt.views import token_verify\n", 3, "views"),
        ("import rest_framework_simplejwt.tokens as t\n", 1, "tokens"),
        ("def late():\n    import os\n\nfrom rest_framework_simplejwt import settings\n", 4, ""),
    ],
)
def test_modules_that_import_simplejwt_are_told(
    source: str, line: int, imported: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = load(tmp_path, "project_views", source, monkeypatch)
    old, new = (
        f"{name}.{imported}".rstrip(".") for name in ("rest_framework_simplejwt", "yett.drf")
    )
    assert leftovers() == [f"{file}:{line} imports {old}: write {new}"]


@pytest.mark.usefixtures("alone")
def test_revoked_tokens_are_spoken_of_where_there_is_a_blacklist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.apps.apps.is_installed", lambda name: True)
    load(tmp_path, "project_views", "import rest_framework_simplejwt.tokens as t", monkeypatch)
    (sentence,) = leftovers()
    assert sentence.endswith("; until then revoked tokens are good there")


@pytest.mark.usefixtures("alone")
def test_long_lists_are_cut(settings: Any) -> None:
    settings.MANY = [f"rest_framework_simplejwt.x{number}" for number in range(50)]
    found = leftovers()
    assert len(found) == MOST + 1
    assert found[-1] == "40 more places name rest_framework_simplejwt"


@pytest.mark.usefixtures("alone")
def test_installed_packages_are_told_by_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yett.django.leftovers._INSTALLED", (str(tmp_path),))
    load(tmp_path, "djoser", "import rest_framework_simplejwt.tokens as t", monkeypatch)
    assert leftovers() == [
        "installed packages use rest_framework_simplejwt by themselves, beside yett.drf: djoser"
    ]


def test_project_that_stays_with_simplejwt_has_no_leftovers(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MINE = "rest_framework_simplejwt.views"
    monkeypatch.delitem(sys.modules, "yett.drf")
    assert leftovers() == []
