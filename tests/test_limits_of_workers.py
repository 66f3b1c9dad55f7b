"""The bounds of the queue and of workers, from both sides: what just fits, and what is one over."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .hold import Hold
from .met import ADMIN, ONE, await_failures, incidents
from .server import Server, eventually
from .test_seen import Admin

Serve = Callable[..., Server]
#: An application that nobody asks.
FINE = "def application(environ, start_response):\n    pass\n"


def test_request_beyond_the_queue_is_refused_and_counted(serve: Serve, hold: Hold) -> None:
    server = serve("held:application", *ONE, *ADMIN, "--queue", "1", env=hold.environment)
    with server.wire() as first, server.wire() as second:
        first.ask("GET", "/")
        hold.await_entered(1)
        second.ask("GET", "/free")
        server.await_waiting(1)
        await_failures(server)
        assert server.get("/free").status == 503
        await_failures(server, queue_full=1)
        hold.let_go()
        assert first.hear().status == second.hear().status == 200
    await_failures(server, queue_full=1)


@pytest.mark.parametrize(("patience", "status"), [("1h", 200), ("100ms", 503)])
def test_request_waits_for_the_queues_time_and_no_longer(
    serve: Serve, hold: Hold, patience: str, status: int
) -> None:
    flags = (*ONE, *ADMIN, "--queue-timeout", patience)
    server = serve("held:application", *flags, env=hold.environment)
    with server.wire() as held, server.wire() as late:
        held.ask("GET", "/")
        hold.await_entered(1)
        late.ask("GET", "/free")
        if status == 503:
            assert late.hear().status == 503
            await_failures(server, queue_timeout=1)
        else:
            server.await_waiting(1)
        hold.let_go()
        assert held.hear().status == 200
        if status == 200:
            assert late.hear().status == 200
            await_failures(server)


@pytest.mark.parametrize(("patience", "status"), [("1h", 200), ("500ms", 504)])
def test_application_has_its_time_and_no_more(
    serve: Serve, hold: Hold, patience: str, status: int
) -> None:
    flags = (*ONE, *ADMIN, "--timeout", patience)
    server = serve("held:application", *flags, env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/")
        [pid] = hold.await_entered(1)
        if status == 200:
            hold.let_go()
        assert wire.hear().status == status
    if status == 200:
        await_failures(server)
        assert (incidents(server, "stuck"), server.worker_pids()) == (0, [pid])
    else:
        await_failures(server, timeout=1)
        eventually(lambda: incidents(server, "stuck") == 1)
        server.await_workers(1, but=pid)


@pytest.mark.parametrize("in_time", [True, False])
def test_import_has_its_time_and_no_more(serve: Serve, tmp_path: Path, in_time: bool) -> None:
    gate, app = tmp_path / "gate", tmp_path / "slow.py"
    app.write_text(FINE)
    patience = "1h" if in_time else "1s"
    server = serve("slow", *ADMIN, "--start-timeout", patience, folder=tmp_path)
    os.mkfifo(gate)
    app.write_text(f"open({str(gate)!r}).close()\n" + FINE)
    before = server.active()["generation"]
    with ThreadPoolExecutor() as pool:
        reload = pool.submit(server.command, "reload")
        if in_time:
            # It opens when the import is there to read.
            gate.open("w").close()
        assert (reload.result().returncode == 0) is in_time
    admin = Admin.of(server)
    assert admin.sum("yett_releases_total", outcome="failed") == int(not in_time)
    assert (server.active()["generation"] == before) is not in_time


def test_worker_is_replaced_after_its_last_request_and_not_before(serve: Serve, hold: Hold) -> None:
    flags = (*ONE, *ADMIN, "--max-requests", "3")
    server = serve("held:application", *flags, env=hold.environment)
    [pid] = server.worker_pids()
    for _ in range(2):
        assert server.get("/free").headers["X-Pid"] == str(pid)
    assert (incidents(server, "spent"), server.worker_pids()) == (0, [pid])
    assert server.get("/free").headers["X-Pid"] == str(pid)
    server.await_workers(1, but=pid)
    assert incidents(server, "spent") == 1


def test_worker_above_its_memory_is_counted_and_its_neighbour_is_not(serve: Serve) -> None:
    flags = ("--workers", "2", *ADMIN, "--max-rss", "64MiB")
    server = serve("large:application", *flags)
    grown = int(server.get("/grow").headers["X-Pid"])
    [other] = {*server.worker_pids()} - {grown}
    assert other in server.await_workers(2, but=grown)
    assert incidents(server, "too_large") == 1


@pytest.mark.parametrize("in_time", [True, False])
def test_grace_period_is_for_who_ends_within_it(serve: Serve, hold: Hold, in_time: bool) -> None:
    flags = (*ONE, *ADMIN, "--graceful-timeout", "1h" if in_time else "300ms")
    server = serve("held:application", *flags, env=hold.environment)
    with server.wire() as wire:
        wire.ask("POST", "/", body=b"x")
        hold.await_entered(1)
        assert server.command("reload").returncode == 0
        if in_time:
            hold.let_go()
        assert wire.hear("POST").status == (200 if in_time else 502)
    eventually(lambda: len(server.status()["supervisor"]["generations"]) == 1)
    assert incidents(server, "overstayed") == (0 if in_time else 1)


def test_stop_goes_on_when_its_delay_is_over(serve: Serve) -> None:
    """That it waits for a longer one is in `test_seen.py`."""
    server = serve("hello:application", *ONE, *ADMIN, "--drain-delay", "100ms")
    with server.wire() as wire:
        assert wire.get("/").status == 200
        assert server.stop(signal.SIGTERM) == 0
        assert wire.is_closed_by_server()
