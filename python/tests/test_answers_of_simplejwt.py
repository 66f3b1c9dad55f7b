"""Field by field: the same project under simplejwt and under `yett.drf` answers alike.

The judge is the real simplejwt, from its package. Status, the headers that clients read
and the JSON are compared; the few differences that are meant stand below with reasons.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from answers import VARIANTS

HERE = Path(__file__).parent
KINDS = ("api", "refresh", "verify", "sliding refresh", "blacklist")

#: simplejwt fails with 500 or accepts what it should not; we refuse as for any bad token.
REFUSED_HERE = {
    "exp as a text": "a claim of a wrong type is not a claim; simplejwt answers 500",
    "exp beyond the calendar": "no calendar holds it; simplejwt answers 500",
    "a name twice": "which of the two would count depends on the reader",
    "padded": "base64url in a token has no padding (RFC 7515 section 2)",
    "audience of a wrong type": "a claim of a wrong type is refused even when not asked for",
}
#: Other differences: the name of a request, its answer here, and why.
NO_ACCOUNT = (401, {"detail": "No active account found for the given token."})
NO_USER = (401, {"detail": "User not found", "code": "user_not_found"})
NOT_A_NUMBER = "such a user does not exist; simplejwt answers 500"
DELETED = "simplejwt 5.5.1 answers 500; the release after it answers so"
ANSWERED_HERE: dict[str, tuple[tuple[int, Any], str]] = {
    "api: user id that is no number": (NO_USER, NOT_A_NUMBER),
    "api: refresh token of a user id that is no number": (NO_USER, NOT_A_NUMBER),
    "refresh: user id that is no number": (NO_ACCOUNT, NOT_A_NUMBER),
    "refresh: refresh token of a user id that is no number": (NO_ACCOUNT, NOT_A_NUMBER),
    "refresh: user that was deleted": (NO_ACCOUNT, DELETED),
    "refresh: refresh token of a deleted user": (NO_ACCOUNT, DELETED),
    "refresh: refresh token, other password": (
        (401, {"detail": "The user's password has been changed."}),
        "the release after 5.5.1 looks at CHECK_REVOKE_TOKEN here too",
    ),
    "refresh: other password": (
        (401, {"detail": "The user's password has been changed."}),
        "as above, where the token's type is not checked",
    ),
}
NO_ID = (401, {"detail": "Token has no id", "code": "token_not_valid"})
ANSWERED_HERE |= {
    f"{kind}: {token}": (NO_ID, "with the blacklist app, simplejwt answers 500")
    for kind in ("refresh", "sliding refresh", "blacklist")
    for token in ("no id", "no exp, id and type", "no id and no type")
}
ANSWERED_HERE["blacklist: refresh token of a user id that is no number"] = (
    (200, {}),
    "it is revoked, whoever it was for; simplejwt answers 500",
)
LOWER_CASE = "header: scheme in small letters"


def ask(package: str, variant: str, now: int) -> dict[str, Any]:
    """Return the answers of the project under one package, from a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / "answers.py"), package, variant, str(now)],
        # DRF builds `Allow` of function views from a set.
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module", params=list(VARIANTS))
def both(request: pytest.FixtureRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what simplejwt and what `yett.drf` answered, under one variant of settings."""
    now = int(time.time())
    return ask("rest_framework_simplejwt", request.param, now), ask("yett.drf", request.param, now)


def is_our_refusal(name: str) -> bool:
    """Return whether a request brings a token that only we refuse."""
    kind, _, token = name.partition(": ")
    return kind in KINDS and token in REFUSED_HERE


def test_every_other_answer_is_the_same(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = both
    assert list(theirs) == list(ours)
    different = {
        name: {"simplejwt": theirs[name], "yett.drf": ours[name]}
        for name in theirs
        if theirs[name] != ours[name]
        and not is_our_refusal(name)
        and name not in ANSWERED_HERE
        and name not in (LOWER_CASE, "tables")
        # What OPTIONS says of a token view is its docstring.
        and not name.endswith("/: OPTIONS")
    }
    assert different == {}


def test_the_tables_of_the_blacklist_are_the_same(
    both: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    theirs, ours = (answers.get("tables", []) for answers in both)
    more = [row for row in ours if row not in theirs]
    assert [row for row in ours if row in theirs] == theirs
    # The one whose user id is no number, see above.
    assert all(claims_of(row)["user_id"] == "ann" and row[-1] for row in more)


def claims_of(row: list[Any]) -> dict[str, Any]:
    """Return the claims of the token in a row of the tables."""
    return dict(row[2]["claims"])


def test_what_simplejwt_breaks_on_is_an_ordinary_refusal(
    both: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    theirs, ours = both
    for name in filter(is_our_refusal, ours):
        if ours[name] == theirs[name]:
            continue
        kind = name.partition(":")[0]
        like = ours[f"{kind}: wrong key"]
        assert ours[name] == like, name


def test_the_meant_differences_are_as_described(
    both: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    theirs, ours = both
    for name, ((status, body), reason) in ANSWERED_HERE.items():
        if ours[name] != theirs[name]:
            assert (ours[name]["status"], ours[name]["body"]) == (status, body), (name, reason)


def test_scheme_in_small_letters_is_the_scheme(
    both: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    # RFC 9110 section 11.1, and simplejwt since its release after 5.5.1.
    _, ours = both
    assert ours[LOWER_CASE] == ours["header: two spaces"]


def test_options_of_the_token_views_differ_in_their_description_alone(
    both: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    theirs, ours = both
    for name in (name for name in ours if name.endswith("/: OPTIONS")):
        for answer in (theirs[name], ours[name]):
            answer["body"].pop("description", None)
        assert ours[name] == theirs[name], name
