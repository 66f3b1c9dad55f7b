"""Processes and their CPU time, as /proc tells it (proc(5)).

A process counts as a server's if it descends from it or is of its session: a worker whose parent
has died belongs to another parent, but stays in the session.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
#: Fields of the first line of /proc/stat: user nice system idle iowait irq softirq steal.
IDLE, IOWAIT, STEAL = 3, 4, 7


@dataclass(frozen=True)
class Process:
    """One line of the process table; `ticks` with those of the children that it has waited for."""

    parent: int
    session: int
    ticks: int
    #: When it began: who has the same number and another beginning is another process.
    began: int


def parse_stat(text: str) -> Process | None:
    """Read /proc/PID/stat; none for a zombie that nobody has waited for yet.

    The program's name stands in brackets and may hold anything, brackets too.
    """
    fields = text.rpartition(")")[2].split()
    if fields[0] == "Z":
        return None
    # ppid, session; utime, stime, cutime, cstime; starttime
    ticks = sum(map(int, fields[11:15]))
    return Process(int(fields[1]), int(fields[3]), ticks, int(fields[19]))


def process_table() -> dict[int, Process]:
    """Return all living processes."""
    table = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            found = parse_stat(Path(f"/proc/{entry}/stat").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
        if found:
            table[int(entry)] = found
    return table


def tree_of(table: Mapping[int, Process], root: int) -> set[int]:
    """Return a process, its descendants, and whoever is of its session."""
    members = {pid for pid, each in table.items() if pid == root or each.session == root}
    grown = True
    while grown:
        more = {pid for pid, each in table.items() if each.parent in members} - members
        members |= more
        grown = bool(more)
    return members


def cpu_seconds(table: Mapping[int, Process], pids: set[int]) -> float:
    """Return the CPU time of these processes and of the children that they waited for."""
    return sum(table[pid].ticks for pid in pids) / TICKS


def parse_busy(text: str) -> float:
    """Return the seconds that all cores together were at work, from the text of /proc/stat.

    What another guest of the host took ("steal") counts as work: it was not idle for us.
    """
    ticks = [int(field) for field in text.splitlines()[0].split()[1 : STEAL + 2]]
    return (sum(ticks) - ticks[IDLE] - ticks[IOWAIT]) / TICKS


def busy_seconds() -> float:
    """Return the seconds that all cores together were at work since the start of the machine."""
    return parse_busy(Path("/proc/stat").read_text())


def parse_pss(text: str) -> int:
    """Return the proportional share of memory in KiB, from the text of /proc/PID/smaps_rollup."""
    found = [line.split()[1] for line in text.splitlines() if line.startswith("Pss:")]
    return int(found[0]) if found else 0


def memory_kib(pids: set[int]) -> int:
    """Return the memory of these processes; a page that several share counts once."""
    total = 0
    for pid in pids:
        try:
            total += parse_pss(Path(f"/proc/{pid}/smaps_rollup").read_text())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return total
