"""Fetches a peer's own tests from its source distribution, at test time; never kept here."""

import pathlib
import subprocess
import sys
import tarfile


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
