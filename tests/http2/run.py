"""Runs HTTP/2's judges: Python's h2, hpack and hyperframe as polite and as hostile clients.

    python tests/http2/run.py CACHE [pytest's arguments]

They are installed into a virtual environment of their own in the cache, once for each state of
requirements.txt. `YETT_BIN` names the program, `YETT_TEST_PYTHON` the interpreter of its workers.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from peer_suite import interpreter  # found by the line above

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def main() -> None:
    """Install, then run."""
    cache, *chosen = sys.argv[1:]
    place = pathlib.Path(cache).resolve() / "http2"
    otherwise = "the clients could not be installed, so HTTP/2 was not judged."
    python = interpreter(place, HERE / "requirements.txt", otherwise)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    # The workers need no client, and the clients no extension.
    environment.setdefault("YETT_TEST_PYTHON", sys.executable)
    command = [str(python), "-m", "pytest", "-q", *chosen]
    command += [str(HERE / "polite.py"), str(HERE / "hostile.py")]
    sys.exit(subprocess.run(command, cwd=ROOT, env=environment).returncode)


if __name__ == "__main__":
    main()
