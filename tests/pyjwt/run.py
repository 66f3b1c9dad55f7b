"""Runs PyJWT's own tests, from its source distribution, against `yett.jwt`.

    python tests/pyjwt/run.py CACHE [pytest's arguments]

The tests are fetched at test time and never kept in this repository.
"""

import os
import pathlib
import subprocess
import sys

VERSION = "2.15.1"

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent

sys.path.insert(0, str(HERE.parent))

from peer_suite import fetch  # noqa: E402  # found by the line above


def main() -> None:
    """Fetch, then run."""
    directory = fetch("PyJWT", VERSION, pathlib.Path(sys.argv[1]).resolve())
    path = os.pathsep.join(map(str, (ROOT / "python", HERE, HERE.parent)))
    environment = {**os.environ, "PYTHONPATH": path}
    # An empty configuration: the suite must not find this repository's.
    command = [sys.executable, "-m", "pytest", "-p", "plugin", "-c", os.devnull]
    command += ["--rootdir", str(directory), "-q", "-p", "no:cacheprovider"]
    command += sys.argv[2:] or ["tests"]
    sys.exit(subprocess.run(command, cwd=directory, env=environment).returncode)


if __name__ == "__main__":
    main()
