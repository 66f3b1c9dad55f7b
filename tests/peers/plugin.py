"""A pytest plugin that runs dj-rest-auth's own tests on `yett.drf` under simplejwt's name.

`exceptions.txt` lists the tests that cannot be judged here: they are not run. Every other test
must have run and passed, whether on `yett.drf` or, with `JUDGE_ITSELF`, on simplejwt.
"""

import os
import pathlib

import pytest
from peer_names import take_the_names

EXCEPTIONS = pathlib.Path(__file__).with_name("exceptions.txt")

#: The tests of dj-rest-auth 7.2.0.
TESTS = 109

ITSELF = "JUDGE_ITSELF" in os.environ

# At import: before pytest or Django import anything of these names.
if not ITSELF:
    take_the_names()


class Judge:
    """Leaves out the listed tests, and counts the others."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        lines = (line.strip() for line in EXCEPTIONS.read_text().splitlines())
        self.listed = {line for line in lines if line and not line.startswith("#")}
        self.found = 0
        self.missing: set[str] = set()
        self.passed = 0

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Take the listed tests out."""
        self.found = len(items)
        self.missing = self.listed - {item.nodeid for item in items}
        items[:] = [item for item in items if item.nodeid not in self.listed]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the tests that passed."""
        self.passed += report.passed and report.when == "call"

    @property
    def judged(self) -> str:
        """The package that dj-rest-auth took its classes from."""
        from dj_rest_auth import jwt_auth

        return str(jwt_auth.JWTAuthentication.__module__).rpartition(".")[0]

    @property
    def is_as_expected(self) -> bool:
        """Whether it was all of the suite, on the right package, and all of it passed."""
        if self.judged != ("rest_framework_simplejwt" if ITSELF else "yett.drf"):
            return False
        if self.config.args != ["tests"] or self.config.option.keyword:
            return True
        wanted = TESTS - len(self.listed)
        return self.found == TESTS and not self.missing and self.passed == wanted

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run for less than that."""
        if not self.is_as_expected:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what judged, and why it was too little."""
        terminalreporter.write_line(f"dj-rest-auth on {self.judged}")
        if not self.is_as_expected:
            terminalreporter.write_line(
                f"{self.found} tests found, {self.passed} passed; {TESTS} must be there, and pass"
                f" but for {sorted(self.listed)}, of which are missing: {sorted(self.missing)}"
            )


def pytest_configure(config: pytest.Config) -> None:
    """Take part in the run."""
    config.pluginmanager.register(Judge(config), "judge")
