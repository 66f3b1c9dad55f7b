"""Signals as Gunicorn's users expect them, the commands that do the same, and the pid file."""

import json
import os
import signal

import pytest

from .conftest import APPS
from .load import Load
from .server import eventually, of_session
from .wire import Wire


def test_term_lets_running_and_waiting_requests_end(serve, hold):
    server = serve("held:application", "--workers", "1", "--threads", "1", env=hold.environment)
    with server.wire() as running, server.wire() as waiting:
        running.ask("POST", "/", body=b"x")
        hold.await_entered(1)
        waiting.ask("GET", "/free")
        server.await_waiting(1)
        server.send_signal(signal.SIGTERM)
        eventually(lambda: is_refused(server.address))
        assert server.process.poll() is None
        hold.let_go()
        assert running.hear("POST").status == 200
        assert waiting.hear().status == 200
        assert running.is_closed_by_server()
    assert server.process.wait(timeout=30) == 0
    assert [record["status"] for record in server.access_records()] == [200, 200]


def test_process_that_an_application_forks_ends_by_term(serve):
    server = serve("children:application", "--workers", "1")
    assert server.get("/").body == b"SIGTERM"
    # The worker itself lets it pass.
    [worker] = server.worker_pids()
    os.kill(worker, signal.SIGTERM)
    assert server.get("/").body == b"SIGTERM"
    assert server.worker_pids() == [worker]


@pytest.mark.parametrize("flags", [(), ("--no-preload",)], ids=["preload", "no preload"])
@pytest.mark.parametrize("how", ["ignored", "steals", "raises"])
def test_signals_that_the_import_sets_are_the_workers_and_break_no_zygote(serve, how, flags):
    env = {"AT_IMPORT": f"SIGCHLD={how},SIGHUP={how},SIGTERM={how},SIGINT={how},wakeup"}
    server = serve("signalled:application", "--workers", "1", *flags, env=env)
    told = server.get("/").json()
    assert (told["chld"], told["hup"], told["wakeup"]) == (how, how, True)
    zygote, [worker] = server.active()["zygote_pid"], server.worker_pids()
    # As a service manager or a terminal does: every process at once, but for the program.
    for number in (signal.SIGTERM, signal.SIGINT):
        for pid in (zygote, worker):
            os.kill(pid, number)
    assert server.get("/").status == 200
    assert server.worker_pids() == [worker]
    # The zygote reaps its own.
    os.kill(worker, signal.SIGKILL)
    server.await_workers(1, but=worker)
    eventually(lambda: "was killed by signal 9" in server.stderr)
    assert server.active()["zygote_pid"] == zygote
    assert server.get("/").json()["chld"] == how


def test_descriptor_for_signals_that_the_import_closes_breaks_nothing(serve):
    server = serve("signalled:application", "--workers", "1", env={"AT_IMPORT": "wakeup,silence"})
    assert server.get("/").json()["wakeup"] is False
    [worker] = server.worker_pids()
    os.kill(worker, signal.SIGKILL)
    server.await_workers(1, but=worker)
    assert server.get("/").status == 200


def test_ignored_ends_of_children_break_no_zygote_that_begins_anew(serve, tmp_path):
    thread = (
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    (tmp_path / "app.py").write_text(f"from signalled import application\n{thread}\n")
    path = f"{os.environ.get('PYTHONPATH', '')}{os.pathsep}{APPS}"
    env = {"AT_IMPORT": "SIGCHLD=ignored", "PYTHONPATH": path}
    server = serve("app", "--workers", "1", folder=tmp_path, env=env)
    zygote, [worker] = server.active()["zygote_pid"], server.worker_pids()
    os.kill(worker, signal.SIGKILL)
    server.await_workers(1, but=worker)
    eventually(lambda: "was killed by signal 9" in server.stderr)
    assert server.active()["zygote_pid"] == zygote


def test_what_an_application_starts_takes_int_and_term_as_elsewhere(serve):
    told = serve("signalled:application", "--workers", "1").get("/started").json()
    assert told["child"] == "default default"
    assert not {"SIGINT", "SIGTERM", "SIGCHLD"} & set(told["ignored_by_programs"])


def is_refused(address: str) -> bool:
    """Whether nobody listens there any more."""
    try:
        Wire(address).close()
    except (ConnectionRefusedError, ConnectionResetError):
        # Reset: the socket was closed while the kernel was still greeting us.
        return True
    return False


def test_term_stops_listening_at_once(serve, hold):
    server = serve("held:application", "--workers", "1", env=hold.environment)
    with server.wire() as running:
        running.ask("GET", "/")
        hold.await_entered(1)
        server.send_signal(signal.SIGTERM)
        eventually(lambda: is_refused(server.address))
        hold.let_go()
        assert running.hear().status == 200


def test_term_closes_idle_connections(serve):
    server = serve("hello:application")
    with server.wire() as wire:
        assert wire.get("/").status == 200
        server.send_signal(signal.SIGTERM)
        assert wire.is_closed_by_server()
    assert server.process.wait(timeout=30) == 0


def test_term_waits_no_longer_than_the_graceful_timeout(serve, hold):
    flags = ("--workers", "1", "--graceful-timeout", "300ms")
    server = serve("held:application", *flags, env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/")
        hold.await_entered(1)
        assert server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_during_the_import_does_not_wait_for_it(serve, tmp_path, number):
    (tmp_path / "slow.py").write_text("import os\nos.read(os.pipe()[0], 1)\n")
    # Nobody was ever told that it serves: no one has to be told that it leaves.
    flags = ("--drain-delay", "1h")
    server = serve("slow", *flags, folder=tmp_path, ready="importing the app")
    server.send_signal(number)
    assert server.process.wait(timeout=10) == 0
    server.await_end_of_all()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_quick_stop_does_not_wait_for_requests(serve, hold, number):
    server = serve("held:application", "--workers", "1", env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/")
        hold.await_entered(1)
        server.send_signal(number)
        assert server.process.wait(timeout=5) == 0


def test_int_after_term_ends_the_waiting(serve, hold):
    server = serve("held:application", "--workers", "1", env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/")
        hold.await_entered(1)
        server.send_signal(signal.SIGTERM)
        eventually(lambda: is_refused(server.address))
        server.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=5) == 0


def test_ttin_and_ttou_change_the_number_of_workers(serve):
    server = serve("hello:application", "--workers", "1")
    with Load(server) as load:
        server.send_signal(signal.SIGTTIN)
        server.await_workers(2)
        server.send_signal(signal.SIGTTIN)
        server.await_workers(3)
        load.go_on()
        server.send_signal(signal.SIGTTOU)
        server.await_workers(2)
        server.send_signal(signal.SIGTTOU)
        server.await_workers(1)
        load.go_on()


def test_last_worker_is_not_taken_away(serve):
    server = serve("hello:application", "--workers", "1")
    server.send_signal(signal.SIGTTOU)
    eventually(lambda: "the number of workers stays 1" in server.stderr)
    assert server.get("/").status == 200


def test_changed_number_of_workers_outlives_a_reload(serve):
    server = serve("hello:application", "--workers", "1")
    server.send_signal(signal.SIGTTIN)
    server.await_workers(2)
    assert server.command("reload").returncode == 0
    server.await_workers(2)


def test_pid_file_is_there_while_the_server_runs(serve, tmp_path):
    path = tmp_path / "yett.pid"
    server = serve("hello:application", "--pid-file", str(path))
    assert path.read_text() == f"{server.pid}\n"
    assert server.stop() == 0
    assert not path.exists()


def test_pid_file_of_another_server_is_left_alone(serve, tmp_path):
    path = tmp_path / "yett.pid"
    server = serve("hello:application", "--pid-file", str(path))
    path.write_text("1\n")
    assert server.stop() == 0
    assert path.read_text() == "1\n"


def test_pid_file_of_a_server_that_runs_is_not_taken_over(serve, yett, tmp_path):
    path = tmp_path / "yett.pid"
    server = serve("hello:application", "--pid-file", str(path))
    words = (
        "hello:application",
        "-b",
        "127.0.0.1:0",
        "--chdir",
        str(APPS),
        "--pid-file",
        str(path),
    )
    second = yett("serve", *words)
    assert second.code == 2
    assert f"is held by a server that runs, process {server.pid}\n" in second.err
    assert path.read_text() == f"{server.pid}\n"
    # What a killed server leaves behind is nobody's.
    server.kill_all()
    third = serve("hello:application", "--pid-file", str(path))
    assert path.read_text() == f"{third.pid}\n"


def test_pid_file_that_cannot_be_written_is_an_error_of_usage(yett, tmp_path):
    done = yett("serve", "hello:application", "-b", "127.0.0.1:0", "--pid-file", str(tmp_path))
    assert done.code == 2
    assert f"cannot write the pid file {tmp_path}" in done.err


def test_status_says_what_runs(serve, hold):
    server = serve("held:application", "--workers", "2", env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/")
        hold.await_entered(1)
        done = server.command("status", "--json")
        hold.let_go()
        assert wire.hear().status == 200
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["server"]["pid"] == server.pid
    status = told["status"]
    assert status["addresses"] == server.addresses
    assert (status["connections"], status["requests_in_flight"]) == (1, 1)
    supervisor = status["supervisor"]
    assert (supervisor["workers_wanted"], supervisor["workers_ready"]) == (2, 2)
    assert supervisor["workers_died"] == 0


def test_status_for_people_names_the_address(serve):
    server = serve("hello:application")
    done = server.command("status")
    assert done.returncode == 0
    assert server.address in done.stdout
    assert f"pid {server.pid}" in done.stdout


def test_stop_command_returns_when_the_server_has_ended(serve):
    server = serve("hello:application")
    done = server.command("stop")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"stopped the server with the process id {server.pid}\n"
    assert server.process.wait(timeout=1) == 0


def test_command_finds_the_server_of_its_folder(serve, tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    servers = [serve("hello:application", cwd=folder) for folder in folders]
    assert servers[1].command("stop").returncode == 0
    assert servers[1].process.wait(timeout=30) == 0
    assert servers[0].get("/").status == 200


@pytest.mark.parametrize("verb", ["reload", "stop", "status"])
def test_command_without_a_server_fails(yett, verb):
    done = yett(verb)
    assert done.code == 1
    assert "no server runs that was started in" in done.err


def test_term_to_every_process_of_the_service_still_drains(serve, hold):
    server = serve("held:application", "--workers", "1", env=hold.environment)
    with server.wire() as wire:
        wire.ask("POST", "/", body=b"x")
        hold.await_entered(1)
        # What a service manager does, unless it is told to ask the program alone.
        for pid in of_session(server.pid):
            os.kill(pid, signal.SIGTERM)
        eventually(lambda: is_refused(server.address))
        hold.let_go()
        assert wire.hear("POST").status == 200
    assert server.process.wait(timeout=30) == 0
