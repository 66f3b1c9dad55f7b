"""Runs the grid: real frameworks from the registry, served by the real program.

    python tests/frameworks/run.py [--judge uvicorn|gunicorn] CACHE [pytest's arguments]

The frameworks are installed into a virtual environment of their own in the cache, once for each
state of requirements.txt. With `--judge` the same expectations are held against another server.
`YETT_BIN` names the program, else it is this tree's debug build.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from peer_suite import interpreter  # found by the line above

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUIREMENTS = HERE / "requirements.txt"


def main() -> None:
    """Install, then run."""
    arguments = sys.argv[1:]
    judge = []
    if arguments[0] == "--judge":
        judge, arguments = arguments[:2], arguments[2:]
    cache, *chosen = arguments
    place = pathlib.Path(cache).resolve() / "frameworks"
    otherwise = "the frameworks could not be installed, so the grid was not run."
    python = interpreter(place, REQUIREMENTS, otherwise)
    environment = {**os.environ, "YETT_TEST_PYTHON": str(python)}
    environment["PYTHONPATH"] = str(ROOT / "python")
    command = [str(python), "-m", "pytest", "-q", "-p", "tests.frameworks.plugin"]
    command += [*judge, *chosen, str(HERE / "grid.py")]
    sys.exit(subprocess.run(command, cwd=ROOT, env=environment).returncode)


if __name__ == "__main__":
    main()
