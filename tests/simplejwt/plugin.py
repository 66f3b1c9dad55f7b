"""A pytest plugin that runs simplejwt's own tests against `yett.drf` under simplejwt's name.

`jwt`, which the tests sign their tokens with, is `yett.jwt` too: some of the tests look at how the
one package calls the other. `exceptions.txt` lists the subtests that fail with simplejwt itself:
exactly they must fail here, and every test must have run and passed.
"""

import collections
import os
import pathlib
from collections.abc import Generator

import pytest
from peer_names import take_short_secrets, take_the_names

EXCEPTIONS = pathlib.Path(__file__).with_name("exceptions.txt")

#: The tests of simplejwt 5.5.1.
TESTS = 184


def read_exceptions() -> collections.Counter[str]:
    """How many subtests of a test must fail."""
    lines = (line.strip() for line in EXCEPTIONS.read_text().splitlines())
    pairs = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return collections.Counter({name: int(times) for times, name in pairs})


# At import: before pytest or Django import anything of these names.
if "JUDGE_ITSELF" not in os.environ:
    take_the_names()
    # For the secret of ten bytes that the tests sign with. `yett.drf` allows such a `SIGNING_KEY`
    # by itself, and says so in the log.
    take_short_secrets()


class Judge:
    """Takes the listed failures for what they are, and counts."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.listed = read_exceptions()
        self.failed: collections.Counter[str] = collections.Counter()
        self.passed = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A listed subtest that fails for the reason of the list is an expected failure."""
        report = yield
        if report.failed and item.nodeid in self.listed and is_wrong_curve(call.excinfo):
            self.failed[item.nodeid] += 1
            report.outcome = "skipped"
            report.wasxfail = "signs with a key on another curve than its algorithm has"
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the tests that passed; reports of subtests have a context."""
        if report.passed and report.when == "call" and not hasattr(report, "context"):
            self.passed += 1

    @property
    def is_as_expected(self) -> bool:
        """Whether it was all of the suite, with the listed failures and no others."""
        if self.config.args != ["tests"] or self.config.option.keyword:
            return True
        return self.failed == self.listed and self.passed == TESTS

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run for less than that."""
        if not self.is_as_expected:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say why."""
        if not self.is_as_expected:
            terminalreporter.write_line(
                f"{self.passed} tests passed; {TESTS} must. Listed failures that are missing: "
                f"{dict(self.listed - self.failed)}; too many: {dict(self.failed - self.listed)}"
            )


def is_wrong_curve(failure: "pytest.ExceptionInfo[BaseException] | None") -> bool:
    """Whether a key was refused because it is not on the algorithm's curve."""
    from jwt import InvalidKeyError

    return failure is not None and failure.type is InvalidKeyError and "curve" in str(failure.value)


def pytest_configure(config: pytest.Config) -> None:
    """Take part in the run."""
    config.pluginmanager.register(Judge(config), "judge")
