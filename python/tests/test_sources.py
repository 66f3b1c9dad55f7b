"""Which folders `yett serve --reload` is told to watch."""

import os
import sys
from pathlib import Path

from yett.worker.sources import sources

HERE = os.path.dirname(os.path.abspath(__file__))


def test_folder_of_an_imported_module_is_named_and_those_of_packages_are_not() -> None:
    folders = sources()["folders"]
    assert HERE in folders
    assert not any("site-packages" in folder for folder in folders)
    assert os.path.dirname(os.__file__) not in folders
    assert not any(folder.endswith(("/yett", "/yett/worker")) for folder in folders)


def test_module_that_is_no_module_does_no_harm(monkeypatch) -> None:
    class Odd:
        __file__ = 7

    monkeypatch.setitem(sys.modules, "odd_one", Odd())
    monkeypatch.setitem(sys.modules, "odd_two", None)
    assert HERE in sources()["folders"]


def test_roots_of_static_files_and_uploads_are_named_as_ignored(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    settings.STATIC_ROOT = None
    assert sources()["ignored"] == [str(tmp_path)]
    settings.MEDIA_ROOT = str(tmp_path / "made later")
    assert sources()["ignored"] == [str(tmp_path / "made later")]


def test_templates_of_the_project_are_named_and_those_of_packages_are_not(
    settings, tmp_path: Path
) -> None:
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [tmp_path],
            "APP_DIRS": True,
        }
    ]
    assert sources()["templates"] == [str(tmp_path)]
