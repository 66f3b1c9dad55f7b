"""Yett beside its peers as a server: `make bench`, or by hand

    python3 bench/server/run.py --venv DIR --client PROGRAM [--rounds 3] [--seconds 2]
        [--only yett,granian] [--rows plain,token] [--workers 2] [--connections 32]

`DIR` is a virtual environment with requirements.txt and Yett, `PROGRAM` the built load client
(`client/`). Standard library alone; Python 3.10 or later; Linux, for /proc.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from harness import contenders, machine, report, rounds, rows
from harness.contenders import Contender
from harness.load import Client
from harness.rows import Row

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
#: Shown in the report beside the contenders' own packages.
FRAMEWORKS = ("Django", "djangorestframework", "djangorestframework-simplejwt", "PyJWT")

T = TypeVar("T")


def read_options() -> argparse.Namespace:
    """Read the command line. An empty list of names means all, as `make` passes it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--client", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--workers", type=int, default=machine.cores())
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", default="", help="contenders, separated by commas")
    parser.add_argument("--rows", default="", help="rows, separated by commas")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    return parser.parse_args()


def chosen(names: str, all_of_them: Sequence[str], what: str) -> list[str]:
    """Return the chosen names in their own order; a name that is unknown ends the program."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = sorted(set(wanted) - set(all_of_them))
    if unknown:
        sys.exit(f"no {what} named {', '.join(unknown)}; there are: {', '.join(all_of_them)}")
    return [name for name in all_of_them if not wanted or name in wanted]


def serves_asgi(venv: Path) -> bool:
    """Whether this Yett serves ASGI: it says so of the bare application."""
    folder, app = rows.GROUPS["bare-asgi"]
    words = [f"{venv}/bin/yett", "check", app, "--chdir", str(HERE / folder)]
    words += ["--python", f"{venv}/bin/python"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def prepared_rows(python: Path, environment: dict[str, str], names: list[str]) -> list[Row]:
    """Return the chosen rows; the project is prepared if one of them needs it."""
    found = [row for row in rows.bare_rows() if row.name in names]
    if {row.name for row in found} != set(names):
        words = [str(python), str(HERE / "project" / "prepare.py")]
        done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        project = rows.project_rows(json.loads(done.stdout))
        found += [row for row in project if row.name in names]
    return found


def chosen_contenders(options: argparse.Namespace, found: Sequence[Row]) -> list[Contender]:
    """Return the chosen contenders that have a row."""
    names = chosen(options.only, [each.name for each in contenders.CONTENDERS], "contender")
    here = [each for each in contenders.CONTENDERS if each.name in names]
    here = [each for each in here if any(rounds.runs(each, row) for row in found)]
    if any(each.name == "yett-asgi" for each in here) and not serves_asgi(options.venv):
        print("This Yett serves no ASGI: yett-asgi is left out.", file=sys.stderr)
        here = [each for each in here if each.name != "yett-asgi"]
    if not here:
        sys.exit("none of the chosen contenders has one of the chosen rows")
    return here


def main() -> None:
    """Prepare, measure, report."""
    options = read_options()
    # Not resolved: the interpreter of a virtual environment is a link out of it.
    venv = Path(os.path.abspath(options.venv))
    options.venv = venv
    names = chosen(options.rows, rows.NAMES, "row")
    with tempfile.TemporaryDirectory(prefix="yett-bench-") as folder:
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= {"BENCH_DATA": folder, "BENCH_SECRET": secrets.token_urlsafe(48)}
        # Control sockets of the servers, so that no other server is ever found.
        environment |= {"XDG_RUNTIME_DIR": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        found = prepared_rows(venv / "bin" / "python", environment, names)
        here = chosen_contenders(options, found)
        found = [row for row in found if any(rounds.runs(each, row) for each in here)]
        packages = {*FRAMEWORKS, *(name for each in here for name in each.packages)}
        facts = machine.facts(venv / "bin" / "python", REPOSITORY)
        versions = machine.versions(venv / "bin" / "python", sorted(packages, key=str.lower))
        print(", ".join(f"{name} {version}" for name, version in versions.items()))
        plan = rounds.Plan(
            venv=venv,
            here=HERE,
            environment=environment,
            workers=options.workers,
            rounds=options.rounds,
            seconds=options.seconds,
            contenders=here,
            rows=found,
        )
        program = Path(os.path.abspath(options.client))
        client = Client(program, options.connections, Path(folder), machine.cores())
        results = rounds.measure(plan, client)
        text = report.report(plan, facts, versions, options.connections, results)
        document = report.raw(plan, {**facts, **versions}, results)
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    place = report.write(options.results, stamp, document, text)
    print(text)
    print(f"kept: {place} and the raw results beside it")
    if any(slot.failures for slots in results.values() for slot in slots.values()):
        sys.exit("some contender failed; the report says which")


if __name__ == "__main__":
    main()
