"""The report: Markdown tables of medians, with what must be known to believe them."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .contenders import Contender
from .figures import Spread, spread
from .load import Run
from .rounds import Plan, Results, Slot, runs

#: Above this part of the machine, others took so much that a run's figures say little.
NOISE = 0.05

HEAD = (
    "contender",
    "requests/s",
    "server CPU, µs",
    "p50, ms",
    "p99, ms",
    "MiB",
    "client CPU, µs",
    "wrong",
    "broken",
    "",
)


def write(folder: Path, stamp: str, document: Mapping[str, Any], text: str) -> Path:
    """Keep the raw results and the report beside each other; return the report's place."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stamp}.json").write_text(json.dumps(document))
    place = folder / f"{stamp}.md"
    place.write_text(text)
    return place


def raw(plan: Plan, facts: Mapping[str, str], results: Results) -> dict[str, Any]:
    """Return everything that was seen, for programs."""
    return {
        "facts": dict(facts),
        "workers": plan.workers,
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "rows": {
            row: {name: asdict(slot) for name, slot in slots.items()}
            for row, slots in results.items()
        },
    }


def report(
    plan: Plan,
    facts: Mapping[str, str],
    versions: Mapping[str, str],
    connections: int,
    results: Results,
) -> str:
    """Return the report."""
    lines = [", ".join(f"{name} {value}" for name, value in facts.items() if value), ""]
    lines += [", ".join(f"{name} {version}" for name, version in versions.items()), ""]
    lines += [
        f"{plan.workers} workers, {connections} connections, {plan.rounds} rounds of"
        f" {plan.seconds:g} s; medians, in brackets lowest and highest.",
        "",
    ]
    for row in plan.rows:
        lines += [f"**{row.name}**: {row.title} (`{row.request.method} {row.request.path}`)", ""]
        lines += table(results[row.name])
        lines.append("")
    lines += ["Command lines:", ""]
    for contender in plan.contenders:
        note = f" ({contender.note})" if contender.note else ""
        lines.append(f"- {contender.name}{note}: `{command_of(plan, contender)}`")
    return "\n".join(lines) + "\n"


def table(slots: Mapping[str, Slot]) -> list[str]:
    """Return one row's table, the fastest first; who has no figure says why below it."""
    found = [
        "| " + " | ".join(HEAD) + " |",
        "| --- |" + " --: |" * (len(HEAD) - 2) + " --- |",
    ]
    order = sorted(slots.items(), key=lambda each: -_median([run.rate for run in each[1].runs]))
    found += ["| " + " | ".join(cells(name, slot.runs)) + " |" for name, slot in order if slot.runs]
    for name, slot in order:
        for why in sorted(set(slot.failures)):
            found.append(f"\n{name}, {slot.failures.count(why)} times: {' '.join(why.split())}")
    return found


def cells(name: str, found: Sequence[Run]) -> list[str]:
    """Return the cells of one contender."""
    server = [run.server_cpu for run in found if run.server_cpu is not None]
    client = [run.client_cpu for run in found if run.client_cpu is not None]
    median, high = ([run.latency(share) for run in found] for share in (0.5, 0.99))
    return [
        name,
        shown(spread(run.rate for run in found), 0),
        shown(spread(server), 1),
        shown(spread(each for each in median if each is not None), 2),
        shown(spread(each for each in high if each is not None), 2),
        shown(spread(run.memory_kib / 1024 for run in found), 0, brackets=False),
        shown(spread(client), 1, brackets=False),
        str(sum(run.wrong for run in found)),
        str(sum(run.broken for run in found)),
        mark(found),
    ]


def mark(found: Sequence[Run]) -> str:
    """Return what makes the figures doubtful."""
    marks = []
    if any(run.wrong or run.broken for run in found):
        marks.append("NOT A FIGURE: answers were wrong or broken")
    most = max(run.foreign for run in found)
    if most > NOISE:
        marks.append(f"not a quiet machine: others took up to {most:.0%} of it")
    return "; ".join(marks)


def shown(found: Spread | None, digits: int, *, brackets: bool = True) -> str:
    """Return a median with its lowest and highest."""
    if found is None:
        return "?"
    text = f"{found.median:,.{digits}f}"
    if not brackets or found.low == found.high:
        return text
    return f"{text} ({found.low:,.{digits}f} to {found.high:,.{digits}f})"


def command_of(plan: Plan, contender: Contender) -> str:
    """Return a contender's words as a reader would write them."""
    place = plan.place(contender, next(row for row in plan.rows if runs(contender, row)))
    words = shlex.join(contender.command(place))
    words = words.replace(f"{place.venv}/bin/", "").replace(str(place.folder), place.folder.name)
    return words.replace(str(place.port), "PORT")


def _median(values: Sequence[float]) -> float:
    found = spread(values)
    return found.median if found else 0.0
