"""The blacklist app goes on with a database of simplejwt, and is not overlooked."""

import json
import subprocess
import sys
from importlib import reload
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from yett.drf import tokens

HERE = Path(__file__).parent
THEIRS, OURS = "rest_framework_simplejwt", "yett.drf"

GOOD = ["kept", "gone", "sliding", "successor"]


def ask(package: str, database: Path, command: str, given: Any = None) -> Any:
    """Return the answer of the project under one package, from a process of its own."""
    arguments = ["-W", "ignore", str(HERE / "blacklist_project.py"), package, str(database)]
    ran = subprocess.run(
        [sys.executable, *arguments, command],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_database_of_simplejwt_goes_on_and_back(tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    issued = ask(THEIRS, database, "fill")
    theirs = ask(THEIRS, database, "look", issued)
    ours = ask(OURS, database, "look", issued)
    assert ours == theirs
    assert sorted(ours["accepted"]) == sorted(GOOD)
    assert ours["makemigrations"] == "No changes detected\n"
    # What is revoked here is revoked there, for those who go back.
    ask(OURS, database, "revoke", [issued["gone"]])
    for package in (THEIRS, OURS):
        assert "gone" not in ask(package, database, "look", issued)["accepted"]


def test_database_of_ours_is_one_of_simplejwt(tmp_path: Path) -> None:
    database, other = tmp_path / "ours.sqlite3", tmp_path / "theirs.sqlite3"
    issued = ask(OURS, database, "fill")
    ask(THEIRS, other, "fill")
    ours = ask(OURS, database, "look", issued)
    assert ask(THEIRS, database, "look", issued) == ours
    assert sorted(ours["accepted"]) == sorted(GOOD)
    assert ask(THEIRS, other, "look", {})["schema"] == ours["schema"]


def test_migrations_have_the_names_and_the_sql_of_simplejwt(tmp_path: Path) -> None:
    theirs = ask(THEIRS, tmp_path / "a", "sql")
    ours = ask(OURS, tmp_path / "b", "sql")
    assert ours == theirs
    assert len(ours) == 12


def test_admin_and_flush_do_what_those_of_simplejwt_do(tmp_path: Path) -> None:
    answers = []
    for package in (THEIRS, OURS):
        database = tmp_path / package
        issued = ask(package, database, "fill")
        answers.append(
            (ask(package, database, "admin", issued), ask(package, database, "flush", issued))
        )
    assert answers[0] == answers[1]
    seen, _ = answers[1]
    assert seen["/outstandingtoken/"] == seen["/blacklistedtoken/add/"] == 200
    assert seen["/outstandingtoken/add/"] == seen["post"] == 403


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("rest_framework_simplejwt.token_blacklist", "token_blacklist"),
        ("rest_framework_simplejwt.token_blacklist", "renamed"),
        ("project.blacklist", "token_blacklist"),
    ],
)
def test_other_blacklist_beside_our_tokens_stops_the_start(
    name: str, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else tokens that the project has revoked would count.
    stranger = type("Stranger", (), {"name": name, "label": label})
    monkeypatch.setitem(apps.app_configs, label, stranger)
    with pytest.raises(ImproperlyConfigured, match=r"Write 'yett\.drf\.token_blacklist'"):
        reload(tokens)


def test_without_the_app_there_is_no_blacklist_to_ask() -> None:
    assert not hasattr(tokens.RefreshToken, "blacklist")
    assert not hasattr(tokens.RefreshToken, "check_blacklist")
    assert tokens.RefreshToken().outstand() is None
