"""Finding a Django project's application from its folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from yett.django import DiscoveryError, discover
from yett.django.project import VARIABLE, settings_in_manage_py

MANAGE = """
import os, sys
raise SystemExit("manage.py was run")
def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
"""


def project(folder: Path, manage: str = MANAGE, settings: str = "", wsgi: bool = True) -> Path:
    """Write a project and return its folder."""
    (folder / "shop").mkdir()
    (folder / "manage.py").write_text(manage)
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "settings.py").write_text(f"SECRET_KEY = 'x'\n{settings}")
    if wsgi:
        (folder / "shop" / "wsgi.py").write_text("raise SystemExit('wsgi.py was imported')")
    return folder


def run_discover(folder: Path, interface: str = "auto", **environment: str) -> str:
    """Run `discover` in a fresh interpreter, since settings load once, and return its words."""
    code = (
        "import sys; from yett.django import discover, DiscoveryError\n"
        "try: print(discover(*sys.argv[1:]))\n"
        "except DiscoveryError as error: print('error:', error)"
    )
    clean = {name: value for name, value in os.environ.items() if name != VARIABLE}
    ran = subprocess.run(
        [sys.executable, "-c", code, str(folder), interface],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_callable_of_the_settings_is_found(tmp_path: Path) -> None:
    project(tmp_path, settings="WSGI_APPLICATION = 'shop.entry.app'")
    assert run_discover(tmp_path) == "shop.entry:app"


def test_usual_place_is_found_without_the_setting(tmp_path: Path) -> None:
    assert run_discover(project(tmp_path)) == "shop.wsgi:application"


@pytest.mark.parametrize(
    ("settings", "modules", "interface", "found"),
    [
        ("", "wsgi asgi", "auto", "shop.wsgi:application"),
        ("", "wsgi asgi", "asgi", "shop.asgi:application"),
        ("", "asgi", "auto", "shop.asgi:application"),
        ("", "asgi", "wsgi", "error: The settings shop.settings have no WSGI_APPLICATION"),
        ("", "wsgi", "asgi", "error: The settings shop.settings have no ASGI_APPLICATION"),
        ("WSGI_APPLICATION = 'shop.wsgi.application'", "asgi", "auto", "shop.asgi:application"),
        ("WSGI_APPLICATION = 'shop.wsgi.application'", "asgi", "wsgi", "shop.wsgi:application"),
        ("WSGI_APPLICATION = 'gone.wsgi.application'", "", "auto", "gone.wsgi:application"),
        ("ASGI_APPLICATION = 'shop.routing.app'", "wsgi asgi", "auto", "shop.routing:app"),
        ("ASGI_APPLICATION = 'shop.routing.app'", "wsgi asgi", "asgi", "shop.routing:app"),
        ("ASGI_APPLICATION = 'shop.routing.app'", "wsgi", "wsgi", "shop.wsgi:application"),
        (
            "WSGI_APPLICATION = 'shop.wsgi.app'\nASGI_APPLICATION = 'shop.asgi.app'",
            "wsgi asgi",
            "auto",
            "shop.wsgi:app",
        ),
    ],
)
def test_wsgi_is_taken_where_the_project_has_it_unless_asgi_is_asked_for(
    tmp_path: Path, settings: str, modules: str, interface: str, found: str
) -> None:
    project(tmp_path, settings=settings, wsgi=False)
    for module in modules.split():
        (tmp_path / "shop" / f"{module}.py").touch()
    assert run_discover(tmp_path, interface).startswith(found)


def test_environment_chooses_the_settings(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "shop" / "live.py").write_text("SECRET_KEY='x'\nWSGI_APPLICATION='shop.live.app'")
    assert run_discover(tmp_path, DJANGO_SETTINGS_MODULE="shop.live") == "shop.live:app"


@pytest.mark.parametrize(
    ("settings", "wsgi", "words"),
    [
        ("WSGI_APPLICATION = 'application'", True, "is 'application', which is not a dotted path"),
        ("", False, "have no WSGI_APPLICATION; name the application: yett serve"),
    ],
)
def test_settings_without_a_callable_are_told(
    tmp_path: Path, settings: str, wsgi: bool, words: str
) -> None:
    answer = run_discover(project(tmp_path, settings=settings, wsgi=wsgi))
    assert answer.startswith("error:")
    assert words in answer


@pytest.mark.parametrize(
    "text",
    [
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "a.b")',
        'environ["DJANGO_SETTINGS_MODULE"] = "a.b"',
        'if __name__ == "__main__":\n    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "a.b")',
        'os.environ.setdefault(\n    "DJANGO_SETTINGS_MODULE",\n    "a.b",\n)',
    ],
)
def test_settings_are_read_from_the_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "manage.py").write_text(text)
    assert settings_in_manage_py(tmp_path / "manage.py") == "a.b"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "does not name DJANGO_SETTINGS_MODULE as plain text"),
        (
            'os.environ.setdefault("DJANGO_SETTINGS_MODULE", pick())',
            "does not name DJANGO_SETTINGS_MODULE as plain text",
        ),
        (
            'e.setdefault("DJANGO_SETTINGS_MODULE", "a")\n'
            'e.setdefault("DJANGO_SETTINGS_MODULE", "b")',
            "names several settings (a, b)",
        ),
        ("def (:", "is not Python"),
    ],
)
def test_text_that_does_not_say_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "manage.py").write_text(text)
    with pytest.raises(DiscoveryError) as error:
        settings_in_manage_py(tmp_path / "manage.py")
    assert words in str(error.value)


def test_folder_without_a_project_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(DiscoveryError, match=r"There is no manage\.py in"):
        discover(tmp_path)
