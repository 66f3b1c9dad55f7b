"""A refresh token works once: rotation is one step in the database. Here with Postgres.

Without a Postgres these tests fail; they are never skipped.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

import psycopg
import pytest

from postgres_server import postgres
from rotation_storm import SHAPES, check_storms, project, storm

names = (f"rotation{number}" for number in count())


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    """A server for all tests of this file."""
    with postgres() as settings:
        yield settings


@pytest.fixture
def database(server: dict[str, Any]) -> dict[str, Any]:
    """A new database of it."""
    name = next(names)
    address = {"host": server["HOST"], "user": server["USER"], "dbname": "postgres"}
    with psycopg.connect(**address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return {**server, "NAME": name}


@pytest.mark.parametrize("shape", SHAPES, ids=["100 threads", "4 processes"])
@pytest.mark.parametrize("is_atomic", [False, True], ids=["", "ATOMIC_REQUESTS"])
def test_of_100_requests_that_all_found_the_token_good_one_gets_a_pair(
    shape: tuple[int, int], is_atomic: bool, database: dict[str, Any]
) -> None:
    settings = {"databases": {"default": {**database, "ATOMIC_REQUESTS": is_atomic}}}
    check_storms(settings, shape, "check")


@pytest.mark.parametrize("level", ["REPEATABLE_READ", "SERIALIZABLE"])
def test_one_gets_a_pair_under_stricter_isolation(level: str, database: dict[str, Any]) -> None:
    options = {"isolation_level": level}
    check_storms({"databases": {"default": {**database, "OPTIONS": options}}}, SHAPES[0], "check")


def test_many_get_a_pair_from_simplejwt(database: dict[str, Any]) -> None:
    # So the storm is one, and what passes it is proved.
    theirs = {"package": "rest_framework_simplejwt", "databases": {"default": database}}
    with project(theirs) as process:
        process.ask("prepare")
        answers = storm([process], process.ask("issue"), 100, "check")
    assert sum(status == 200 for _, status, *_ in answers) > 1


def test_refreshes_and_logouts_at_once_give_at_most_one_pair(database: dict[str, Any]) -> None:
    with project({"databases": {"default": database}}) as process:
        process.ask("prepare")
        token = process.ask("issue")
        answers = storm([process], token, 50, "check", "/blacklist/", "/refresh/")
        kinds = {(path, status) for path, status, *_ in answers}
        pairs = [path for path, status, *_ in answers if (path, status) == ("/refresh/", 200)]
        assert kinds <= {("/blacklist/", 200), ("/refresh/", 401), ("/refresh/", 200)}
        assert len(pairs) <= 1
        assert len(process.ask("rows")["issued"]) == 1 + len(pairs)


def test_user_deleted_in_the_middle_is_refused(database: dict[str, Any]) -> None:
    with project({"databases": {"default": database}}) as process:
        process.ask("prepare")
        status, body, _ = process.ask("user_leaves_meanwhile", token=process.ask("issue"))
        assert (status, body["detail"]) == (401, "No active account found for the given token.")
        assert process.ask("rows")["revoked"] == []
