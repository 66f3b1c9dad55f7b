"""Clients of many kinds, and somebody who kills workers and reloads, all by one seeded chance.

Every client keeps account of what it asked and heard; `test_soak.py` holds that against what the
application did and what the server wrote down.
"""

import contextlib
import hashlib
import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from websockets import WebSocketException
from websockets.sync.client import connect

from .apps.soaked import derived
from .server import Server, is_alive, of_session
from .wire import PATIENCE, Wire

#: What a client may be told whose worker was killed, or who found all of them gone.
EXCUSED = {502, 503}

#: The longest pause within an upload, in seconds: the shape of the load, nothing to wait for.
BREATH = 0.002


@dataclass
class Account:
    """What all clients saw. Lists grow by single appends, which threads may do."""

    #: Names of requests whose head was sent whole, and of those that were not.
    asked: list[str] = field(default_factory=list)
    broken_off: list[str] = field(default_factory=list)
    #: Names of unsafe requests that were answered with 200.
    done: list[str] = field(default_factory=list)
    #: Status of every answer that came whole.
    answers: list[int] = field(default_factory=list)
    #: Answers that were cut, as their worker was killed.
    cuts: list[str] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)
    kills: list[int] = field(default_factory=list)
    reloads: list[int] = field(default_factory=list)
    #: What must not be.
    faults: list[str] = field(default_factory=list)


class Client(threading.Thread):
    """One client; it does the same kind of thing until it is told to end."""

    def __init__(self, soak: "Soak", kind: str, number: int) -> None:
        super().__init__(name=f"{soak.label}-{kind}-{number}", daemon=True)
        self._soak = soak
        self._account = soak.account
        self._chance = random.Random(f"{soak.seed}/{self.name}")
        self._deed: Callable[[], None] = getattr(self, kind)
        self._wire: Wire | None = None
        self._count = 0
        self._last = ""

    def run(self) -> None:
        """Ask until the end."""
        while not self._soak.ending.is_set():
            try:
                self._deed()
            except TimeoutError:
                self._account.faults.append(f"{self.name}: no answer to {self._last}")
                self._hang_up()
            except (OSError, http.client.HTTPException, WebSocketException) as error:
                # The server closes a connection only with an answer that it could not end.
                self._account.cuts.append(f"{self.name}: {error!r} at {self._last}")
                self._hang_up()
            except Exception as error:
                self._account.faults.append(f"{self.name}: {error!r} at {self._last}")
                return
        self._hang_up()

    def _next(self, what: str, length: int = 0) -> tuple[str, str]:
        self._count += 1
        self._last = f"{self.name}-{self._count}"
        return self._last, f"/{what}/{length}/{self._last}"

    def _connection(self) -> Wire:
        if self._wire is None:
            self._wire = self._soak.server.wire()
        return self._wire

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _hear(self, expected: bytes) -> int:
        answer = self._connection().hear()
        self._account.answers.append(answer.status)
        if answer.status == 200:
            if answer.body != expected:
                self._account.faults.append(f"wrong answer to {self._last}")
        elif answer.status not in EXCUSED:
            self._account.faults.append(f"{answer.status} for {self._last}")
        if answer.headers["Connection"] == "close":
            self._hang_up()
        return answer.status

    def _get(self, what: str, length: int) -> None:
        name, target = self._next(what, length)
        wire = self._connection()
        self._account.asked.append(name)
        wire.ask("GET", target)
        self._hear(derived(name, length))

    def fast(self) -> None:
        """Ask for little, one after the other on one connection."""
        self._get("plain", self._chance.randrange(2000))

    def slow(self) -> None:
        """Ask for what takes a while."""
        self._get("slow", 10)

    def stream(self) -> None:
        """Ask for much, in pieces."""
        self._get("stream", self._chance.randrange(600_000))

    def upload(self) -> None:
        """Send a body, now and then slowly."""
        name, target = self._next("once")
        body = derived(name, self._chance.choice([10, 3000, 70_000, 300_000]))
        wire = self._connection()
        self._account.asked.append(name)
        wire.ask("POST", target, f"Content-Length: {len(body)}")
        pieces = self._chance.randrange(1, 12)
        for at in range(0, len(body), len(body) // pieces + 1):
            wire.send(body[at : at + len(body) // pieces + 1])
            time.sleep(self._chance.random() * BREATH)
        if self._hear(hashlib.sha256(body).hexdigest().encode()) == 200:
            self._account.done.append(name)

    def leave(self) -> None:
        """Leave at any moment: within the head, the body or the answer."""
        what = self._chance.choice(["once", "slow", "stream", "plain"])
        name, target = self._next(what, 200_000)
        method, length = ("POST", 5000) if what == "once" else ("GET", 0)
        head = f"{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode()
        said = (head + derived(name, length))[: self._chance.randrange(1, len(head) + length + 1)]
        if self._chance.random() < 0.7:
            said = head + derived(name, length)
        whole = len(said) >= len(head)
        with self._soak.server.wire() as wire:
            (self._account.asked if whole else self._account.broken_off).append(name)
            wire.send(said)
            if whole and self._chance.random() < 0.7:
                time.sleep(self._chance.random() * 10 * BREATH)
            if len(said) == len(head) + length and self._chance.random() < 0.5:
                wire.socket.recv(self._chance.randrange(1, 5000))

    def talk(self) -> None:
        """Say something over a WebSocket and hear it again, for a while."""
        name, target = self._next("talk")
        address = self._soak.server.address.replace("http://", "ws://")
        self._account.asked.append(name)
        with connect(address + target, open_timeout=PATIENCE, close_timeout=PATIENCE) as socket:
            for turn in range(self._chance.randrange(60)):
                said = derived(f"{name}/{turn}", self._chance.randrange(20_000))
                text = self._chance.random() < 0.5
                socket.send(said, text=text)
                heard = socket.recv(timeout=PATIENCE)
                if heard != (said.decode() if text else said):
                    self._account.faults.append(f"wrong message to {self._last}")
                self._account.messages.append(len(said))


class Soak:
    """A server under its clients."""

    def __init__(self, server: Server, seed: int, kinds: dict[str, int], label: str) -> None:
        """Prepare so many clients of each kind; `label` begins all their names."""
        self.server = server
        self.seed = seed
        self.label = label
        self.account = Account()
        self.ending = threading.Event()
        self._chance = random.Random(f"{seed}/{label}")
        self._clients = [
            Client(self, kind, number) for kind, count in kinds.items() for number in range(count)
        ]

    def go(self, seconds: float, *, between: tuple[float, float]) -> None:
        """Let them ask for so long, and something befall the server after each pause."""
        for client in self._clients:
            client.start()
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until and not self.account.faults:
                self.ending.wait(self._chance.uniform(*between))
                self._befall()
        finally:
            self.ending.set()
            # A client waits for nothing longer than PATIENCE, a few times at most.
            late = time.monotonic() + 4 * PATIENCE
            for client in self._clients:
                client.join(max(late - time.monotonic(), 0))
        self.account.faults += [f"{each.name} hangs" for each in self._clients if each.is_alive()]

    def _befall(self) -> None:
        if self._chance.random() < 0.25:
            self.server.send_signal(signal.SIGHUP)
            self.account.reloads.append(1)
            return
        workers = self.server.worker_pids()
        if not workers:
            return
        pid = self._chance.choice(workers)
        # Of this server's own session, and still there.
        if pid in of_session(self.server.pid) and is_alive(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self.account.kills.append(pid)
