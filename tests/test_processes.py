"""Processes that die: workers, zygotes, and the program itself."""

import hashlib
import http.client
import os
import signal

import pytest

from .load import Load
from .server import eventually, is_alive, of_session

#: One request at a time.
ONE = ("--workers", "1", "--threads", "1")

#: Its answers leave the worker in one piece: they have come, or nothing of them has.
WHOLE = "hello:bare"
BODIES = {"small": b"x" * 100, "spooled": b"x" * 300_000}


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal a process of this test's server."""
    os.kill(pid, number)


def test_safe_request_of_a_killed_worker_is_answered_by_another(serve, hold):
    server = serve("held:application", "--workers", "2", env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/")
        [first] = hold.await_entered(1)
        kill(first)
        second = hold.await_entered(2)[1]
        assert second != first
        hold.let_go()
        answer = wire.hear()
    assert (answer.status, answer.headers["X-Pid"]) == (200, str(second))
    [record] = server.last_records()
    assert record["status"] == 200


def test_safe_request_waits_for_the_replacement_of_the_only_worker(serve, hold):
    server = serve("held:application", *ONE, env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/")
        [first] = hold.await_entered(1)
        kill(first)
        hold.await_entered(2)
        hold.let_go()
        assert wire.hear().status == 200


def test_safe_request_is_not_repeated_twice(serve, hold):
    server = serve("held:application", "--workers", "3", env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/")
        kill(hold.await_entered(1)[0])
        kill(hold.await_entered(2)[1])
        assert wire.hear().status == 502
    assert len(hold.entered()) == 2


def test_answer_that_has_begun_is_cut_when_its_worker_is_killed(serve, hold):
    server = serve("held:application", "--workers", "2", env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/half")
        response = wire.begin()
        assert response.read(6) == b"first,"
        kill(hold.await_entered(1)[0])
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            response.read()
    assert len(hold.entered()) == 1
    [record] = server.last_records()
    assert "worker died" in record["reason"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_unsafe_request_that_was_begun_is_answered_with_502(serve, hold, method):
    server = serve("held:application", "--workers", "2", env=hold.environment)
    with server.wire() as wire:
        wire.ask(method, "/", body=b"x")
        kill(hold.await_entered(1)[0])
        assert wire.hear(method).status == 502
        assert wire.get("/free").status == 200
    assert len(hold.entered()) == 1
    record = server.last_records()[0]
    assert (record["status"], record["fault"]) == (502, "app")


@pytest.mark.parametrize("size", BODIES)
def test_unsafe_request_that_was_not_begun_goes_to_another_worker(serve, size):
    server = serve("echo:application", *ONE)
    [stopped] = server.worker_pids()
    kill(stopped, signal.SIGSTOP)
    with server.wire() as wire:
        wire.ask("POST", "/", body=BODIES[size])
        server.await_in_flight(1)
        kill(stopped)
        told = wire.hear("POST").json()
    assert told["sha256"] == hashlib.sha256(BODIES[size]).hexdigest()
    assert told["pid"] != stopped


def test_waiting_requests_are_not_touched_by_a_killed_worker(serve, hold):
    server = serve("held:application", *ONE, env=hold.environment)
    with server.wire() as held, server.wire() as waiting:
        held.ask("POST", "/", body=b"x")
        [pid] = hold.await_entered(1)
        waiting.ask("POST", "/free", body=b"y")
        server.await_waiting(1)
        kill(pid)
        assert held.hear().status == 502
        assert waiting.hear().status == 200


def test_killed_worker_is_replaced(serve):
    server = serve("hello:application", "--workers", "2")
    first, second = server.worker_pids()
    kill(first)
    replaced = server.await_workers(2, but=first)
    assert second in replaced
    assert not is_alive(first)
    eventually(lambda: f"(process {first})" in server.stderr)


def test_workers_killed_under_load_fail_no_request(serve):
    server = serve(WHOLE, "--workers", "2")
    with Load(server) as load:
        for _ in range(3):
            victim = server.await_workers(2)[0]
            kill(victim)
            server.await_workers(2, but=victim)
            load.go_on()
    assert len(load.workers) >= 4


def test_idle_worker_that_is_killed_fails_no_unsafe_request(serve):
    server = serve("echo:application", "--workers", "2")
    with server.wire() as wire:
        for _ in range(3):
            kill(server.await_workers(2)[0])
            wire.ask("POST", "/", body=b"x")
            assert wire.hear("POST").status == 200


def test_killed_zygote_fails_no_request_and_is_replaced(serve):
    server = serve(WHOLE, "--workers", "2")
    before = server.active()
    with Load(server) as load:
        kill(before["zygote_pid"])
        eventually(lambda: server.active()["generation"] > before["generation"])
        load.go_on()
        after = server.active()
        assert after["zygote_pid"] != before["zygote_pid"]
        # The new zygote can do its work.
        victim = server.await_workers(2)[0]
        kill(victim)
        server.await_workers(2, but=victim)
        load.go_on()
    eventually(lambda: not is_alive(before["zygote_pid"]))
    for worker in before["workers"]:
        eventually(lambda pid=worker["pid"]: not is_alive(pid))


def test_killed_zygote_and_worker_at_once_fail_no_request(serve):
    server = serve(WHOLE, "--workers", "2")
    before = server.active()
    with Load(server) as load:
        kill(before["zygote_pid"])
        kill(before["workers"][0]["pid"])
        eventually(lambda: server.active()["generation"] > before["generation"])
        load.go_on()
    server.await_workers(2)


def test_request_in_flight_survives_the_death_of_its_zygote(serve, hold):
    server = serve("held:application", "--workers", "2", env=hold.environment)
    before = server.active()
    with server.wire() as wire:
        wire.ask("POST", "/", body=b"x")
        hold.await_entered(1)
        kill(before["zygote_pid"])
        eventually(lambda: server.active()["generation"] > before["generation"])
        hold.let_go()
        assert wire.hear("POST").status == 200
    assert len(hold.entered()) == 1


def test_killed_program_takes_its_zygote_and_workers_along(serve, hold):
    server = serve("held:application", "--workers", "2", env=hold.environment)
    zygote, workers = server.active()["zygote_pid"], server.worker_pids()
    assert set(of_session(server.pid)) == {server.pid, zygote, *workers}
    with server.wire() as wire:
        wire.ask("GET", "/")
        hold.await_entered(1)
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        server.await_end_of_all()


def test_next_server_starts_where_a_killed_one_was(serve, tmp_path):
    bind = (f"unix:{tmp_path}/s",)
    killed = serve("hello:application", bind=bind)
    killed.stop(signal.SIGKILL)
    killed.await_end_of_all()
    server = serve("hello:application", bind=bind)
    assert server.get("/").status == 200
    assert server.command("status").returncode == 0


@pytest.mark.parametrize(("path", "status"), [("/begun", 502), ("/answered", 200)])
def test_unsafe_request_is_never_executed_twice(serve, tmp_path, path, status):
    counted = tmp_path / "counted"
    environment = {"COUNTED": str(counted)}
    server = serve("counted:application", "--workers", "4", env=environment)
    for number in range(12):
        answer = server.request("POST", f"{path}?{number}", body=b"x")
        assert answer.status == status
    assert counted.read_text().split() == [str(number) for number in range(12)]
