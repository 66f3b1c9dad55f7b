"""Wrong usage, and what is wrong with the app: the exit code and the words that a person sees."""

import os
import re
import socket

import pytest

from .conftest import APPS

PORT_0 = ("--bind", "127.0.0.1:0")


@pytest.fixture
def app(tmp_path):
    """Return a function that writes the module `app`."""

    def write(text: str) -> None:
        (tmp_path / "app.py").write_text(text)

    return write


FINE = "def application(environ, start_response):\n    pass\n"


def test_version_is_printed(yett):
    done = yett("--version")
    assert done.code == 0
    assert done.out.startswith("yett ")


@pytest.mark.parametrize("verb", [(), ("serve",), ("check",), ("routes",)])
def test_help_is_printed(yett, verb):
    done = yett(*verb, "--help")
    assert done.code == 0
    assert "Usage: yett" in done.out


def test_nothing_said_is_an_error_of_usage(yett):
    assert yett().code == 2


def test_unknown_flag_is_an_error_of_usage(yett):
    done = yett("serve", "app", "--wrokers", "2")
    assert done.code == 2
    assert "--wrokers" in done.err
    assert "--workers" in done.err


def test_wrong_values_are_all_named_at_once(yett):
    done = yett("serve", "app", "--workers", "many", "--timeout", "30", "--log-format", "xml")
    assert done.code == 2
    for word in ("--workers", "--timeout", "--log-format"):
        assert word in done.err


def test_wrong_variable_is_named(yett):
    done = yett("serve", "app", env={"YETT_WORKERS": "many"})
    assert done.code == 2
    assert "YETT_WORKERS" in done.err


def test_port_in_use_is_said(yett, app):
    app(FINE)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = yett("serve", "app", "--bind", f"127.0.0.1:{port}")
    assert done.code == 2
    assert f"http://127.0.0.1:{port} is in use by another program" in done.err
    assert "hint:" in done.err


def test_second_of_two_addresses_in_use_is_said(yett, app):
    app(FINE)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = yett("serve", "app", *PORT_0, "--bind", f"127.0.0.1:{port}")
    assert done.code == 2
    assert "is in use" in done.err


def test_file_in_the_place_of_a_socket_is_left_alone(yett, app, tmp_path):
    app(FINE)
    (tmp_path / "precious").write_text("precious")
    done = yett("serve", "app", "--bind", f"unix:{tmp_path}/precious")
    assert done.code == 2
    assert (tmp_path / "precious").read_text() == "precious"


def test_unknown_module_is_said(yett):
    done = yett("serve", "no_such_module:app", *PORT_0)
    assert done.code == 2
    assert "no module named 'no_such_module'" in done.err
    assert "Traceback" not in done.err


def test_module_without_a_callable_is_said(yett, app):
    app("x = 1\n")
    done = yett("serve", "app", *PORT_0)
    assert done.code == 2
    assert "module 'app' has neither 'application' nor 'app'" in done.err


def test_callable_that_is_missing_is_said(yett, app):
    app(FINE)
    done = yett("serve", "app:aplication", *PORT_0)
    assert done.code == 2
    assert "module 'app' has no 'aplication'" in done.err


def test_callable_that_cannot_be_called_is_said(yett, app):
    app("app = 5\n")
    done = yett("serve", "app", *PORT_0)
    assert done.code == 2
    assert "app:app is not callable, it is of type int" in done.err


def test_import_that_fails_shows_its_traceback(yett, app):
    app("def fail():\n    raise RuntimeError('not today')\n\n\nfail()\n")
    done = yett("serve", "app", *PORT_0)
    assert done.code == 2
    assert "Traceback (most recent call last):" in done.err
    assert 'app.py", line 5, in <module>' in done.err
    assert "RuntimeError: not today" in done.err
    assert "yett/worker" not in done.err
    # What a person reads last is the error.
    assert "error: the app did not start (stage: import)" in done.err.partition("Traceback")[2]


def test_import_that_lacks_a_module_shows_who_wanted_it(yett, app):
    app("import module_that_is_missing\n")
    done = yett("serve", "app", *PORT_0)
    assert done.code == 2
    assert 'app.py", line 1, in <module>' in done.err
    assert "No module named 'module_that_is_missing'" in done.err


@pytest.mark.parametrize("flags", [(), ("--no-preload",)], ids=["preload", "no preload"])
@pytest.mark.parametrize("verb", ["serve", "check"])
def test_import_that_ends_the_interpreter_is_said(yett, app, verb, flags):
    app("import os\nos._exit(9)\n")
    port = PORT_0 if verb == "serve" else ()
    done = yett(verb, "app", *port, *flags)
    assert done.code != 0
    told = done.out + done.err
    assert "the process that imports the app left with code 9 while importing; " in told
    assert "calls os._exit" in told
    assert "pip install yett" not in told


@pytest.mark.parametrize("flags", [(), ("--no-preload",)], ids=["preload", "no preload"])
def test_import_that_crashes_shows_where_and_by_what_signal(yett, app, flags):
    app("def crashes():\n    import ctypes\n    ctypes.string_at(0)\ncrashes()\n")
    done = yett("serve", "app", *PORT_0, *flags)
    assert done.code != 0
    assert "the process that imports the app was killed by signal 11 while importing" in done.err
    assert "Fatal Python error: Segmentation fault" in done.err
    assert "in crashes" in done.err
    assert "look at the extension modules there" in done.err
    assert "pip install yett" not in done.err


def test_control_characters_of_a_traceback_do_not_reach_the_terminal(yett, app):
    app("raise RuntimeError('\\x1b[2J')\n")
    assert "\x1b[2J" not in yett("serve", "app", *PORT_0).err


def test_app_of_another_interface_than_was_said_is_refused(yett, app):
    app("async def application(scope, receive, send):\n    pass\n")
    done = yett("serve", "app", *PORT_0, "--interface", "wsgi")
    assert done.code == 2
    assert "app:application is an ASGI application, but --interface says wsgi" in done.err


def test_app_of_the_old_asgi_style_is_refused_with_a_hint(yett, app):
    app("class application:\n    async def __call__(self, receive, send):\n        pass\n")
    done = yett("serve", "app", *PORT_0)
    assert done.code == 2
    assert "ASGI 2" in done.err
    assert "guarantee_single_callable" in done.err


def test_loop_that_is_not_installed_is_said(yett, app, tmp_path):
    app("async def application(scope, receive, send):\n    pass\n")
    hidden = "import sys\nsys.modules['uvloop'] = None\n"
    (tmp_path / "app.py").write_text(hidden + (tmp_path / "app.py").read_text())
    done = yett("serve", "app", *PORT_0, "--loop", "uvloop")
    assert done.code == 2
    assert "--loop says uvloop, but it is not installed" in done.err


def test_python_that_is_missing_is_said(yett, app):
    app(FINE)
    done = yett("serve", "app", *PORT_0, "--python", "/nonexistent")
    assert done.code == 2
    assert "no Python found" in done.err
    assert "/nonexistent" in done.err


def test_python_without_yett_is_said(yett, app, tmp_path):
    app(FINE)
    # An interpreter that has no package at all.
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {os.environ.get("PYTHON", "python3")} -I -S "$@"\n')
    bare.chmod(0o755)
    done = yett("serve", "app", *PORT_0, "--python", str(bare))
    assert done.code == 2
    assert "yett" in done.err


def test_python_that_is_too_old_is_said(yett, app, tmp_path):
    app(FINE)
    # One that says so, as not every machine has one.
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\ncase "$*" in *version_info*) echo 3 9;; *) exit 1;; esac\n')
    old.chmod(0o755)
    done = yett("serve", "app", *PORT_0, "--python", str(old))
    assert done.code == 2
    assert f"hint: {old} is Python 3.9, and Yett needs Python 3.10 or later" in done.err
    assert "pip install yett" not in done.err


def test_python_that_cannot_be_reached_is_not_called_missing(yett, app, tmp_path):
    app(FINE)
    (tmp_path / "link").symlink_to("gone")
    for path, why in (
        ("link", "a link to what is not there"),
        ("app.py/python", "cannot be reached: Not a directory"),
        ("app.py", "may not be run"),
    ):
        done = yett("serve", "app", *PORT_0, "--python", str(tmp_path / path))
        assert done.code == 2
        assert f"{path} (asked for): {why}" in done.err


def test_program_that_is_no_python_is_said(yett, app):
    app(FINE)
    done = yett("serve", "app", *PORT_0, "--python", "/bin/false")
    assert done.code == 2
    assert "hint: is /bin/false a Python?" in done.err


def test_folder_without_a_project_is_said(yett, tmp_path):
    done = yett("serve")
    assert done.code == 2
    assert f"not a Django project: no manage.py in {tmp_path}" in done.err
    assert "yett serve module:callable" in done.err


def test_folder_that_is_missing_is_said(yett):
    done = yett("serve", "app", "--chdir", "/nonexistent")
    assert done.code == 2
    assert "/nonexistent" in done.err


def test_nothing_of_a_failed_start_stays_behind(yett, app, tmp_path):
    app("raise RuntimeError\n")
    path = tmp_path / "yett.pid"
    socket_path = tmp_path / "s"
    done = yett("serve", "app", "--pid-file", str(path), "--bind", f"unix:{socket_path}")
    assert done.code == 2
    assert not path.exists()
    assert not socket_path.exists()


def test_check_of_a_good_app_is_fine(yett, app):
    app(FINE)
    done = yett("check", "app")
    assert (done.code, done.err) == (0, "")
    assert "All in order." in done.out


def test_folder_for_long_bodies_that_takes_no_files_is_warned_of(yett, app, serve, tmp_path):
    app(FINE)
    gone = {"TMPDIR": str(tmp_path / "gone")}
    checked = yett("check", "app", env=gone)
    assert checked.code == 0
    said = f"no file can be made in {tmp_path}/gone"
    assert said in checked.out
    assert said in serve("hello:application", env=gone).stderr


def test_check_of_a_bad_app_fails_with_its_traceback(yett, app):
    app("raise RuntimeError('not today')\n")
    done = yett("check", "app")
    assert done.code == 1
    assert "It would not serve: 1 error." in done.out
    assert "RuntimeError: not today" in done.out


def test_check_of_a_bad_configuration_is_an_error_of_usage(yett, app):
    app(FINE)
    assert yett("check", "app", "--workers", "0").code == 2


def test_check_does_not_bind(yett, app):
    app(FINE)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert yett("check", "app", "--bind", f"127.0.0.1:{port}").code == 0


def test_configuration_file_is_read(serve, tmp_path):
    (tmp_path / "yett.toml").write_text(
        f'[app.main]\napp = "hello:application"\nchdir = "{APPS}"\nworkers = 3\n'
    )
    server = serve(folder=tmp_path)
    assert len(server.worker_pids()) == 3
    assert server.get("/").status == 200


def test_variable_is_read(serve):
    server = serve(env={"YETT_APP": "hello:application", "YETT_WORKERS": "3"})
    assert len(server.worker_pids()) == 3


def test_factory_is_refused_with_a_hint(yett, app):
    app(FINE)
    done = yett("serve", "app:make()", *PORT_0)
    assert done.code == 2
    assert "hint: give the module a variable that holds the made app" in done.err


def test_banner_says_what_is_served(serve):
    server = serve("hello:application", "--workers", "2", "--threads", "3")
    assert "serves hello:application (WSGI)" in server.stderr
    assert re.search(r"^  workers 2 \S 3 threads$", server.stderr, re.MULTILINE)
    assert f"kill -HUP {server.pid}" in server.stderr
