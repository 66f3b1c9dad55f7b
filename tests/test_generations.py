"""Releases: new code without a failed request, and bad releases that change nothing."""

import os
import signal

import pytest

from .load import Load
from .server import eventually

APP = """
import os


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Pid", str(os.getpid()))])
    return [b"{version}"]
"""


@pytest.fixture
def release(tmp_path):
    """Return a function that writes the application anew."""

    def write(version: str, before: str = "") -> None:
        text = before + APP.replace("{version}", version)
        (tmp_path / "app.py").write_text(text)

    write("one")
    return write


@pytest.fixture
def server(serve, release, tmp_path):
    """Return a server of the application that `release` writes, with two workers."""
    return serve("app", "--workers", "2", folder=tmp_path)


def test_reload_by_signal_under_load_fails_no_request(server, release):
    with Load(server) as load:
        for version in ("two", "three"):
            release(version)
            server.send_signal(signal.SIGHUP)
            eventually(lambda version=version: version.encode() in load.bodies)
            load.go_on()
    assert load.bodies == {b"one", b"two", b"three"}
    assert server.get("/").body == b"three"


def test_reload_by_command_under_load_fails_no_request(server, release):
    with Load(server) as load:
        release("two")
        done = server.command("reload")
        assert done.returncode == 0, done.stderr
        assert "generation 2 serves" in done.stdout
        # The command returns when the new code serves.
        assert server.get("/").body == b"two"
        load.go_on()
    assert load.bodies == {b"one", b"two"}


def test_old_generation_leaves_after_a_reload(server, release):
    before = server.active()
    release("two")
    assert server.command("reload").returncode == 0
    eventually(lambda: len(server.status()["supervisor"]["generations"]) == 1)
    after = server.active()
    assert after["zygote_pid"] != before["zygote_pid"]
    eventually(lambda: "generation 1 has ended" in server.stderr)


def test_request_in_flight_is_finished_by_the_old_generation(serve, hold):
    server = serve("held:application", "--workers", "1", env=hold.environment)
    with server.wire() as wire:
        wire.ask("POST", "/", body=b"x")
        [old] = hold.await_entered(1)
        assert server.command("reload").returncode == 0
        assert int(server.get("/free").headers["X-Pid"]) != old
        hold.let_go()
        answer = wire.hear("POST")
    assert (answer.status, answer.headers["X-Pid"]) == (200, str(old))


def test_request_that_does_not_end_delays_no_reload_beyond_the_graceful_timeout(serve, hold):
    flags = ("--workers", "1", "--graceful-timeout", "300ms")
    server = serve("held:application", *flags, env=hold.environment)
    with server.wire() as wire:
        wire.ask("POST", "/", body=b"x")
        hold.await_entered(1)
        assert server.command("reload").returncode == 0
        assert wire.hear("POST").status == 502
    eventually(lambda: len(server.status()["supervisor"]["generations"]) == 1)


BROKEN = {
    "an exception": ("raise RuntimeError('not today')\n", "RuntimeError: not today"),
    "a syntax error": ("def (:\n", "SyntaxError"),
    "a missing import": ("import module_that_is_missing\n", "module_that_is_missing"),
    "an exit": ("raise SystemExit(3)\n", "sys.exit(3)"),
    "a crash": ("import os; os._exit(9)\n", ""),
}


@pytest.mark.parametrize("what", BROKEN)
def test_release_that_does_not_import_leaves_the_old_one_serving(server, release, what):
    code, words = BROKEN[what]
    with Load(server) as load:
        release("two", before=code)
        done = server.command("reload")
        assert done.returncode == 1
        assert words in done.stderr
        assert "the old code keeps serving" in done.stderr
        load.go_on()
        assert load.bodies == {b"one"}
        release("three")
        assert server.command("reload").returncode == 0
        load.go_on()
    assert load.bodies == {b"one", b"three"}


def test_traceback_of_a_bad_release_is_printed_by_command_and_server(server, release):
    release("two", before="def fail():\n    raise RuntimeError('not today')\n\n\nfail()\n")
    done = server.command("reload")
    eventually(lambda: "generation 1 goes on serving" in server.stderr)
    for text in (done.stderr, server.stderr):
        assert "Traceback (most recent call last):" in text
        assert 'app.py", line 5, in <module>' in text
        assert "RuntimeError: not today" in text


def test_bad_release_by_signal_is_told_in_stderr(server, release):
    release("two", before="raise RuntimeError('not today')\n")
    server.send_signal(signal.SIGHUP)
    eventually(lambda: "generation 1 goes on serving" in server.stderr)
    assert "RuntimeError: not today" in server.stderr
    assert server.get("/").body == b"one"


def test_worker_of_the_old_release_is_replaced_after_a_bad_one(server, release):

    release("two", before="raise RuntimeError('not today')\n")
    assert server.command("reload").returncode == 1
    victim = server.worker_pids()[0]
    os.kill(victim, signal.SIGKILL)
    server.await_workers(2, but=victim)
    assert {server.get("/").body for _ in range(6)} == {b"one"}


def test_several_reloads_at_once_end_with_the_newest_code(server, release):
    release("two")
    for _ in range(5):
        server.send_signal(signal.SIGHUP)
    release("three")
    assert server.command("reload").returncode == 0
    assert server.get("/").body == b"three"
    eventually(lambda: len(server.status()["supervisor"]["generations"]) == 1)


def test_workers_are_replaced_after_max_requests_without_a_failed_request(serve, release, tmp_path):
    flags = ("--workers", "2", "--max-requests", "10")
    server = serve("app", *flags, folder=tmp_path)
    with Load(server) as load:
        load.go_on(100)
    # Not as many as requests divided by ten: workers that leave so soon are held back.
    assert len(load.workers) > 3
    server.await_workers(2)
    assert server.status()["supervisor"]["workers_died"] == 0
