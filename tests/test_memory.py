"""A bound on each worker's memory, and what the status says of it."""

from pathlib import Path
from typing import Any

from .load import Load
from .server import eventually, memory

MIB = 1 << 20


def test_worker_that_outgrows_its_memory_is_replaced_without_a_failed_request(serve):
    server = serve("large:application", "--workers", "2", "--max-rss", "64MiB")
    before = set(server.worker_pids())
    with Load(server) as load:
        grown = int(server.get("/grow").headers["X-Pid"])
        server.await_workers(2, but=grown)
        load.go_on()
    eventually(lambda: not Path(f"/proc/{grown}").exists())
    after = set(server.worker_pids())
    assert after & before == before - {grown}
    assert all(memory(pid) < 64 * MIB for pid in after)
    assert server.status()["supervisor"]["workers_died"] == 0
    [line] = [line for line in server.stderr.splitlines() if "max_rss" in line]
    assert line.startswith("warning: worker ")
    assert line.endswith("of memory, more than max_rss (64.0 MiB); it is replaced")


def one(workers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the workers if it is one."""
    return workers if len(workers) == 1 else []


def test_limit_below_what_the_app_needs_is_said_and_starts_no_loop(serve):
    flags = ("--workers", "1", "--max-rss", "80MiB")
    server = serve("large:application", *flags, env={"BALLAST": "100"})
    with Load(server) as load:
        eventually(lambda: "the limit is too low for this app" in server.stderr)
        load.go_on(100)
    # One was replaced, as that may be chance; its heir serves on.
    [worker] = eventually(lambda: one(server.active()["workers"]))
    assert (worker["worker"], worker["state"]) == (2, "ready")
    assert server.stderr.count("max_rss") == 2


def test_status_says_how_much_memory_each_worker_has(serve):
    server = serve("large:application", "--workers", "1", env={"BALLAST": "50"})
    [worker] = server.active()["workers"]
    assert worker["resident_bytes"] > 50 * MIB
    # As `ps` would say, up to what came and went in between.
    assert abs(worker["resident_bytes"] - memory(worker["pid"])) < 5 * MIB
    server.get("/grow")
    [worker] = server.active()["workers"]
    assert worker["resident_bytes"] > 110 * MIB
