"""Runs dj-rest-auth's own tests, which its package carries, on `yett.drf`.

    python tests/peers/run.py [--itself] CACHE [pytest's arguments]

The packages are installed into a virtual environment of their own in the cache, once for each
state of requirements.txt. With `--itself` on simplejwt as it is installed there: the run must
end the same.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from peer_suite import interpreter  # found by the line above

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
REQUIREMENTS = HERE / "requirements.txt"


def main() -> None:
    """Install, then run."""
    arguments = sys.argv[1:]
    itself = arguments[0] == "--itself"
    cache, *chosen = arguments[itself:]
    place = pathlib.Path(cache).resolve() / "peers"
    otherwise = "dj-rest-auth could not be installed, so its tests were not run."
    python = interpreter(place, REQUIREMENTS, otherwise)
    find = "import dj_rest_auth as package; print(*package.__path__)"
    found = subprocess.run([python, "-c", find], stdout=subprocess.PIPE, text=True, check=True)
    directory = found.stdout.strip()
    # Its tests are found as `tests`, as in its own repository: from inside of the package.
    path = os.pathsep.join(map(str, (ROOT / "python", HERE, HERE.parent, directory)))
    environment = {**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "quick_settings"}
    if itself:
        environment["JUDGE_ITSELF"] = "1"
    # An empty configuration: the suite must not find this repository's.
    command = [str(python), "-m", "pytest", "-p", "plugin", "-c", os.devnull]
    command += ["--rootdir", directory, "-q", "-p", "no:cacheprovider", *(chosen or ["tests"])]
    sys.exit(subprocess.run(command, cwd=directory, env=environment).returncode)


if __name__ == "__main__":
    main()
