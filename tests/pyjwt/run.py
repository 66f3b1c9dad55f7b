"""Runs PyJWT's own tests, from its source distribution, against `yett.jwt`.

    python tests/pyjwt/run.py CACHE [pytest's arguments]

The tests are fetched at test time and never kept in this repository.
"""

import os
import pathlib
import subprocess
import sys
import tarfile

VERSION = "2.15.1"

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent


def fetch(cache: pathlib.Path) -> pathlib.Path:
    """The directory that holds `tests/` of the pinned version; fetched once."""
    unpacked = cache / f"pyjwt-{VERSION}"
    if (unpacked / "tests").is_dir():
        return unpacked
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-binary", ":all:", "--dest", str(cache), f"PyJWT=={VERSION}"]
    if subprocess.run(command).returncode != 0:
        sys.exit(
            f"PyJWT {VERSION} could not be fetched, so its tests were not run. With a network, or"
            f" with pyjwt-{VERSION}.tar.gz in {cache}, they will be."
        )
    (archive,) = cache.glob(f"*-{VERSION}.tar.gz")
    with tarfile.open(archive) as packed:
        prefix = f"{archive.name.removesuffix('.tar.gz')}/tests/"
        for member in packed.getmembers():
            name = member.name
            if member.isfile() and name.lower().startswith(prefix.lower()) and ".." not in name:
                place = unpacked / "tests" / name[len(prefix) :]
                place.parent.mkdir(parents=True, exist_ok=True)
                content = packed.extractfile(member)
                assert content is not None
                place.write_bytes(content.read())
    return unpacked


def main() -> None:
    """Fetch, then run."""
    cache = pathlib.Path(sys.argv[1]).resolve()
    cache.mkdir(parents=True, exist_ok=True)
    directory = fetch(cache)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'python'}{os.pathsep}{HERE}"}
    # An empty configuration: the suite must not find this repository's.
    command = [sys.executable, "-m", "pytest", "-p", "plugin", "-c", os.devnull]
    command += ["--rootdir", str(directory), "-q", "-p", "no:cacheprovider"]
    command += sys.argv[2:] or ["tests"]
    sys.exit(subprocess.run(command, cwd=directory, env=environment).returncode)


if __name__ == "__main__":
    main()
