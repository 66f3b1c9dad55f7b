"""Applications that fail, leave, or never return; clients that leave; a disk that is full."""

import contextlib
import http.client
import resource

import pytest

from .server import eventually, is_alive
from .test_seen import Admin
from .wire import chunked

#: One request at a time.
ONE = ("--workers", "1", "--threads", "1")
#: An application that says more than its client takes waits for it.
WAITS = ("--max-answer-spool", "0")
CUT = (http.client.IncompleteRead, ConnectionResetError)


def test_app_that_raises_is_answered_with_500_and_its_traceback_is_in_stderr_alone(serve):
    server = serve("wrong:application", *ONE)
    with server.wire() as wire:
        answer = wire.get("/raises")
        assert answer.status == 500
        assert b"secret" not in answer.body
        assert "Traceback (most recent call last):" in server.stderr
        assert "LookupError: the secret of the traceback" in server.stderr
        assert wire.get("/fine").status == 200
    record = server.last_records()[0]
    assert (record["status"], record["fault"]) == (500, "app")


def test_app_that_raises_in_the_middle_of_its_answer_cuts_the_connection(serve):
    server = serve("wrong:application", *ONE)
    with server.wire() as wire:
        wire.ask("GET", "/raises_late")
        with pytest.raises(CUT):
            wire.hear()
        assert wire.is_closed_by_server()
    assert "after the answer had begun" in server.stderr
    assert "LookupError: the secret of the traceback" in server.stderr
    [record] = server.last_records()
    assert record["status"] == 200
    assert "the application failed" in record["reason"]


def test_app_that_raises_in_close_has_answered_already(serve):
    server = serve("wrong:application", *ONE)
    with server.wire() as wire:
        assert wire.get("/raises_in_close").body == b"complete"
        assert wire.get("/fine").status == 200
    assert "LookupError: the secret of the traceback" in server.stderr


def test_app_that_raises_does_not_lose_its_worker(serve):
    server = serve("wrong:application", *ONE)
    pids = server.worker_pids()
    for _ in range(5):
        server.get("/raises")
    assert server.worker_pids() == pids


def test_thread_that_cannot_be_started_is_asked_for_again(serve, hold):
    flags = ("--workers", "1", "--threads", "2")
    server = serve("threadless:application", *flags, env=hold.environment)
    with server.wire() as held:
        held.ask("GET", "/")
        hold.await_entered(1)
        assert server.get("/free").body == b"done"
        assert "no other thread can be started: can't start new thread; raise" in server.stderr
        hold.let_go()
        assert held.hear().body == b"done"


def test_sys_exit_ends_the_request_and_not_the_worker(serve):
    server = serve("wrong:application", *ONE)
    pids = server.worker_pids()
    assert server.get("/exits").status == 500
    assert "SystemExit" in server.stderr
    assert server.get("/fine").status == 200
    assert server.worker_pids() == pids


def test_app_that_calls_sys_exit_in_a_worker_with_threads_loses_no_thread(serve, hold):
    server = serve(
        "held:application",
        "--workers",
        "1",
        "--threads",
        "2",
        "--timeout",
        "2s",
        env=hold.environment,
    )
    for turn in range(1, 4):
        assert server.get("/exit").status in (500, 502)
        with server.wire() as first, server.wire() as second:
            for wire in (first, second):
                wire.ask("GET", "/")
            # Both run at once, as two threads can.
            hold.await_entered(2 * turn)
            hold.let_go(2)
            assert first.hear().status == second.hear().status == 200


def test_app_that_ends_its_process_is_replaced(serve):
    server = serve("wrong:application", *ONE)
    [pid] = server.worker_pids()
    assert server.request("POST", "/dies", body=b"x").status == 502
    server.await_workers(1, but=pid)
    assert server.get("/fine").status == 200


def test_safe_request_that_kills_every_worker_is_given_up_after_the_second(serve):
    server = serve("wrong:application", "--workers", "2")
    assert server.get("/dies").status == 502
    server.await_workers(2)
    assert server.status()["supervisor"]["workers_died"] == 2
    assert server.get("/fine").status == 200


def test_app_that_never_returns_is_answered_with_504_and_its_worker_replaced(serve, hold):
    server = serve("held:application", *ONE, "--timeout", "500ms", env=hold.environment)
    assert server.get("/").status == 504
    [stuck] = hold.entered()
    server.await_workers(1, but=stuck)
    assert not is_alive(stuck)
    assert server.get("/free").status == 200
    record = server.last_records()[0]
    assert (record["status"], record["fault"]) == (504, "app")


def test_traceback_of_a_stuck_worker_shows_where_it_was(serve, hold):
    server = serve("held:application", *ONE, "--timeout", "500ms", env=hold.environment)
    assert server.get("/").status == 504
    eventually(lambda: "in stop_here" in server.stderr)
    eventually(lambda: "is stuck in a request" in server.stderr)
    assert "held.py" in server.stderr


def test_app_that_stops_in_the_middle_of_its_answer_is_cut(serve, hold):
    server = serve("held:application", *ONE, "--timeout", "500ms", env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/half")
        response = wire.begin()
        assert response.read(6) == b"first,"
        with pytest.raises(CUT):
            response.read()
    assert server.get("/free").status == 200
    record = server.last_records()[0]
    assert "took too long" in record["reason"]


def test_stuck_thread_costs_no_request_of_the_threads_beside_it(serve, tmp_path):
    flags = ("--workers", "1", "--timeout", "500ms", "--admin", "127.0.0.1:0", *WAITS)
    server = serve("stream:application", *flags, env={"STREAM": str(tmp_path)})
    progress = tmp_path / "progress"
    with server.wire(receive_buffer=4096) as slow:
        slow.ask("GET", "/sized?64")
        response = slow.begin()
        eventually(lambda: progress.read_text().count("\n") > 4)
        assert server.get("/stuck?0").status == 504
        eventually(lambda: "worker 1 is stuck" in server.stderr)
        assert len(response.read()) == 64 << 20
    eventually(lambda: "worker 1 is stuck in a request; its traceback" in server.stderr)
    told = [line for line in server.stderr.splitlines() if line.startswith("warning: ")]
    assert told[0].startswith("warning: a thread of worker 1 is stuck in a request; another")
    incidents = Admin.of(server)
    for incident, count in (("hampered", 1), ("stuck", 1), ("spent", 0)):
        assert incidents.sum("yett_worker_incidents_total", incident=incident) == count


def test_stuck_request_does_not_take_its_neighbours_in_other_workers_along(serve, hold):
    flags = ("--workers", "2", "--timeout", "500ms")
    server = serve("held:application", *flags, env=hold.environment)
    with server.wire() as stuck, server.wire() as other:
        stuck.ask("GET", "/")
        hold.await_entered(1)
        for _ in range(20):
            assert other.get("/free").status == 200
        assert stuck.hear().status == 504
        assert other.get("/free").status == 200


def test_slow_client_is_no_reason_to_replace_a_worker(serve, tmp_path):
    flags = ("--workers", "2", "--timeout", "300ms", *WAITS)
    server = serve("stream:application", *flags, env={"STREAM": str(tmp_path)})
    progress = tmp_path / "progress"
    with server.wire(receive_buffer=4096) as slow:
        slow.ask("GET", "/sized?64")
        response = slow.begin()
        eventually(lambda: progress.read_text().count("\n") > 4)
        # Two requests that never return, one after the other, take twice the limit.
        for _ in range(2):
            assert server.get("/stuck?0").status == 504
        assert len(response.read()) == 64 << 20
    # A worker with a stuck thread lives until its others are done; both may have been of one.
    eventually(lambda: server.status()["supervisor"]["workers_died"] >= 1)


def test_client_that_leaves_in_the_middle_of_its_body_leaves_a_record_and_no_worker(serve):
    server = serve("echo:application", *ONE)
    with server.wire() as wire:
        wire.ask("POST", "/", "Content-Length: 1000000")
        wire.send(b"x" * 500_000)
    [record] = server.records(1)
    assert record["worker"] is None
    assert record["fault"] in ("client", None)
    assert record["status"] in (400, 499)
    assert server.get("/").status == 200
    assert len(server.last_records()) == 2


def test_client_that_leaves_in_the_middle_of_a_chunk_leaves_a_record(serve):
    server = serve("echo:application", *ONE)
    with server.wire() as wire:
        wire.ask("POST", "/", "Transfer-Encoding: chunked")
        wire.send(chunked(b"x" * 100)[:50])
    [record] = server.records(1)
    assert record["worker"] is None
    assert server.get("/").status == 200


def test_client_that_leaves_in_the_middle_of_an_answer_frees_the_worker(serve, tmp_path):
    server = serve("stream:application", *ONE, env={"STREAM": str(tmp_path)})
    with server.wire() as wire:
        wire.ask("GET", "/sized?4096")
        wire.begin()
    [record] = server.records(1)
    assert record["status"] == 200
    # Perhaps none: the client may leave between the head and the first piece.
    assert record["bytes"] < 4096 << 20
    server.await_in_flight(0)
    assert server.get("/?1").status == 200


def no_large_files() -> None:
    """Let every write beyond 1 MiB of a file fail, as a full disk would."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_body_that_finds_no_room_is_answered_with_507_and_the_server_goes_on(serve, coding):
    server = serve("echo:application", preexec_fn=no_large_files)
    body = b"x" * (2 << 20)
    with server.wire() as wire:
        if coding == "length":
            wire.ask("POST", "/", f"Content-Length: {len(body)}")
        else:
            wire.ask("POST", "/", "Transfer-Encoding: chunked")
        # The refusal may come, and the connection close, before all is sent.
        with contextlib.suppress(ConnectionError):
            wire.send(body if coding == "length" else chunked(body))
        assert wire.hear("POST").status == 507
    assert server.request("POST", "/", body=body[: 1 << 19]).json()["length"] == 1 << 19
    record = server.last_records()[0]
    assert (record["status"], record["fault"], record["worker"]) == (507, "yett", None)


def test_spool_folder_that_vanishes_is_answered_with_507(serve, tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    server = serve("echo:application", "--spool-dir", str(spool))
    spool.rmdir()
    assert server.request("POST", "/", body=b"x" * 100_000).status == 507
    assert server.request("POST", "/", body=b"x" * 1000).status == 200


def test_traceback_that_nobody_reads_costs_its_request_alone(serve, tmp_path):
    """The reader of stderr is gone: what cannot be written must not end a thread."""
    server = serve("wrong:application", "--workers", "1", "--threads", "2")
    pids = server.worker_pids()
    for _ in range(6):
        assert server.get("/raises_with_closed_stderr").status == 500
    assert server.worker_pids() == pids
    assert server.get("/fine").status == 200


CAME_BACK = "which the application forked in a request, came back from it"


@pytest.mark.parametrize("app", ["application", "looped"])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_child_that_comes_back_from_a_request_ends_and_its_parent_answers(serve, app, threads):
    server = serve(f"forking:{app}", "--workers", "1", "--threads", threads)
    pids = server.worker_pids()
    for path in ("/answered", "/streamed", "/written"):
        assert server.get(path).body == b"1"
    assert server.stderr.count(CAME_BACK) == 3
    assert server.get("/raised").body == b"1"
    assert f"{CAME_BACK}; it raised <class 'LookupError'>" in server.stderr
    assert server.worker_pids() == pids
    assert "Segmentation fault" not in server.stderr


@pytest.mark.parametrize("app", ["application", "looped"])
def test_child_that_calls_sys_exit_ends_as_it_says(serve, app):
    server = serve(f"forking:{app}", "--workers", "1")
    pids = server.worker_pids()
    assert server.get("/exited").body == b"7"
    assert server.get("/quiet").body == b"0"
    assert "the last words of the child" in server.stdout
    assert CAME_BACK not in server.stderr
    assert server.worker_pids() == pids


def test_server_without_descriptors_says_so_and_makes_room(serve):
    few = 80

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, few))

    server = serve("hello:application", "--workers", "1", preexec_fn=limit)
    with contextlib.ExitStack() as stack:
        for _ in range(few):
            wire = stack.enter_context(server.wire())
            # Whoever has had an answer makes room for those that come.
            assert wire.get("/").status == 200
    told = "connections cannot be accepted: Too many open files"
    eventually(lambda: server.stderr.count(told) == 1)
    assert server.get("/").status == 200
