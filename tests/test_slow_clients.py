"""Clients that are slow in every way, beside others that are not.

The small times and the high rates that the tests set end the slow ones; the others ask all the
while and miss nothing. Nothing here sleeps: who drips sends or takes a little whenever the others
were answered.
"""

import http.client
import select
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from .load import Load
from .met import ADMIN, ONE, await_met
from .server import Server, eventually
from .wire import HOST, Wire

#: Slow clients at a time.
MANY = 20
MIB = 1 << 20


@contextmanager
def slow_clients(server: Server, first: bytes, count: int = MANY) -> Iterator[list[Wire]]:
    """Open connections, each of which has sent this, and takes little at a time."""
    with ExitStack() as stack:
        opened = [stack.enter_context(server.wire(receive_buffer=4096)) for _ in range(count)]
        for wire in opened:
            wire.send(first)
        yield opened


def drip(wires: list[Wire], load: Load, some: Callable[[], bytes]) -> None:
    """Send a little on each of these, again and again, until all of them hear something."""

    def all_hear() -> bool:
        silent = [wire for wire in wires if not select.select([wire.socket], [], [], 0)[0]]
        for wire in silent:
            wire.send(some())
        load.go_on(1)
        return not silent

    eventually(all_hear)


def test_head_that_does_not_end_is_refused_in_time_however_it_drips(serve):
    server = serve("hello:application", *ONE, *ADMIN, "--head-timeout", "1s")
    head = b"GET / HTTP/1.1\r\n" + HOST
    with Load(server) as load, slow_clients(server, head + b"X-Drip: ") as slow:
        drip(slow[: MANY // 2], load, lambda: b".")
        for wire in slow:
            assert wire.rest().startswith(b"HTTP/1.1 408 ")
        load.go_on()
    await_met(server, head_time=MANY)


def test_head_in_pieces_within_its_time_is_answered(serve):
    server = serve("hello:application", *ONE, *ADMIN, "--head-timeout", "10s")
    with Load(server) as load, slow_clients(server, b"GET / HTTP/1.1\r\n") as slow:
        for piece in (HOST, b"X-Drip: .", b"\r\n\r\n"):
            load.go_on(1)
            for wire in slow:
                wire.send(piece)
        assert {wire.hear().status for wire in slow} == {200}
    await_met(server)


def test_body_that_stops_or_drips_is_refused_and_never_has_a_worker(serve):
    flags = ("--body-timeout", "1s", "--min-rate", "1MiB")
    server = serve("echo:application", *ONE, *ADMIN, *flags)
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % MIB
    with Load(server) as load, slow_clients(server, head + b"x") as slow:
        half = MANY // 2
        drip(slow[:half], load, lambda: b"x")
        for wire in slow:
            assert wire.rest().startswith(b"HTTP/1.1 408 ")
        load.go_on()
    await_met(server, body_rate=half, body_time=MANY - half)
    workers = {each.get("worker") for each in server.last_records() if each["status"] == 408}
    assert workers == {None}


def test_body_that_is_quick_enough_is_taken(serve):
    flags = ("--body-timeout", "10s", "--min-rate", "1B")
    server = serve("echo:application", *ONE, *ADMIN, *flags)
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 20\r\n\r\n"
    with Load(server) as load, slow_clients(server, head) as slow:
        for _ in range(20):
            load.go_on(1)
            for wire in slow:
                wire.send(b"x")
        assert {wire.hear().json()["length"] for wire in slow} == {20}
    await_met(server)


def test_client_that_takes_nothing_of_its_answer_is_cut_and_gives_its_thread_back(serve, tmp_path):
    (tmp_path / "slow").mkdir()
    flags = ("--workers", "1", "--threads", "4", "--send-timeout", "1s", *ADMIN)
    flags += ("--max-answer-spool", "0")
    server = serve("stream:application", *flags, env={"STREAM": str(tmp_path)})
    ask = b"GET /sized/slow?64 HTTP/1.1\r\n" + HOST + b"\r\n"
    # Others have the last of the worker's threads.
    with Load(server, target="/?0") as load, slow_clients(server, ask, 3) as slow:
        load.go_on(100)
        await_met(server, send_time=3)
        load.go_on()
        for wire in slow:
            with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
                wire.hear()
    assert server.status()["requests_in_flight"] == 0


def test_clients_that_take_nothing_of_their_answers_hold_no_thread(serve, tmp_path):
    (tmp_path / "slow").mkdir()
    server = serve("stream:application", *ONE, *ADMIN, env={"STREAM": str(tmp_path)})
    for target in (b"/sized/slow?8", b"/slow?8"):
        ask = b"GET %b HTTP/1.1\r\n" % target + HOST + b"\r\n"
        with slow_clients(server, ask) as slow:
            with Load(server, target="/?0") as load:
                load.go_on(100)
            server.await_in_flight(0)
            assert [len(wire.hear().body) for wire in slow] == [8 * MIB] * MANY
    await_met(server)


def test_client_that_takes_its_answer_slowly_gets_all_of_it(serve, tmp_path):
    (tmp_path / "slow").mkdir()
    flags = ("--workers", "1", "--threads", "4", "--send-timeout", "10s", *ADMIN)
    server = serve("stream:application", *flags, env={"STREAM": str(tmp_path)})
    ask = b"GET /sized/slow?4 HTTP/1.1\r\n" + HOST + b"\r\n"
    with Load(server, target="/?0") as load, slow_clients(server, ask, 3) as slow:
        answers = [wire.begin() for wire in slow]
        left = 4 * MIB
        while left:
            load.go_on(1)
            pieces = {len(answer.read(64 << 10)) for answer in answers}
            assert pieces == {64 << 10}
            left -= 64 << 10
    await_met(server)
