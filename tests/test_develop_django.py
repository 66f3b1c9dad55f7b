"""A project of `django-admin startproject` under `yett serve --reload`, not `runserver`."""

import fcntl
import os
import pty
import re
import signal
import termios
import threading

import pytest

from .server import eventually, is_alive

HTML = "Accept: text/html"
VIEWS = """
from django.http import HttpResponse
from django.shortcuts import render

def home(request):
    {before}
    return {answer}
"""
URLS = """
from django.urls import path
from shop import views

urlpatterns = [path("", views.home)]
"""


@pytest.fixture
def project(tmp_path, python):
    """Return the folder of a fresh project with one view."""
    folder = tmp_path / "shop"
    folder.mkdir()
    python("-m", "django", "startproject", "shop", ".", cwd=folder)
    (folder / "shop" / "urls.py").write_text(URLS)
    answer(folder, 'HttpResponse("one")')
    return folder


def answer(folder, expression: str, before: str = "pass") -> None:
    text = VIEWS.replace("{answer}", expression).replace("{before}", before)
    (folder / "shop" / "views.py").write_text(text)


@pytest.fixture
def server(serve, project):
    """Return a server that was started in the project's folder."""
    return serve(None, "--reload", cwd=project, folder=project)


def until(server, body: bytes) -> None:
    eventually(lambda: server.get("/").body == body)


def test_changed_view_is_served(server, project):
    assert server.get("/").body == b"one"
    answer(project, 'HttpResponse("two")')
    until(server, b"two")
    eventually(lambda: "yett: reloaded in" in server.stderr)


def test_error_in_urls_views_or_settings_is_shown_and_goes_away(server, project):
    for name in ("urls.py", "views.py", "settings.py"):
        file = project / "shop" / name
        good = file.read_text()
        file.write_text(good + "\nname_that_is_not_there\n")
        eventually(lambda: server.get("/").status == 500)
        page = server.get("/", HTML).text
        assert "name &#39;name_that_is_not_there&#39; is not defined" in page
        line = good.count("\n") + 2
        assert f"<code>shop/{name}</code>, line <code>{line}</code>" in page
        file.write_text(good)
        until(server, b"one")


def test_first_import_that_fails_is_shown_and_mended(serve, project):
    answer(project, 'HttpResponse("one"')
    waits = "shows this error until a change loads"
    server = serve(None, "--reload", cwd=project, folder=project, ready=waits)
    server.addresses = [re.search(rf"(http://\S+) {waits}", server.stderr).group(1)]
    assert "shop/views.py" in server.get("/", HTML).text
    answer(project, 'HttpResponse("two")')
    until(server, b"two")


def test_changed_template_is_served_although_django_keeps_templates(serve, project):
    templates = project / "templates"
    templates.mkdir()
    (templates / "home.html").write_text("one {{ request.path }}")
    settings = project / "shop" / "settings.py"
    settings.write_text(
        settings.read_text().replace("'DIRS': []", "'DIRS': [BASE_DIR / 'templates']")
    )
    answer(project, 'render(request, "home.html")')
    server = serve(None, "--reload", cwd=project, folder=project)
    assert server.get("/").body == b"one /"
    (templates / "home.html").write_text("two {{ request.path }}")
    until(server, b"two /")
    eventually(lambda: "templates/home.html changed" in server.stderr)


def test_upload_is_no_change_even_if_it_is_code(serve, project):
    media = project / "media"
    media.mkdir()
    settings = project / "shop" / "settings.py"
    settings.write_text(settings.read_text() + "\nMEDIA_ROOT = BASE_DIR / 'media'\n")
    server = serve(None, "--reload", cwd=project, folder=project)
    (media / "upload.py").write_text("x = 1\n")
    answer(project, 'HttpResponse("two")')
    until(server, b"two")
    assert "upload.py" not in server.stderr


@pytest.fixture
def at_terminal(serve, project):
    """Return what starts a server in front of a terminal, and our end of that terminal."""
    ours, theirs = pty.openpty()

    def start(*flags: str, **how):
        server = serve(
            None,
            "--reload",
            *flags,
            cwd=project,
            folder=project,
            stdin=theirs,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            **how,
        )
        os.close(theirs)
        assert "breakpoint() works here" in server.stderr
        return server

    yield start, ours
    # A terminal that hangs up ends its programs; those are to stop well before that.
    os.close(ours)


def test_breakpoint_stops_a_request_and_the_terminal_steers_it(at_terminal, project):
    answer(project, 'HttpResponse("two")', before="breakpoint()")
    start, ours = at_terminal
    server = start()
    heard = []
    asking = threading.Thread(target=lambda: heard.append(server.get("/").body))
    asking.start()
    try:
        eventually(lambda: "(Pdb)" in server.stdout)
        os.write(ours, b"p 6 * 7, request.path\n")
        eventually(lambda: "(42, '/')" in server.stdout)
        os.write(ours, b"c\n")
    finally:
        asking.join()
        code = server.stop()
    assert code == 0
    assert heard == [b"two"]


def test_import_that_never_ends_leaves_no_process_where_it_shares_the_terminal(
    at_terminal, project, hold
):
    start, _ours = at_terminal
    server = start("--no-preload", env=hold.environment)
    told = "import os; open(os.environ['HOLD'] + '/entered', 'a').write(f'{os.getpid()}\\n')\n"
    urls = project / "shop" / "urls.py"
    urls.write_text(told + "while True: pass\n")
    [pid] = hold.await_entered(1)
    urls.write_text(URLS)
    until(server, b"one")
    eventually(lambda: not is_alive(pid))
    assert server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTTIN, signal.SIGTTOU])
def test_terminal_that_keeps_a_debugger_waiting_changes_no_number_of_workers(at_terminal, number):
    start, _ours = at_terminal
    server = start("--workers", "2")
    # As a terminal does it when one of the group reads or writes from behind.
    os.killpg(server.pid, number)
    # An order that comes later: a number that had changed would hold for it.
    assert server.command("reload").returncode == 0
    server.await_workers(2)
    assert len(server.active()["workers"]) == 2
    assert server.stop() == 0
