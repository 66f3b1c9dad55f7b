"""What the tests of limits share: a server's flags, and what its admin address counts."""

from .server import Server, eventually
from .test_seen import Admin
from .wire import HOST

ADMIN = ("--admin", "127.0.0.1:0")
#: One worker that runs one request at a time: whoever held it would hold up everybody.
ONE = ("--workers", "1", "--threads", "1")
#: Heads and bodies that are soon too long.
SMALL = ("--max-head", "1KiB", "--max-headers", "4", "--max-body", "1KiB")
KIB = 1 << 10
MIB = 1 << 20


def await_failures(server: Server, **counts: int) -> None:
    """Wait until requests have failed so often in each of these ways; in no other may they."""
    admin = Admin.of(server)

    def counted() -> dict[str, float]:
        return {each: admin.sum("yett_failures_total", failure=each) for each in counts}

    eventually(lambda: counted() == counts)
    assert admin.sum("yett_failures_total") == sum(counts.values())


def await_met(server: Server, **limits: int) -> None:
    """Wait until these limits were met so often; no other may be."""
    admin = Admin.of(server)

    def are_met() -> bool:
        met = {each: admin.sum("yett_limit_met_total", limit=each) for each in limits}
        return met == limits

    eventually(are_met)
    assert admin.sum("yett_limit_met_total") == sum(limits.values())


def incidents(server: Server, incident: str) -> float:
    """Return how often this befell a worker."""
    return Admin.of(server).sum("yett_worker_incidents_total", incident=incident)


def get(size: int, *lines: bytes) -> bytes:
    """Return a request whose head has so many bytes."""
    around = b"GET /%b HTTP/1.1\r\n" + HOST + b"".join(lines) + b"\r\n"
    return around % (b"a" * (size - len(around % b"")))
