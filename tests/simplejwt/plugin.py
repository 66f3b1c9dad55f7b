"""A pytest plugin that runs simplejwt's own tests against `yett.drf` under simplejwt's name.

`jwt`, which the tests sign their tokens with, is `yett.jwt` too: some of the tests look at how the
one package calls the other. `exceptions.txt` lists the subtests that fail with simplejwt itself:
exactly they must fail here, and every test must have run and passed.
"""

import collections
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import pathlib
import sys
import types
from collections.abc import Generator, Sequence

import pytest

EXCEPTIONS = pathlib.Path(__file__).with_name("exceptions.txt")

#: The tests of simplejwt 5.5.1.
TESTS = 184

NAMES = {"rest_framework_simplejwt": "yett.drf", "jwt": "yett.jwt"}


def own_name(name: str) -> str | None:
    """The name here of a module of simplejwt or PyJWT; `None` for any other module."""
    root, dot, rest = name.partition(".")
    return NAMES[root] + dot + rest if root in NAMES else None


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules under the other name: the very module objects of yett.

    `package.__init__` is the exception: a test imports it to have a fresh copy.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        own = own_name(name)
        if own is None:
            return None
        found = importlib.util.find_spec(own)
        if found is None:
            raise ModuleNotFoundError(f"No module named {name!r}, which would be {own}", name=name)
        if name.endswith(".__init__"):
            return importlib.util.spec_from_file_location(name, found.origin)
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = importlib.import_module(own_name(spec.name) or "")
        # Importing writes the alias into it; what is reloaded must know its own name.
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state


def take_the_names() -> None:
    """Make the other names find what is here."""
    for root in NAMES:
        assert root not in sys.modules, f"{root} was imported before"
    # First: the packages of these names may be installed.
    sys.meta_path.insert(0, Alias())


def take_short_secrets() -> None:
    """Let the tests sign with their secret of ten bytes, as PyJWT does with a warning.

    `yett.drf` does not need it: it allows such a `SIGNING_KEY` by itself, and says so in the log.
    """
    import yett.jwt.api_jws
    import yett.jwt.api_jwt

    yett.jwt.api_jws._jws_global_obj.options["enforce_minimum_key_length"] = False
    yett.jwt.api_jwt._jwt_global_obj.options["enforce_minimum_key_length"] = False


def read_exceptions() -> collections.Counter[str]:
    """How many subtests of a test must fail."""
    lines = (line.strip() for line in EXCEPTIONS.read_text().splitlines())
    pairs = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return collections.Counter({name: int(times) for times, name in pairs})


# At import: before pytest or Django import anything of these names.
if "JUDGE_ITSELF" not in os.environ:
    take_the_names()
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
