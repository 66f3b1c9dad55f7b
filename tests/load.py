"""Clients that ask all the time, each on one connection, while a test does something to the server.

A request counts as failed if it is not answered with 200, and also if the server closes the
connection after it: nothing that happens behind the edge may reach a client.
"""

import threading

from .server import Server, eventually
from .wire import Answer, Wire


class Load:
    """Several clients; a context manager. Leaving it ends them and checks that nothing failed."""

    def __init__(self, server: Server, *, clients: int = 3, target: str = "/") -> None:
        """Prepare the clients."""
        self._address = server.address
        self._target = target
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        self._lock = threading.Lock()
        self.count = 0
        self.failures: list[str] = []
        self.bodies: set[bytes] = set()
        self.workers: set[str | None] = set()

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        self.go_on()
        return self

    def __exit__(self, kind: object, *_exc: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()
        if kind is None:
            assert not self.failures, self.failures

    def go_on(self, count: int = 20) -> None:
        """Wait until so many further requests were answered."""
        wanted = self.count + count
        eventually(lambda: self.count >= wanted or self.failures)
        assert not self.failures, self.failures

    def _ask(self) -> None:
        with Wire(self._address) as wire:
            while not self._ending.is_set():
                try:
                    answer = wire.get(self._target)
                except Exception as error:
                    self._fail(repr(error))
                    return
                if answer.status != 200 or answer.headers["Connection"] == "close":
                    self._fail(f"{answer.status}: {answer.body!r}")
                    return
                self._take(answer)

    def _take(self, answer: Answer) -> None:
        with self._lock:
            self.count += 1
            self.bodies.add(answer.body)
            self.workers.add(answer.headers["X-Pid"])

    def _fail(self, why: str) -> None:
        with self._lock:
            self.failures.append(f"after {self.count} requests: {why}")
