"""What the runs of peers' tests share.

Their own tests, fetched at test time and never kept here; environments for their packages.
"""

import pathlib
import shutil
import subprocess
import sys
import tarfile
import venv


def fetch(project: str, version: str, cache: pathlib.Path) -> pathlib.Path:
    """Return the directory that holds `tests/` of that version; fetched once."""
    cache.mkdir(parents=True, exist_ok=True)
    unpacked = cache / f"{project.lower()}-{version}"
    if (unpacked / "tests").is_dir():
        return unpacked
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-binary", ":all:", "--dest", str(cache), f"{project}=={version}"]
    archive = cache / f"{project.lower().replace('-', '_')}-{version}.tar.gz"
    if subprocess.run(command).returncode != 0 or not archive.exists():
        sys.exit(
            f"{project} {version} could not be fetched, so its tests were not run. With a network,"
            f" or with {archive.name} in {cache}, they will be."
        )
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            _, _, below = member.name.partition("/tests/")
            if member.isfile() and below and ".." not in below:
                place = unpacked / "tests" / below
                place.parent.mkdir(parents=True, exist_ok=True)
                content = packed.extractfile(member)
                assert content is not None
                place.write_bytes(content.read())
    return unpacked


def interpreter(place: pathlib.Path, requirements: pathlib.Path, otherwise: str) -> pathlib.Path:
    """Return the interpreter of an environment, made anew if the requirements changed.

    `otherwise` says what was not run if they cannot be installed.
    """
    python = place / "bin" / "python"
    installed = place / "installed.txt"
    if installed.exists() and installed.read_text() == requirements.read_text():
        return python
    shutil.rmtree(place, ignore_errors=True)
    venv.create(place, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*command, "-r", str(requirements)]).returncode != 0:
        sys.exit(otherwise)
    shutil.copy(requirements, installed)
    return python
