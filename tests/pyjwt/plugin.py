"""A pytest plugin that runs PyJWT's own tests against `yett.jwt` under the name `jwt`.

`exceptions.txt` lists the tests that must fail here, with the reason. Each becomes a strict
expected failure: one that passes after all is a failure of the run, and so is a listed test that
does not exist.
"""

import pathlib

import pytest
from peer_names import take_short_secrets, take_the_names

EXCEPTIONS = pathlib.Path(__file__).with_name("exceptions.txt")


def take_short_defaults() -> None:
    """Set PyJWT's default of `enforce_minimum_key_length` for new objects too.

    Nearly all its tests sign with the secret "secret".
    """
    import yett.jwt.api_jws
    import yett.jwt.api_jwt

    for owner in (yett.jwt.api_jws.PyJWS, yett.jwt.api_jwt.PyJWT):
        defaults = {**owner._get_default_options(), "enforce_minimum_key_length": False}
        owner._get_default_options = staticmethod(lambda defaults=defaults: dict(defaults))


def read_exceptions() -> dict[str, str]:
    """The listed tests and why. A line at the margin is the reason for the indented ones below."""
    listed, reason = {}, ""
    for line in EXCEPTIONS.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            listed[line.strip()] = reason
        else:
            reason = line.strip()
    return listed


# At import: before pytest reads the suite's own filters for warnings, which name classes of `jwt`.
take_the_names()
take_short_secrets()
take_short_defaults()


def pytest_configure(config: pytest.Config) -> None:
    """As PyJWT's own configuration has it: every warning is an error but this one."""
    config.addinivalue_line("filterwarnings", "error")
    config.addinivalue_line("filterwarnings", "ignore::jwt.warnings.InsecureKeyLengthWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is listed."""
    listed = read_exceptions()
    for item in items:
        reason = listed.pop(item.nodeid, None)
        if reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
    if listed and config.args == ["tests"] and not config.option.keyword:
        raise pytest.UsageError("listed, but not there:\n" + "\n".join(listed))
