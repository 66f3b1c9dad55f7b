"""Workers are killed and releases replaced under clients of all kinds, by seeded chance.

`make soak` goes on for minutes; here it is a few seconds of the same. `YETT_SOAK_SEED` repeats what
was done to the server and asked of it, though not the moment of each.
"""

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from .server import Server, eventually, memory
from .soak import Account, Soak

SECONDS = float(os.environ.get("YETT_SOAK_SECONDS", "5"))
SEED = int(os.environ.get("YETT_SOAK_SEED") or random.randrange(1 << 32))

#: What the edge may have grown by: room that its allocator keeps, and a file or two on their way.
MOST_GROWN = 48 << 20
MOST_DESCRIPTORS = 6

WSGI = {"fast": 4, "slow": 3, "stream": 2, "upload": 3, "leave": 3}
ASGI = {**WSGI, "talk": 2}


def descriptors(server: Server) -> int:
    """Return how many files the edge has open."""
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def is_at_rest(server: Server) -> bool:
    """Whether all workers of one generation are ready, and nothing is asked."""
    status = server.status()
    generations = status["supervisor"]["generations"]
    quiet = status["requests_in_flight"] == status["requests_waiting"] == 0
    return quiet and len(generations) == 1 and len(server.worker_pids()) == 3


def check_requests(account: Account, executed: Counter[str]) -> None:
    """Every answer was right, and nothing unsafe happened twice or was forgotten."""
    assert not account.faults, account.faults[:10]
    assert max(executed.values(), default=0) <= 1, executed.most_common(3)
    assert not [name for name in account.done if executed[name] != 1]
    right = account.answers.count(200)
    assert right >= 0.9 * len(account.answers), Counter(account.answers)
    # What was cut was at a worker that was killed, or at a release that had to go.
    assert len(account.cuts) <= 20 * (len(account.kills) + len(account.reloads)), account.cuts[:10]


def check_records(account: Account, records: Counter[str]) -> None:
    """One access record for each request that came whole, at most one for every other."""
    missing = [name for name in account.asked if records[name] == 0]
    # A connection may have been closed just when the client asked on it.
    assert len(missing) <= len(account.cuts), missing[:10]
    twice = {name: count for name, count in records.items() if count > 1}
    assert not twice, twice
    assert not set(records) - set(account.asked) - set(account.broken_off)


@pytest.mark.parametrize(
    ("app", "kinds"),
    [
        pytest.param("soaked:application", WSGI, id="wsgi"),
        pytest.param("soaked:looped", ASGI, id="asgi"),
    ],
)
def test_killed_workers_and_reloads_cost_no_answer_its_truth(
    app: str, kinds: dict[str, int], serve: Callable[..., Server], tmp_path: Path
) -> None:
    print(f"YETT_SOAK_SEED={SEED}")
    note = tmp_path / "executed"
    note.touch()
    server = serve(app, "--workers", "3", "--threads", "2", env={"SOAKED": str(note)})
    # What it takes once for all: the allocator's room, threads, tables.
    warm = Soak(server, SEED, kinds, "warm")
    warm.go(min(SECONDS / 4, 10), between=(0.5, 1.0))
    eventually(lambda: is_at_rest(server), within=60)
    before = (memory(server.pid), descriptors(server))

    soak = Soak(server, SEED, kinds, "soak")
    soak.go(SECONDS, between=(0.3, 1.5))
    eventually(lambda: is_at_rest(server), within=60)
    eventually(lambda: descriptors(server) <= before[1] + MOST_DESCRIPTORS)
    assert memory(server.pid) <= before[0] + MOST_GROWN

    executed = Counter(note.read_text().splitlines())
    for account in (warm.account, soak.account):
        check_requests(account, executed)
    records = Counter(
        record["target"].rpartition("/")[2]
        for record in server.last_records()
        if record["target"].count("/") == 3
    )
    print(len(soak.account.answers), "answers", Counter(soak.account.answers), soak.account.kills)
    check_records(both(warm.account, soak.account), records)


def both(one: Account, two: Account) -> Account:
    """Return what two accounts say together."""
    return Account(**{name: getattr(one, name) + getattr(two, name) for name in vars(one)})
