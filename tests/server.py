"""A running `yett serve`, its processes, and what it said.

Nothing here waits for a fixed time: readiness is the banner, everything else is a condition that
[`eventually`] looks at again until it holds or its bound is reached.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from .wire import PATIENCE, Answer, Wire

T = TypeVar("T")

#: How soon a condition is looked at again.
LOOK_AGAIN = 0.01

ADDRESS = re.compile(r"^  address (\S+)$", re.MULTILINE)
LAST_LINE_OF_BANNER = "loads new code."


def eventually(check: Callable[[], T], within: float = PATIENCE) -> T:
    """Return what `check` returns as soon as that is true; fail after `within` seconds."""
    until = time.monotonic() + within
    while not (found := check()):
        assert time.monotonic() < until, f"did not happen within {within} s: {found!r}"
        time.sleep(LOOK_AGAIN)
    return found


def is_alive(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def memory(pid: int, what: str = "VmRSS") -> int:
    """Return a process's resident memory in bytes, as `ps` shows it; `VmHWM` is the most it had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith(f"{what}:")]
    return int(line.split()[1]) * 1024


def of_session(session: int) -> list[int]:
    """Return the living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z" and int(fields[3]) == session:
            found.append(int(entry.name))
    return found


def kill_session(leader: subprocess.Popen) -> None:
    """End whatever is left of the session that a process leads, and the process."""
    for pid in of_session(leader.pid):
        os.kill(pid, signal.SIGKILL)
    leader.wait(timeout=60)


class Server:
    """A server that has printed its banner."""

    def __init__(
        self,
        words: list[str],
        environment: dict[str, str],
        cwd: Path,
        *,
        ready: str = LAST_LINE_OF_BANNER,
        stdin: int = subprocess.DEVNULL,
        **how: Any,
    ) -> None:
        """Start the program with these words and wait until it says `ready`."""
        self.cwd = cwd
        self.environment = environment
        self.program = words[0]
        number = len(list(cwd.glob("*.stderr")))
        self._stdout = cwd / f"{number}.stdout"
        self._stderr = cwd / f"{number}.stderr"
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self.process = subprocess.Popen(
                words,
                cwd=cwd,
                env=environment,
                stdin=stdin,
                stdout=out,
                stderr=err,
                start_new_session=True,
                **how,
            )
        self.pid = self.process.pid
        try:
            eventually(lambda: ready in self.stderr or self.process.poll() is not None)
        except AssertionError:
            self.kill_all()
            raise
        assert self.process.poll() is None, f"did not start:\n{self.stderr}"
        self.addresses = ADDRESS.findall(self.stderr)

    @property
    def address(self) -> str:
        """Return the first address of the banner."""
        return self.addresses[0]

    @property
    def port(self) -> int:
        """Return the port of the first address."""
        return int(self.address.rpartition(":")[2])

    @property
    def stderr(self) -> str:
        """Return what the program and its workers wrote to stderr so far."""
        return self._stderr.read_text(errors="replace")

    @property
    def stdout(self) -> str:
        """Return what the program and its workers wrote to stdout so far."""
        return self._stdout.read_text(errors="replace")

    def wire(self, **how: Any) -> Wire:
        """Return a new connection to the first address."""
        return Wire(self.address, **how)

    def request(self, method: str, target: str, *headers: str, body: bytes = b"") -> Answer:
        """Ask on a connection of its own."""
        with self.wire() as wire:
            wire.ask(method, target, *headers, body=body)
            return wire.hear(method)

    def get(self, target: str, *headers: str) -> Answer:
        """GET on a connection of its own."""
        return self.request("GET", target, *headers)

    def raw(self, data: bytes) -> bytes:
        """Send bytes on a connection of its own, and return all that comes until it closes."""
        with self.wire() as wire:
            wire.send(data)
            return wire.rest()

    def access_records(self) -> list[dict[str, Any]]:
        """Return the access records that were written so far (`--log-format json`)."""
        lines = self.stdout.split("\n")
        return [json.loads(line) for line in lines if line.startswith("{")]

    def records(self, count: int) -> list[dict[str, Any]]:
        """Return the access records as soon as there are so many."""
        eventually(lambda: len(self.access_records()) >= count)
        return self.access_records()

    def last_records(self) -> list[dict[str, Any]]:
        """Stop the server and return every record that it wrote."""
        assert self.stop() == 0, self.stderr
        return self.access_records()

    def command(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `yett reload`, `stop` or `status` in the server's folder."""
        return subprocess.run(
            [self.program, verb, *words],
            cwd=self.cwd,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        """Return what `yett status --json` says of this server."""
        done = self.command("status", "--json", "--pid", str(self.pid))
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)["status"]
        return found

    def active(self) -> dict[str, Any]:
        """Return the status of the generation that serves."""
        supervisor = self.status()["supervisor"]
        return next(
            generation
            for generation in supervisor["generations"]
            if generation["generation"] == supervisor["active"]
        )

    def worker_pids(self) -> list[int]:
        """Return the ready workers of the generation that serves."""
        return [each["pid"] for each in self.active()["workers"] if each["state"] == "ready"]

    def await_workers(self, count: int, *, but: int | None = None) -> list[int]:
        """Wait until so many workers are ready, and a certain process is not among them."""

        def there() -> list[int]:
            pids = self.worker_pids()
            return pids if len(pids) == count and but not in pids else []

        return eventually(there)

    def await_in_flight(self, count: int) -> None:
        """Wait until workers hold so many requests."""
        eventually(lambda: self.status()["requests_in_flight"] == count)

    def await_waiting(self, count: int) -> None:
        """Wait until so many requests wait for a worker."""
        eventually(lambda: self.status()["requests_waiting"] == count)

    def peak_memory(self) -> int:
        """Return the most resident memory that the edge process ever had, in bytes."""
        return memory(self.pid, "VmHWM")

    def send_signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal the program, wait for its end, and return its exit code."""
        if self.process.poll() is None:
            self.send_signal(number)
        return self.process.wait(timeout=60)

    def await_end_of_all(self) -> None:
        """Wait until the program, its zygotes and its workers are gone."""
        eventually(lambda: not of_session(self.pid))

    def kill_all(self) -> None:
        """End whatever is left of this server's own session."""
        kill_session(self.process)
