"""The queue in the edge: requests wait for a free worker, within bounds, and may leave."""

import os
import signal
import time

from .server import eventually

#: One request at a time.
ONE = ("--workers", "1", "--threads", "1")


def test_requests_wait_for_a_free_worker(serve, hold):
    server = serve("held:application", *ONE, env=hold.environment)
    wires = [server.wire() for _ in range(4)]
    for wire in wires:
        wire.ask("GET", "/")
    hold.await_entered(1)
    server.await_waiting(3)
    assert server.status()["requests_in_flight"] == 1
    hold.let_go(4)
    assert [wire.hear().body for wire in wires] == [b"done"] * 4
    waited = [record["waited_us"] for record in server.last_records()]
    assert sum(each > 0 for each in waited) == 3
    for wire in wires:
        wire.close()


def test_waiting_requests_go_on_in_the_order_in_which_they_came(serve, hold):
    server = serve("held:application", *ONE, env=hold.environment)
    wires = []
    for number in range(4):
        wire = server.wire()
        wire.ask("GET", "/" if number == 0 else f"/free/{number}")
        wires.append(wire)
        server.await_in_flight(1)
        server.await_waiting(number)
    hold.let_go()
    for wire in wires:
        assert wire.hear().body == b"done"
        wire.close()
    targets = [record["target"] for record in server.last_records()]
    assert targets == ["/", "/free/1", "/free/2", "/free/3"]


def test_request_goes_to_the_worker_that_is_free(serve, hold):
    server = serve("held:application", "--workers", "2", env=hold.environment)
    with server.wire() as held:
        held.ask("GET", "/")
        [busy] = hold.await_entered(1)
        pids = {int(server.get("/free").headers["X-Pid"]) for _ in range(10)}
        assert busy not in pids
        assert len(pids) == 1
        hold.let_go()
        assert held.hear().status == 200


def test_worker_with_threads_runs_as_many_requests_at_once(serve, hold):
    server = serve("held:application", "--workers", "1", "--threads", "3", env=hold.environment)
    wires = [server.wire() for _ in range(4)]
    for wire in wires:
        wire.ask("GET", "/")
    hold.await_entered(3)
    server.await_waiting(1)
    assert server.status()["requests_in_flight"] == 3
    hold.let_go(4)
    assert [wire.hear().status for wire in wires] == [200] * 4
    for wire in wires:
        wire.close()


def test_request_that_waits_holds_up_no_other_without_being_asked_to(serve, hold):
    server = serve("held:application", "--workers", "1", env=hold.environment)
    with server.wire() as held:
        held.ask("GET", "/")
        hold.await_entered(1)
        assert [server.get("/free").status for _ in range(5)] == [200] * 5
        hold.let_go()
        assert held.hear().status == 200


def test_full_queue_is_answered_with_503_and_retry_after(serve, hold):
    server = serve("held:application", *ONE, "--queue", "1", env=hold.environment)
    with server.wire() as first, server.wire() as second:
        first.ask("GET", "/")
        hold.await_entered(1)
        second.ask("GET", "/free")
        server.await_waiting(1)
        third = server.get("/free")
        assert third.status == 503
        assert third.headers["Retry-After"] == "1"
        hold.let_go()
        assert first.hear().status == second.hear().status == 200
    refused = server.last_records()[0]
    assert (refused["status"], refused["worker"], refused["fault"]) == (503, None, "yett")
    assert "queue is full" in refused["reason"]


def test_request_that_waits_too_long_is_answered_with_503(serve, hold):
    flags = (*ONE, "--queue-timeout", "300ms")
    server = serve("held:application", *flags, env=hold.environment)
    with server.wire() as held, server.wire() as late:
        held.ask("GET", "/")
        hold.await_entered(1)
        began = time.monotonic()
        late.ask("GET", "/free")
        answer = late.hear()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert time.monotonic() - began >= 0.3
        hold.let_go()
        assert held.hear().status == 200
        # The connection is still good.
        assert late.get("/free").status == 200
    assert server.last_records()[0]["waited_us"] >= 300_000


def test_client_that_leaves_the_queue_frees_its_place(serve, hold):
    server = serve("held:application", *ONE, "--queue", "1", env=hold.environment)
    with server.wire() as first, server.wire() as third:
        first.ask("GET", "/")
        hold.await_entered(1)
        with server.wire() as second:
            second.ask("GET", "/free/second")
            server.await_waiting(1)
        [left] = server.records(1)
        assert (left["target"], left["status"]) == ("/free/second", 499)
        third.ask("GET", "/free/third")
        server.await_waiting(1)
        hold.let_go()
        assert first.hear().status == third.hear().status == 200
    assert len(server.last_records()) == 3


def test_client_that_left_the_queue_never_reaches_the_app(serve, hold):
    server = serve("held:application", *ONE, env=hold.environment)
    with server.wire() as first:
        first.ask("GET", "/")
        hold.await_entered(1)
        with server.wire() as second:
            second.ask("GET", "/")
            server.await_waiting(1)
        server.records(1)
        hold.let_go(2)
        assert first.hear().status == 200
    assert server.get("/free").status == 200
    assert len(hold.entered()) == 1


def test_static_files_do_not_wait_for_a_worker(serve, hold, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("a")
    flags = ("--static", f"/static/={tmp_path}/files")
    server = serve("held:application", *ONE, *flags, env=hold.environment)
    with server.wire() as held:
        held.ask("GET", "/")
        hold.await_entered(1)
        assert server.get("/static/a.txt").text == "a"
        hold.let_go()
        assert held.hear().status == 200


def test_client_that_leaves_while_the_app_works_gives_the_worker_back(serve, hold):
    server = serve("held:application", *ONE, env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/")
        hold.await_entered(1)
    [record] = server.records(1)
    assert record["status"] == 499
    # The app cannot be stopped in the middle; its worker is busy until it comes back.
    assert server.status()["requests_in_flight"] == 1
    hold.let_go()
    server.await_in_flight(0)
    assert server.get("/free").status == 200
    eventually(lambda: len(server.access_records()) == 2)


def test_requests_that_a_frozen_worker_leaves_lying_go_to_another_one(serve):
    server = serve("hello:application", "--workers", "2", "--timeout", "0")
    frozen, free = server.worker_pids()
    os.kill(frozen, signal.SIGSTOP)
    try:
        pids = [server.get("/").headers["X-Pid"] for _ in range(8)]
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert pids == [str(free)] * 8
    eventually(lambda: server.get("/").headers["X-Pid"] == str(frozen))
