"""A contender that runs: started for a group of rows, asked over plain sockets, ended.

Everything is on 127.0.0.1. Only processes that were started here are ended, by their ids.
"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from .contenders import Contender, Place
from .processes import process_table, tree_of
from .rows import Row

START_WITHIN = 30.0
END_WITHIN = 10.0
ANSWER_WITHIN = 10.0


class NotRunning(Exception):
    """The server did not start, or gave a wrong answer; says which."""


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A started contender; a context manager that ends it."""

    def __init__(
        self, contender: Contender, place: Place, environment: dict[str, str], log: Path
    ) -> None:
        """Start it."""
        self.port = place.port
        self._log = log
        self.command = contender.command(place)
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                self.command,
                cwd=place.folder,
                env={**environment, **contender.environment, "PYTHONPATH": str(place.folder)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.end()

    def processes(self) -> set[int]:
        """Return its processes."""
        return tree_of(process_table(), self._process.pid)

    def await_answer(self, row: Row) -> None:
        """Wait until it answers at all."""
        until = time.monotonic() + START_WITHIN
        while True:
            try:
                self.ask(row)
                return
            except (OSError, http.client.HTTPException):
                pass
            if self._process.poll() is not None:
                raise NotRunning(f"ended with {self._process.returncode}: {self.last_words()}")
            if time.monotonic() > until:
                raise NotRunning(f"no answer in {START_WITHIN:.0f} s: {self.last_words()}")
            time.sleep(0.02)

    def ask(self, row: Row, connection: http.client.HTTPConnection | None = None) -> str | None:
        """Ask once; return what is wrong with the answer, if anything is."""
        own = connection or self._connect()
        try:
            request = row.request
            own.request(request.method, request.path, request.body or None, dict(request.headers))
            answer = own.getresponse()
            body = answer.read()
        finally:
            if connection is None:
                own.close()
        if row.expected.is_met_by(answer.status, body):
            return None
        return f"wrong answer: {answer.status} {body[:200]!r}"

    def check(self, row: Row) -> None:
        """Ask on fresh connections and twice on each; refuse any answer but the right one.

        A server may close a connection after its answer; `http.client` then connects again.
        """
        for _ in range(4):
            connection = self._connect()
            try:
                for _ in range(2):
                    wrong = self.ask(row, connection)
                    if wrong:
                        raise NotRunning(wrong)
            except (OSError, http.client.HTTPException) as error:
                raise NotRunning(f"no answer on a kept connection: {error!r}") from error
            finally:
                connection.close()

    def warm(self, row: Row, seconds: float) -> None:
        """Ask on fresh connections for a while, so that every worker has met the row."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.ask(row)

    def last_words(self) -> str:
        """Return the end of what it printed."""
        return self._log.read_text(errors="replace").strip()[-400:]

    def end(self) -> None:
        """End it and whatever it left behind."""
        before = process_table()
        mine = tree_of(before, self._process.pid)
        if self._process.poll() is None:
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_WITHIN)
        after = process_table()
        for pid in mine & after.keys():
            if after[pid].began == before[pid].began:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_WITHIN)
