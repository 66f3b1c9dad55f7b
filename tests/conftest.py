"""Fixtures of the whole-system tests: the real program, real Python, ports that the kernel chooses.

`YETT_BIN` names the program and `YETT_TEST_PYTHON` the interpreter that has the package `yett`.
Without them it is the debug build of this tree and the interpreter that runs the tests, with
`python/` on its path.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .hold import Hold
from .server import Server

REPOSITORY = Path(__file__).resolve().parent.parent
APPS = Path(__file__).resolve().parent / "apps"
PROGRAM = os.environ.get("YETT_BIN", str(REPOSITORY / "target" / "debug" / "yett"))
PYTHON = os.environ.get("YETT_TEST_PYTHON", sys.executable)


@dataclass(frozen=True)
class Finished:
    """A run of the program that has ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def runtime_folder() -> Iterator[str]:
    """Return a folder for control sockets, so that no other server is ever found."""
    folder = tempfile.mkdtemp(prefix="yett-tests-")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def environment(runtime_folder: str) -> dict[str, str]:
    """Return the environment of every process that a test starts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YETT_")}
    kept["XDG_RUNTIME_DIR"] = runtime_folder
    kept["YETT_PYTHON"] = PYTHON
    # A module that a test rewrites within a second must not be hidden by its compiled form.
    kept["PYTHONDONTWRITEBYTECODE"] = "1"
    path = [os.path.abspath(each) for each in kept.get("PYTHONPATH", "").split(os.pathsep) if each]
    if "YETT_TEST_PYTHON" not in os.environ:
        path.insert(0, str(REPOSITORY / "python"))
    # Absolute, as the servers run in folders of their own.
    kept["PYTHONPATH"] = os.pathsep.join(path)
    return kept


@pytest.fixture
def serve(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., Server]]:
    """Start servers; at the end of the test each must stop well and leave no process behind."""
    servers: list[Server] = []

    def start(
        app: str | None = None,
        *flags: str,
        folder: Path = APPS,
        cwd: Path = tmp_path,
        log_format: str = "json",
        bind: tuple[str, ...] = ("127.0.0.1:0",),
        env: dict[str, str] | None = None,
        **how: Any,
    ) -> Server:
        words = [PROGRAM, "serve", *([app] if app else []), "--log-format", log_format]
        if folder != cwd:
            words += ["--chdir", str(folder)]
        for address in bind:
            words += ["--bind", address]
        server = Server([*words, *flags], {**environment, **(env or {})}, cwd, **how)
        servers.append(server)
        return server

    yield start
    for server in servers:
        try:
            if server.process.poll() is None:
                assert server.stop() == 0, server.stderr
            server.await_end_of_all()
            assert "panicked at" not in server.stderr, server.stderr
        finally:
            server.kill_all()


@pytest.fixture
def yett(tmp_path: Path, environment: dict[str, str]) -> Callable[..., Finished]:
    """Run the program to its end; `cwd` is the test's folder."""

    def run(*words: str, cwd: Path = tmp_path, env: dict[str, str] | None = None) -> Finished:
        done = subprocess.run(
            [PROGRAM, *words],
            cwd=cwd,
            env={**environment, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def python(environment: dict[str, str]) -> Callable[..., str]:
    """Run the interpreter that has the package; return its stdout."""

    def run(*words: str, cwd: Path, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [PYTHON, *words],
            cwd=cwd,
            env={**environment, **(env or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """Return the place where requests to `held:application` stop until they are let go."""
    with Hold(tmp_path / "hold") as place:
        yield place
