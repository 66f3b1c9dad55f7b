"""A refresh token works once: rotation is one step in the database. Here with SQLite."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rotation_storm import BLACKLISTED, SHAPES, Process, check_storms, jti_of, project, storm


def sqlite(folder: Path, name: str = "db.sqlite3", **more: Any) -> dict[str, Any]:
    """Settings of a database in a file of the folder.

    Patient with locks: on a busy machine the turns of 100 clients may take more than 5 s.
    """
    options = {"timeout": 30, **more.pop("OPTIONS", {})}
    engine = "django.db.backends.sqlite3"
    return {"ENGINE": engine, "NAME": str(folder / name), "OPTIONS": options, **more}


@pytest.mark.parametrize("shape", SHAPES, ids=["100 threads", "4 processes"])
@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_of_100_requests_that_all_found_the_token_good_one_gets_a_pair(
    shape: tuple[int, int], journal: str, tmp_path: Path
) -> None:
    check_storms({"databases": {"default": sqlite(tmp_path)}}, shape, "check", journal=journal)


@pytest.mark.parametrize("shape", SHAPES, ids=["100 threads", "4 processes"])
@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_one_gets_a_pair_where_requests_are_transactions(
    shape: tuple[int, int], journal: str, tmp_path: Path
) -> None:
    database = sqlite(tmp_path, ATOMIC_REQUESTS=True)
    check_storms({"databases": {"default": database}}, shape, "start", journal=journal)


@pytest.mark.parametrize("is_atomic", [False, True])
def test_one_gets_a_pair_where_transactions_begin_with_the_lock(
    is_atomic: bool, tmp_path: Path
) -> None:
    options = {"transaction_mode": "IMMEDIATE"}
    database = sqlite(tmp_path, ATOMIC_REQUESTS=is_atomic, OPTIONS=options)
    check_storms({"databases": {"default": database}}, SHAPES[1], "start", rounds=1)


def test_many_get_a_pair_from_simplejwt(tmp_path: Path) -> None:
    # So the storm is one, and what passes it is proved.
    theirs = {
        "package": "rest_framework_simplejwt",
        "databases": {"default": sqlite(tmp_path)},
    }
    with project(theirs) as process:
        process.ask("prepare")
        answers = storm([process], process.ask("issue"), 100, "check")
    assert sum(status == 200 for _, status, *_ in answers) > 1


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One process of the project, with SQLite, that does not wait long for locks."""
    database = sqlite(tmp_path_factory.mktemp("one"), OPTIONS={"timeout": 0.05})
    with project({"databases": {"default": database}}) as process:
        process.ask("prepare")
        yield process


def test_logouts_of_one_token_at_once_all_succeed_as_in_simplejwt(tmp_path: Path) -> None:
    with project({"databases": {"default": sqlite(tmp_path)}}) as process:
        process.ask("prepare")
        answers = storm([process], process.ask("issue"), 50, "check", "/blacklist/")
        assert Counter(map(str, answers)) == {str(["/blacklist/", 200, {}, None]): 50}
        assert len(process.ask("rows")["revoked"]) == 1


def test_refreshes_and_logouts_at_once_give_at_most_one_pair(tmp_path: Path) -> None:
    with project({"databases": {"default": sqlite(tmp_path)}}) as process:
        process.ask("prepare")
        token = process.ask("issue")
        answers = storm([process], token, 25, "check", "/blacklist/", "/refresh/")
        counted = Counter((path, status) for path, status, *_ in answers)
        assert counted["/blacklist/", 200] == 25
        assert counted["/refresh/", 200] in (0, 1)
        assert counted["/refresh/", 401] == 25 - counted["/refresh/", 200]
        rows = process.ask("rows")
        assert rows["revoked"] == [jti_of(token)]
        assert len(rows["issued"]) == 1 + counted["/refresh/", 200]


def test_refresh_takes_five_statements_where_simplejwt_takes_nine(
    one: Process, tmp_path: Path
) -> None:
    def of_data(statements: list[str]) -> list[str]:
        return [" ".join(sql.split()[:3]) for sql in statements if is_of_data(sql)]

    def is_of_data(sql: str) -> bool:
        return sql.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))

    token = one.ask("issue")
    ours = one.ask("statements", token=token)
    # SQLite alone: the one that takes the lock and changes nothing.
    assert [sql for sql in ours if sql.startswith("UPDATE")] == [ours[3]]
    begin = ours.index("BEGIN")
    data = of_data(ours)
    assert len(data) == 5 + 1
    assert len(of_data(ours[:begin])) == 2
    assert ours[begin + 1].startswith("UPDATE") and ours[-1] == "COMMIT"
    assert [sql.split()[0] for sql in data] == [
        "SELECT", "SELECT", "UPDATE", "SELECT", "INSERT", "INSERT",
    ]  # fmt: skip
    (tmp_path / "theirs").mkdir()
    theirs = {
        "package": "rest_framework_simplejwt",
        "databases": {"default": sqlite(tmp_path / "theirs")},
    }
    with project(theirs) as process:
        process.ask("prepare")
        assert len(of_data(process.ask("statements", token=process.ask("issue")))) == 9


@pytest.mark.parametrize("method", ["set_jti", "set_exp", "set_iat", "outstand", "blacklist"])
def test_rotation_that_fails_costs_nobody_the_token(method: str, one: Process) -> None:
    token = one.ask("issue")
    before = one.ask("rows")
    assert one.ask("failing", token=token, method=method)[0] == 500
    assert one.ask("failing_signature", token=token)[0] == 500
    assert one.ask("rows") == before
    assert one.ask("refresh", token=token)[0] == 200


def test_database_that_stays_locked_is_503_and_costs_nobody_the_token(one: Process) -> None:
    token = one.ask("issue")
    status, body, retry_after = one.ask("while_another_writes", token=token)
    assert (status, body) == (503, {"detail": "The database is busy. Try again."})
    assert retry_after == "1"
    assert one.ask("refresh", token=token)[0] == 200


def test_database_that_stays_locked_is_503_at_logout_too(one: Process) -> None:
    token = one.ask("issue")
    locked = one.ask("while_another_writes", token=token, path="/blacklist/")
    assert locked == [503, {"detail": "The database is busy. Try again."}, "1"]
    # Nothing was done, and the token can still be ended, or used.
    assert one.ask("refresh", token=token)[0] == 200


@pytest.mark.parametrize(
    ("code", "times", "status", "left"),
    [
        ("40001", 2, 200, 0),
        ("40P01", 2, 200, 0),
        (1213, 2, 200, 0),
        ("40001", 9, 503, 6),
        ("55P03", 9, 503, 8),
        (1205, 9, 503, 8),
        ("57P01", 9, 500, 8),
    ],
)
def test_conflict_is_begun_anew_three_times_at_most(
    code: str | int, times: int, status: int, left: int, one: Process
) -> None:
    token = one.ask("issue")
    answer = one.ask("failing_database", token=token, code=code, times=times)
    assert (answer[0], answer[-1]) == (status, left)
    assert one.ask("refresh", token=token)[0] == (401 if status == 200 else 200)


def test_user_deleted_in_the_middle_is_refused(tmp_path: Path) -> None:
    with project({"databases": {"default": sqlite(tmp_path)}}) as process:
        process.ask("prepare")
        token = process.ask("issue")
        status, body, _ = process.ask("user_leaves_meanwhile", token=token)
        assert status == 401
        assert body["detail"] == "No active account found for the given token."
        # The database refused the successor's row at the commit; the token was not taken either.
        assert process.ask("rows") == {"issued": [jti_of(token)], "revoked": [], "users": [None]}


@pytest.mark.parametrize("returned", ["result", "nothing"])
def test_own_token_and_serializer_classes_go_on(returned: str, one: Process) -> None:
    token = one.ask("issue")
    status, body, _, calls = one.ask("with_own_classes", token=token, returned=returned)
    assert (status, body["more"]) == (200, True)
    assert calls == ["blacklist", "set_jti", "outstand"]
    assert one.ask("refresh", token=token)[:2] == [401, BLACKLISTED]
    assert one.ask("refresh", token=body["refresh"])[0] == 200


@pytest.mark.parametrize("is_atomic", [False, True])
def test_blacklist_in_another_database_is_used_in_that_one(is_atomic: bool, tmp_path: Path) -> None:
    databases = {
        "default": sqlite(tmp_path, "default", ATOMIC_REQUESTS=is_atomic),
        "other": sqlite(tmp_path, "other", ATOMIC_REQUESTS=is_atomic),
    }
    check_storms({"databases": databases}, SHAPES[0], "start" if is_atomic else "check", rounds=1)


@pytest.mark.parametrize(
    "settings",
    [
        {"app": False},
        {"tokens": {"BLACKLIST_AFTER_ROTATION": False}},
    ],
    ids=["without the app", "without the setting"],
)
def test_elsewhere_a_token_works_as_often_as_in_simplejwt(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    with project({"databases": {"default": sqlite(tmp_path)}, **settings}) as process:
        process.ask("prepare")
        token = process.ask("issue")
        for _ in range(2):
            status, body, _ = process.ask("refresh", token=token)
            assert status == 200 and jti_of(body["refresh"]) != jti_of(token)


def test_without_rotation_nothing_is_written(tmp_path: Path) -> None:
    settings = {"tokens": {"ROTATE_REFRESH_TOKENS": False}}
    with project({"databases": {"default": sqlite(tmp_path)}, **settings}) as process:
        process.ask("prepare")
        statements = process.ask("statements", token=process.ask("issue"))
        assert [sql.split()[0] for sql in statements] == ["SELECT", "SELECT"]
