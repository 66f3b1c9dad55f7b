"""Runs simplejwt's own tests, from its source distribution, against `yett.drf`.

    python tests/simplejwt/run.py [--itself] CACHE [pytest's arguments]

With `--itself` against simplejwt as it is installed: the run must end the same.
"""

import os
import pathlib
import subprocess
import sys

VERSION = "5.5.1"

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent

sys.path.insert(0, str(HERE.parent))

from peer_suite import fetch  # noqa: E402  # found by the line above


def main() -> None:
    """Fetch, then run."""
    arguments = sys.argv[1:]
    itself = arguments[0] == "--itself"
    cache, *chosen = arguments[itself:]
    directory = fetch("djangorestframework-simplejwt", VERSION, pathlib.Path(cache).resolve())
    path = os.pathsep.join(str(place) for place in (ROOT / "python", HERE, HERE.parent))
    environment = {**os.environ, "PYTHONPATH": path}
    if itself:
        environment["JUDGE_ITSELF"] = "1"
    # An empty configuration: the suite must not find this repository's.
    command = [sys.executable, "-m", "pytest", "-p", "plugin", "-c", os.devnull]
    command += ["--rootdir", str(directory), "-q", "-p", "no:cacheprovider"]
    command += chosen or ["tests"]
    sys.exit(subprocess.run(command, cwd=directory, env=environment).returncode)


if __name__ == "__main__":
    main()
