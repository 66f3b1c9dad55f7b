"""The arithmetic: percentiles of a histogram, medians of rounds, CPU time of one request.

Pure; knows nothing of processes or files. Latencies are microseconds, as the load client has them.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Histogram = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Spread:
    """What several rounds gave: the middle one, the lowest and the highest."""

    median: float
    low: float
    high: float


def spread(values: Iterable[float]) -> Spread | None:
    """Return the spread of the rounds; none of no rounds."""
    found = list(values)
    return Spread(statistics.median(found), min(found), max(found)) if found else None


def percentile(histogram: Histogram, share: float) -> int | None:
    """Return the latency that `share` (0 to 1) of all stay within; none of an empty histogram.

    The nearest rank: a latency that was seen, never one between two that were.
    """
    ordered = sorted(histogram)
    total = sum(count for _, count in ordered)
    rank = max(1, -(-share * total // 1))
    passed = 0
    for latency, count in ordered:
        passed += count
        if passed >= rank:
            return latency
    return None


def per_request(seconds: float, requests: int) -> float | None:
    """Return microseconds for each request; none without a request."""
    return seconds * 1e6 / requests if requests else None


def foreign_share(busy: float, ours: float, wall: float, cores: int) -> float:
    """Return the part of the machine (0 to 1) that processes other than ours took.

    `busy` is the CPU time of the whole machine and `ours` that of server, client and harness over
    the same `wall` seconds. Clocks tick at different moments, so the difference can be a little
    below zero; it counts as none.
    """
    return max(0.0, busy - ours) / (wall * cores)
