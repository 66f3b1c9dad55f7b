"""A pytest plugin: one server for each framework, and the grid at the end of the run.

    python -m pytest -p tests.frameworks.plugin tests/frameworks/grid.py
        [--judge uvicorn|gunicorn] [--only-interface wsgi|asgi]

No `conftest.py`, which the other tests of `tests/` would load as well.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..conftest import PYTHON
from ..hold import Hold
from ..server import Server
from .frameworks import ALL, FRAMEWORKS, Framework
from .servers import JUDGES, start

Outcomes = dict[tuple[str, str], str]
OUTCOMES = pytest.StashKey[Outcomes]()


class Stage:
    """A running application, and the folder where it leaves its marks."""

    def __init__(self, server: Server, hold: Hold, folder: Path) -> None:
        """Keep them together."""
        self.server = server
        self.let_go = hold.let_go
        self._folder = folder

    def mark(self, name: str) -> str | None:
        """Return what a mark says; none while it is not there."""
        place = self._folder / name
        return f"{place.read_text()}!" if place.exists() else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Who serves, and which rows."""
    parser.addoption("--judge", choices=sorted(JUDGES), help="serve with this instead of Yett")
    parser.addoption("--only-interface", choices=("wsgi", "asgi"), help="only these frameworks")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, and make room for the outcomes."""
    config.addinivalue_line("markers", "capability(name): the column of the grid")
    config.stash[OUTCOMES] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test the frameworks that have its capability."""
    marker = metafunc.definition.get_closest_marker("capability")
    assert marker is not None, "every test of the grid has a column"
    [name] = marker.args
    assert name in ALL, name
    rows = [each for each in FRAMEWORKS if name in each.capabilities]
    ids = [each.name for each in rows]
    metafunc.parametrize("framework", rows, ids=ids, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the rows out that the chosen server does not serve."""
    judge = config.getoption("--judge")
    interface = JUDGES[judge] if judge else config.getoption("--only-interface")
    if interface is not None:
        items[:] = [item for item in items if _row(item).interface == interface]


def _row(item: pytest.Item) -> Framework:
    assert isinstance(item, pytest.Function), item
    found: Framework = item.callspec.params["framework"]
    return found


@pytest.fixture(scope="session")
def raise_curtain(
    runtime_folder: str,
    request: pytest.FixtureRequest,
) -> Callable[[Framework, Hold, Path], Server]:
    """Return what starts a framework's server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YETT_")}
    kept |= {"XDG_RUNTIME_DIR": runtime_folder, "YETT_PYTHON": PYTHON}
    kept["PYTHONDONTWRITEBYTECODE"] = "1"
    judge = request.config.getoption("--judge")

    def begin(framework: Framework, hold: Hold, cwd: Path) -> Server:
        return start(framework, judge, {**kept, **hold.environment}, cwd)

    return begin


def _play(framework: Framework, folder: Path, begin: Callable[..., Server]) -> Iterator[Stage]:
    with Hold(folder / "hold") as hold:
        server = begin(framework, hold, folder)
        try:
            yield Stage(server, hold, folder / "hold")
            if server.process.poll() is None:
                server.stop()
            server.await_end_of_all()
            assert "panicked at" not in server.stderr, server.stderr
        finally:
            server.kill_all()


@pytest.fixture(scope="session")
def stage(
    framework: Framework,
    tmp_path_factory: pytest.TempPathFactory,
    raise_curtain: Callable[..., Server],
) -> Iterator[Stage]:
    """Return the framework's running application; all its tests share it."""
    yield from _play(framework, tmp_path_factory.mktemp(framework.module), raise_curtain)


@pytest.fixture
def own_stage(
    framework: Framework, tmp_path: Path, raise_curtain: Callable[..., Server]
) -> Iterator[Stage]:
    """Return a running application of the test's own, which it may end."""
    yield from _play(framework, tmp_path, raise_curtain)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remember what goes into the cell."""
    report = yield
    marker = item.get_closest_marker("capability")
    if marker is not None and (report.when == "call" or report.failed):
        cell = (_row(item).name, marker.args[0])
        worse = report.failed or item.config.stash[OUTCOMES].get(cell) == "FAIL"
        item.config.stash[OUTCOMES][cell] = "FAIL" if worse else "ok"
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the grid."""
    outcomes = config.stash[OUTCOMES]
    rows = [each.name for each in FRAMEWORKS if any(cell[0] == each.name for cell in outcomes)]
    columns = dict.fromkeys(name for _, name in outcomes)
    terminalreporter.section(f"frameworks under {config.getoption('--judge') or 'Yett'}")
    width = max((len(name) for name in columns), default=0)
    terminalreporter.line(" " * width + "  " + "  ".join(rows))
    for name in columns:
        cells = (outcomes.get((row, name), "").ljust(len(row)) for row in rows)
        terminalreporter.line(f"{name:{width}}  {'  '.join(cells)}".rstrip())
