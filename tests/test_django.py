"""A project as `django-admin startproject` makes it, served by `yett serve` without a word."""

import json

import pytest


@pytest.fixture
def project(tmp_path, python):
    """Return the folder of a fresh project."""
    folder = tmp_path / "shop"
    folder.mkdir()
    python("-m", "django", "startproject", "shop", ".", cwd=folder)
    return folder


@pytest.fixture
def server(serve, project):
    """Return a server that was started in the project's folder."""
    return serve(cwd=project, folder=project)


def test_welcome_page_is_served(server):
    answer = server.get("/")
    assert answer.status == 200
    assert "The install worked successfully" in answer.text


def test_login_page_of_the_admin_is_served(server):
    answer = server.get("/admin/login/")
    assert answer.status == 200
    assert 'name="csrfmiddlewaretoken"' in answer.text


def test_admin_asks_for_a_login(server):
    answer = server.get("/admin/")
    assert answer.status == 302
    assert answer.headers["Location"] == "/admin/login/?next=/admin/"


def test_host_that_the_project_does_not_allow_is_refused_by_django(server):
    with server.wire() as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n")
        assert wire.hear().status == 400


def test_banner_names_the_project(server):
    assert "serves shop.wsgi:application (Django " in server.stderr


def test_check_says_that_it_would_serve(yett, project):
    done = yett("check", cwd=project)
    assert done.code == 0, done.out + done.err
    assert "shop.wsgi:application" in done.out
    assert "It would serve" in done.out or "All in order." in done.out


def test_routes_are_printed(yett, project):
    done = yett("routes", cwd=project)
    assert done.code == 0, done.err
    assert done.out.startswith("METHOD ")
    assert "admin/" in done.out


def test_routes_are_printed_as_json(yett, project):
    done = yett("routes", "--json", cwd=project)
    assert done.code == 0, done.err
    paths = [route["path"] for route in json.loads(done.out)]
    assert any("admin/" in path for path in paths)


def test_settings_that_fail_show_their_traceback(yett, project):
    with (project / "shop" / "settings.py").open("a") as settings:
        settings.write("\nraise RuntimeError('not today')\n")
    done = yett("serve", "--bind", "127.0.0.1:0", cwd=project)
    assert done.code == 2
    assert "RuntimeError: not today" in done.err
    assert "settings.py" in done.err


def test_url_configuration_that_fails_shows_its_traceback(yett, project):
    with (project / "shop" / "urls.py").open("a") as urls:
        urls.write("\nraise RuntimeError('not today')\n")
    done = yett("check", cwd=project)
    assert done.code == 1
    assert "RuntimeError: not today" in done.out
    assert "urls.py" in done.out


def test_reload_takes_new_settings(server, project):
    with (project / "shop" / "settings.py").open("a") as settings:
        settings.write("\nROOT_URLCONF = 'shop.others'\n")
    (project / "shop" / "others.py").write_text(
        "from django.http import HttpResponse\n"
        "from django.urls import path\n\n"
        "urlpatterns = [path('new', lambda request: HttpResponse('new'))]\n"
    )
    done = server.command("reload")
    assert done.returncode == 0, done.stderr
    assert server.get("/new").text == "new"
