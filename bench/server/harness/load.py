"""One timed run: the load client against a server, and the CPU time of everyone meanwhile."""

import json
import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .figures import Histogram, foreign_share, per_request, percentile
from .processes import busy_seconds, cpu_seconds, memory_kib, process_table
from .rows import Row
from .server import NotRunning, Server

#: Beyond the time that it was told; the client ends by itself.
PATIENCE = 20.0


@dataclass(frozen=True)
class Run:
    """What one run gave; everything in it is kept."""

    seconds: float
    answers: int
    wrong: int
    broken: int
    reconnects: int
    server_cpu_seconds: float
    client_cpu_seconds: float
    foreign: float
    memory_kib: int
    latencies: Histogram

    @property
    def rate(self) -> float:
        """Return answers a second."""
        return self.answers / self.seconds

    @property
    def server_cpu(self) -> float | None:
        """Return the server's microseconds for an answer."""
        return per_request(self.server_cpu_seconds, self.answers)

    @property
    def client_cpu(self) -> float | None:
        """Return the load client's microseconds for an answer."""
        return per_request(self.client_cpu_seconds, self.answers)

    def latency(self, share: float) -> float | None:
        """Return a percentile in milliseconds."""
        found = percentile(self.latencies, share)
        return None if found is None else found / 1000


@dataclass(frozen=True)
class Client:
    """The load client and how it is used."""

    program: Path
    connections: int
    folder: Path
    cores: int

    def run(self, server: Server, row: Row, seconds: float) -> Run:
        """Load the server for so long."""
        request, body = self.folder / "request", self.folder / "body"
        request.write_bytes(row.request.encoded(server.port))
        expected = f"length:{row.expected.length}"
        if row.expected.body is not None:
            body.write_bytes(row.expected.body)
            expected = str(body)
        words = [str(self.program), f"127.0.0.1:{server.port}", str(self.connections)]
        words += [str(seconds), str(request), str(row.expected.status), expected]

        pids, table = server.processes(), process_table()
        server_before, own_before = cpu_seconds(table, pids & table.keys()), _own_seconds()
        client_before, busy_before = _waited_seconds(), busy_seconds()
        begin = time.monotonic()
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=seconds + PATIENCE, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise NotRunning("the load client did not end in time") from error
        wall = time.monotonic() - begin
        pids, table = server.processes(), process_table()
        server_cpu = cpu_seconds(table, pids & table.keys()) - server_before
        client_cpu = _waited_seconds() - client_before
        ours = server_cpu + client_cpu + _own_seconds() - own_before
        foreign = foreign_share(busy_seconds() - busy_before, ours, wall, self.cores)
        if done.returncode != 0:
            raise NotRunning(f"load client: {done.stderr.strip()}")
        said: dict[str, Any] = json.loads(done.stdout)
        return Run(
            seconds=said["seconds"],
            answers=said["answers"],
            wrong=said["wrong"],
            broken=said["broken"],
            reconnects=said["reconnects"],
            server_cpu_seconds=server_cpu,
            client_cpu_seconds=client_cpu,
            foreign=foreign,
            memory_kib=memory_kib(pids),
            latencies=[(latency, count) for latency, count in said["latencies"]],
        )


def _waited_seconds() -> float:
    """Return the CPU time of ended children. No server ends while the client runs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _own_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
