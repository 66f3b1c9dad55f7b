"""The order of things: in each round every contender is started once for each group, fresh.

Another contender begins each round, so that nobody is always first on a cold machine.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from .contenders import Contender, Place
from .load import Client, Run
from .rows import GROUPS, Row
from .server import NotRunning, Server, free_port

WARM_SECONDS = 0.5


@dataclass
class Slot:
    """A contender's runs of one row, and why there are none."""

    runs: list[Run] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


Results = dict[str, dict[str, Slot]]


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    venv: Path
    here: Path
    environment: dict[str, str]
    workers: int
    rounds: int
    seconds: float
    contenders: Sequence[Contender]
    rows: Sequence[Row]

    def place(self, contender: Contender, row: Row) -> Place:
        """Return where a contender serves a row's application."""
        folder, app = GROUPS[row.group]
        return Place(self.venv, self.here / folder, app, free_port(), self.workers)

    def starts(self, number: int) -> Iterator[tuple[Contender, list[Row]]]:
        """Yield the starts of a round with the rows of each."""
        for _, group in groupby(self.rows, key=lambda row: row.group):
            rows = list(group)
            turn = number % len(self.contenders)
            for contender in [*self.contenders[turn:], *self.contenders[:turn]]:
                mine = [row for row in rows if runs(contender, row)]
                if mine:
                    yield contender, mine


def runs(contender: Contender, row: Row) -> bool:
    """Whether a contender has a row."""
    chosen = contender.rows is None or row.name in contender.rows
    return chosen and contender.interface == row.interface


def measure(plan: Plan, client: Client) -> Results:
    """Run all rounds. Who fails at a row fails there alone, and the report says why."""
    results: Results = {row.name: {} for row in plan.rows}
    for number in range(plan.rounds):
        for contender, rows in plan.starts(number):
            slots = [results[row.name].setdefault(contender.name, Slot()) for row in rows]
            log = client.folder / "server.log"
            place = plan.place(contender, rows[0])
            try:
                with Server(contender, place, plan.environment, log) as server:
                    server.await_answer(rows[0])
                    for row, slot in zip(rows, slots, strict=True):
                        _measure_row(plan, client, server, row, slot)
            except (NotRunning, OSError) as error:
                for slot in slots:
                    slot.failures.append(str(error))
            _tell(f"round {number + 1} of {plan.rounds}: {contender.name}, {rows[0].group} done")
    return results


def _measure_row(plan: Plan, client: Client, server: Server, row: Row, slot: Slot) -> None:
    try:
        server.check(row)
        server.warm(row, WARM_SECONDS)
        slot.runs.append(client.run(server, row, plan.seconds))
    except NotRunning as error:
        slot.failures.append(str(error))


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
