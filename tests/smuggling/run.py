"""Compares Yett with its peers, case by case, and holds `docs/security/smuggling.md` to it.

    run.py [--write] CACHE

Every case whose outcome under a peer is not Yett's must stand in the document with all outcomes
and a reason; `--write` writes the table anew from what happened and from `reasons.py`.
"""

import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tests.peer_suite import interpreter  # noqa: E402
from tests.smuggling.corpus import CASES  # noqa: E402
from tests.smuggling.peers import PEERS, nginx_program  # noqa: E402
from tests.smuggling.reasons import reason  # noqa: E402
from tests.smuggling.talk import outcome  # noqa: E402

DOCUMENT = REPOSITORY / "docs" / "security" / "smuggling.md"
HEADING = "| case | Yett | " + " | ".join(PEERS) + " | why |\n"
#: A good answer, up to the next one.
SEEN = re.compile(r"200(?: [A-Za-z(]+ .*?b(?:'.*?'|\".*?\"))?(?=, |$)", re.DOTALL)
#: Between two cells; a bar within one has a backslash before it.
BAR = re.compile(r"(?<!\\) \| ")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def outcomes(name: str, python: Path, folder: Path) -> dict[str, str]:
    """Return what a peer makes of each case."""
    with PEERS[name](python, folder) as port, ThreadPoolExecutor(8) as pool:
        return dict(
            zip(CASES, pool.map(lambda case: outcome(port, case[0]), CASES.values()), strict=True)
        )


def seen(told: str, peer: str) -> tuple[str, ...]:
    """Return the requests that were answered well, with what the application saw of them.

    How a refusal is spelt is no difference. uWSGI closes after each answer here, so only its first
    one counts.
    """
    requests = tuple(SEEN.findall(told))
    return requests[:1] if peer == "uWSGI" else requests


def cell(told: str) -> str:
    """Return an outcome as it stands in the table."""
    # Who answered and waits for more may also only be slow.
    shown = told.removesuffix(", waits").replace(", 200 GET /probe b''", ", probe")
    shown = shown.replace("|", "\\|").replace("\r\n", "↵").replace("\\r\\n", "↵").replace("\n", "↵")
    # What is no text, and what would end the code, is shown by its number.
    shown = "".join(
        each if each.isprintable() and each != "`" else f"<{ord(each):02X}>" for each in shown
    )
    return "`" + (shown if len(shown) <= 60 else shown[:57] + "…") + "`"


def row(
    name: str, found: dict[str, dict[str, str]], documented: dict[str, list[str]]
) -> str | None:
    """Return a case's row, if some outcome is not Yett's.

    Of a peer that is not here it says what the document says.
    """
    ours = CASES[name][1]

    def cell_of(peer: str) -> str:
        if peer not in found:
            cells = documented.get(name, [])
            return cells[list(PEERS).index(peer)] if cells else "="
        told = found[peer][name]
        return "=" if seen(told, peer) == seen(ours, peer) else cell(told)

    cells = [cell_of(peer) for peer in PEERS]
    if all(each == "=" for each in cells):
        return None
    return f"| {name} | {cell(ours)} | {' | '.join(cells)} | {reason(name)} |\n"


def main() -> None:
    """Run the comparison."""
    words = sys.argv[1:]
    cache = Path(words[-1]).resolve()
    otherwise = "Gunicorn and uWSGI could not be installed, so nothing was compared with them."
    python = interpreter(cache / "smuggling", REQUIREMENTS, otherwise)
    here = [peer for peer in PEERS if peer != "nginx" or nginx_program() is not None]
    if "nginx" not in here:
        print("nginx is not installed, so nothing is compared with it: apt-get install nginx-light")
        if "--write" in words:
            sys.exit("without it the table would say what it said before")
    with tempfile.TemporaryDirectory() as folder:
        # The workers of nginx may be another user's.
        os.chmod(folder, 0o755)
        found = {peer: outcomes(peer, python, Path(folder)) for peer in here}
    text = DOCUMENT.read_text()
    before, _, after = text.partition(HEADING)
    rule, _, after = after.partition("\n")
    lines = after.splitlines(keepends=True)
    told = "".join(takewhile(lambda line: line.startswith("| "), lines))
    split = [BAR.split(line.removeprefix("| ")) for line in told.splitlines()]
    documented = {name: cells for name, _, *cells in split}
    rows = [each for name in CASES if (each := row(name, found, documented))]
    missing = [each for each in rows if each.endswith("|  |\n")]
    if "--write" in words:
        DOCUMENT.write_text(before + HEADING + rule + "\n" + "".join(rows) + after[len(told) :])
    elif told != "".join(rows):
        stale = set(told.splitlines(keepends=True)).symmetric_difference(rows)
        sys.exit("not as docs/security/smuggling.md says:\n" + "".join(sorted(stale)))
    if missing:
        sys.exit("without a reason:\n" + "".join(missing))
    same = len(CASES) - len(rows)
    print(f"{len(CASES)} cases; in {same} all servers agree, {len(rows)} differences are explained")


if __name__ == "__main__":
    main()
