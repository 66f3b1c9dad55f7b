"""ASGI applications through the program: requests, limits, faults, and how workers end."""

import concurrent.futures
import os
import shutil
import signal

import pytest

from .conftest import APPS
from .server import eventually

ONE = ("--workers", "1")
APP = "looped:application"


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_application_is_seen_to_be_asgi(serve, loop):
    server = serve(APP, *ONE, "--loop", loop)
    assert "(ASGI)" in server.stderr
    assert "1000 requests\n" in server.stderr
    answer = server.get("/")
    assert (answer.status, answer.body) == (200, b"hello\n")
    assert server.get("/state").body == b"True"


def test_bodies_go_both_ways(serve):
    server = serve(APP, *ONE)
    for size in (0, 100, 65_536, 300_000):
        body = os.urandom(size)
        assert server.request("POST", "/echo", body=body).body == body
    body = server.get("/stream").body
    assert body == b"".join(bytes([number]) * 65_536 for number in range(64)) + b"end"
    head = server.request("HEAD", "/")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == "6"


def test_one_worker_runs_many_requests_at_once(serve):
    server = serve(APP, *ONE)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(server.get, ["/meets?20"] * 20))
    assert [answer.status for answer in answers] == [200] * 20


def test_requests_above_the_concurrency_wait_in_the_queue(serve):
    limits = ("--concurrency", "2", "--queue-timeout", "100ms", "--timeout", "1s")
    # The application goes on for ever with what nobody waits for.
    server = serve(APP, *ONE, *limits, "--graceful-timeout", "100ms")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(server.get, ["/meets?9"] * 3))
    assert sorted(answer.status for answer in answers) == [503, 504, 504]


def test_failing_request_fails_alone(serve):
    server = serve(APP, *ONE)
    pid = server.get("/").headers["X-Pid"]
    assert server.get("/raises").status == 500
    assert server.get("/leaves").status == 500
    assert server.get("/").headers["X-Pid"] == pid
    assert "ValueError: the reason" in server.stderr
    assert "SystemExit: 3" in server.stderr
    records = server.records(4)
    assert [record["status"] for record in records] == [200, 500, 500, 200]


def test_client_that_leaves_is_told_to_the_application(serve):
    server = serve(APP, *ONE)
    with server.wire() as wire:
        wire.ask("GET", "/waits")
        # It is in the worker when another one beside it has been answered.
        assert server.get("/").status == 200
    eventually(lambda: "waits: disconnected" in server.stderr)


def test_request_that_takes_too_long_is_given_up_alone(serve):
    server = serve(APP, *ONE, "--timeout", "500ms")
    pid = server.get("/").headers["X-Pid"]
    assert server.get("/waits").status == 504
    eventually(lambda: "waits: disconnected" in server.stderr)
    assert server.get("/").headers["X-Pid"] == pid


LATE = "took longer than --timeout and was given up: GET "


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("how", ["calls", "task", "wait_for", "wait", "gather", "group"])
def test_request_that_takes_too_long_is_shown_where_it_stands(serve, how, loop):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    if how == "group":
        pytest.importorskip("anyio")
    limits = ("--timeout", "500ms", "--graceful-timeout", "1s")
    server = serve(APP, *ONE, *limits, "--loop", loop)
    assert server.get(f"/awaits?{how}").status == 504
    eventually(lambda: "await asyncio.sleep(3600)" in server.stderr)
    _, _, told = server.stderr.partition(f"{LATE}'/awaits'")
    # The way down, in its order.
    names = ["in application", "in awaits", "in middle", "in innermost"]
    places = [told.index(name) for name in names]
    assert places == sorted(places)


def test_thread_of_a_request_that_takes_too_long_is_shown(serve):
    server = serve(APP, *ONE, "--timeout", "500ms", "--graceful-timeout", "1s")
    assert server.get("/awaits?thread").status == 504
    eventually(lambda: "in blocks_in_a_thread" in server.stderr)


def test_few_of_many_late_requests_are_shown_and_little_of_each(serve):
    server = serve(APP, *ONE, "--timeout", "500ms", "--graceful-timeout", "1s")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(server.get, ["/awaits?deep"] * 20))
    assert [answer.status for answer in answers] == [504] * 20
    # Another turn of the loop: all that it had to say is said.
    assert server.get("/").status == 200
    eventually(lambda: server.stderr.count("in innermost") == 5)
    assert server.stderr.count(LATE) == 5
    assert server.stderr.count("in deep") < 5 * 30


def test_loop_that_is_blocked_is_replaced_with_a_traceback(serve):
    server = serve(APP, *ONE, "--timeout", "500ms")
    pid = server.get("/").headers["X-Pid"]
    assert server.get("/blocks").status == 504
    eventually(lambda: "in blocks" in server.stderr)

    def answered_by_another():
        answer = server.get("/")
        return answer.status == 200 and answer.headers["X-Pid"] != pid

    eventually(answered_by_another)


def test_requests_that_a_blocked_loop_leaves_lying_go_to_another_worker(serve):
    flags = ("--workers", "2", "--timeout", "0", "--graceful-timeout", "1s")
    server = serve(APP, *flags)
    wires = [server.wire() for _ in range(4)]
    # So the blocked loop is the one with the fewest requests.
    for wire, path in zip(wires, ["/blocks", "/waits", "/waits", "/waits"], strict=True):
        wire.ask("GET", path)
    server.await_in_flight(4)
    answers = [server.get("/") for _ in range(4)]
    assert [answer.status for answer in answers] == [200] * 4
    assert len({answer.headers["X-Pid"] for answer in answers}) == 1
    for wire in wires:
        wire.close()


def test_work_behind_an_answer_is_finished_before_a_worker_leaves(serve, tmp_path):
    notes = tmp_path / "notes"
    server = serve(APP, *ONE, env={"NOTES": str(notes)})
    assert server.get("/later").status == 200
    assert server.stop() == 0
    assert notes.read_text() == "done"
    assert "lifespan: stopped" in server.stderr


def test_reload_stops_the_old_workers_in_order(serve):
    server = serve(APP, *ONE)
    pid = server.get("/").headers["X-Pid"]
    os.kill(server.pid, signal.SIGHUP)
    eventually(lambda: server.get("/").headers["X-Pid"] != pid)
    eventually(lambda: "lifespan: stopped" in server.stderr)


def test_application_that_fails_to_start_is_not_served(yett, tmp_path):
    done = yett(
        "serve",
        APP,
        *ONE,
        *("--bind", "127.0.0.1:0", "--chdir", str(APPS)),
        env={"LIFESPAN_FAILS": "no database there"},
    )
    assert done.code != 0
    assert "the application's lifespan failed to start: no database there" in done.err


def test_interface_that_is_said_serves_what_does_not_show_it(serve, tmp_path):
    (tmp_path / "opaque.py").write_text(
        "import looped\ndef application(*args):\n    return looped.application(*args)\n"
    )
    shutil.copy(APPS / "looped.py", tmp_path)
    server = serve("opaque", *ONE, "--interface", "asgi", folder=tmp_path)
    assert server.get("/").body == b"hello\n"


def test_reload_ends_a_stream_in_time_for_its_worker_to_stop_in_order(serve):
    server = serve(APP, *ONE, "--graceful-timeout", "1s")
    pid = server.get("/").headers["X-Pid"]
    with server.wire() as wire:
        wire.ask("GET", "/ticks")
        assert wire.begin().read1().startswith(b"tick")
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: server.get("/").headers["X-Pid"] != pid)
        eventually(lambda: "lifespan: stopped" in server.stderr)
    assert "ticks: disconnected" in server.stderr


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("leaves", [False, True], ids=["client stays", "client leaves"])
@pytest.mark.parametrize("ends", [signal.SIGHUP, signal.SIGTERM])
def test_coroutine_that_only_sends_is_cancelled_before_its_worker_stops(serve, ends, leaves, loop):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    server = serve(APP, *ONE, "--graceful-timeout", "1s", "--loop", loop)
    with server.wire() as wire:
        wire.ask("GET", "/sends")
        assert wire.begin().read1().startswith(b"tick")
        if leaves:
            wire.close()
        os.kill(server.pid, ends)
        eventually(lambda: "lifespan: stopped" in server.stderr)
    # In this order, and nobody had to be killed for it.
    assert server.stderr.index("sends: ended") < server.stderr.index("lifespan: stopped")
    assert "did not finish within the graceful timeout" not in server.stderr


def test_coroutine_that_cannot_be_cancelled_keeps_no_lifespan_from_its_end(serve):
    server = serve(APP, *ONE, "--graceful-timeout", "1s")
    with server.wire() as wire:
        wire.ask("GET", "/stays")
        assert wire.begin().read1() == b"tick\n"
        assert server.command("reload").returncode == 0
        eventually(lambda: "lifespan: stopped" in server.stderr)
