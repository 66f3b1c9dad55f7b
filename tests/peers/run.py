"""Runs dj-rest-auth's own tests, which its package carries, on `yett.drf`.

    python tests/peers/run.py [--itself] CACHE [pytest's arguments]

The packages are installed into a virtual environment of their own in the cache, once for each
state of requirements.txt. With `--itself` on simplejwt as it is installed there: the run must
end the same.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
REQUIREMENTS = HERE / "requirements.txt"


def install(place: pathlib.Path) -> pathlib.Path:
    """Return the interpreter of the environment, made anew if the requirements changed."""
    python = place / "bin" / "python"
    installed = place / "installed.txt"
    if installed.exists() and installed.read_text() == REQUIREMENTS.read_text():
        return python
    shutil.rmtree(place, ignore_errors=True)
    venv.create(place, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*command, "-r", str(REQUIREMENTS)]).returncode != 0:
        sys.exit("dj-rest-auth could not be installed, so its tests were not run.")
    shutil.copy(REQUIREMENTS, installed)
    return python


def main() -> None:
    """Install, then run."""
    arguments = sys.argv[1:]
    itself = arguments[0] == "--itself"
    cache, *chosen = arguments[itself:]
    python = install(pathlib.Path(cache).resolve() / "peers")
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
