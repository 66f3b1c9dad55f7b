"""What the figures were measured on: machine, Python, versions, commit, date."""

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path


def processor() -> str:
    """Return the name of the CPU."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def commit(repository: Path) -> str:
    """Return the commit of this tree, and whether files differ from it; empty without git."""
    words = ["git", "-C", str(repository), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def versions(python: Path, packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of packages, as that interpreter has them; without those it has not."""
    script = """
import importlib.metadata as metadata, sys
for name in sys.argv[1:]:
    try:
        print(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        pass
"""
    words = [str(python), "-c", script, *packages]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return dict(line.split() for line in done.stdout.splitlines())


def facts(python: Path, repository: Path) -> dict[str, str]:
    """Return all that is the same for every row."""
    words = [str(python), "-c", "import platform; print(platform.python_version())"]
    version = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "CPU": processor(),
        "cores": str(cores()),
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": version,
        "commit": commit(repository),
    }
