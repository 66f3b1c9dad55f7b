"""Whatever is sent to a token view is answered as its OpenAPI document says, never with 5xx."""

import json
from pathlib import Path
from typing import Any

import pytest

from test_openapi import TOKEN_VIEWS, run

SIGNED_VIEWS = ("/refresh/", "/verify/", "/sliding/refresh/", "/blacklist/")
NO_ACCOUNT = {"detail": "No active account found for the given token."}


def ask(requests: dict[str, Any]) -> dict[str, Any]:
    """Return the answers of the project with the blacklist app, by the names of the requests."""
    answers = run("yett.drf", "plain", ":memory:", "answers", stdin=json.dumps(requests))
    assert {name: a["raised"] for name, a in answers.items() if a["raised"]} == {}
    return answers  # type: ignore[no-any-return]


def fields(value: Any) -> str:
    """Return a body with one value in every field that a token view may ask for."""
    return json.dumps(dict.fromkeys(("username", "password", "refresh", "token"), value))


@pytest.mark.parametrize("variant", ["plain", "rotating"])
def test_schemathesis_finds_no_fault(tmp_path: Path, variant: str) -> None:
    found = run("yett.drf", variant, str(tmp_path / "db.sqlite3"), "abuse")
    assert found["wrong"] == []
    # It has been everywhere, and past the first refusal.
    assert set(found["asked"]) == {f"POST {path}" for path in TOKEN_VIEWS} | {
        "GET /me/",
        "GET /stateless/",
    }
    assert min(found["asked"].values()) > 100
    for path in SIGNED_VIEWS:
        assert {200, 400, 401} <= set(found["statuses"][f"POST {path}"])


def everywhere(requests: dict[str, Any], paths: tuple[str, ...] = TOKEN_VIEWS) -> dict[str, int]:
    """Return the status of each request at each path."""
    asked = {
        f"{path}: {name}": {"path": path, **request}
        for path in paths
        for name, request in requests.items()
    }
    return {name: answer["status"] for name, answer in ask(asked).items()}


def test_a_body_that_is_no_body_is_a_400() -> None:
    bodies = {
        "lists in lists": "[" * 100_000,
        "objects in objects": '{"a":' * 50_000,
        "NUL": fields("a\0b"),
        "lone surrogate": fields("\ud800"),
        "its bytes": '{"username":"\ud800"}',
        "bytes that are no UTF-8": "\udcff",
        "integer of 5000 digits": f'{{"username":{"9" * 5000}}}',
        "NaN": '{"username":NaN}',
        "truth": fields(True),
        "list": fields([1]),
        "object": fields({"a": 1}),
        "no object": "7",
    }
    statuses = everywhere({name: {"body": body} for name, body in bodies.items()})
    assert statuses == dict.fromkeys(statuses, 400)


def test_a_body_of_a_strange_type_is_a_400_or_415() -> None:
    form = "application/x-www-form-urlencoded"
    half_said = [f"{form}; charset=zlib", f"{form}; charset=nope", "multipart/form-data; boundary="]
    unknown = ["text/plain", "/", "\xe9/\xe9", "application/*", ";;;"]
    body = "username=%ff%00&refresh=%00&token=%00"
    requests = {kind: {"content_type": kind, "body": body} for kind in (*half_said, *unknown)}
    statuses = everywhere(requests)
    assert {name: status for name, status in statuses.items() if status not in (400, 415)} == {}
    assert 415 in statuses.values() and 400 in statuses.values()


def test_a_token_of_any_length_is_answered() -> None:
    statuses = everywhere({"giant": {"body": fields("x.y." + "z" * 500_000)}}, SIGNED_VIEWS)
    assert statuses == dict.fromkeys(statuses, 401)


#: What a user's id may be in a token that is rightly signed, of an issuer that is careless.
NO_IDS: dict[str, Any] = {
    "object": {"a": 1},
    "list": [1],
    "beyond SQLite's integers": 10**30,
    "below them": -(10**30),
    "as a text": "9" * 40,
    "more digits than Python reads": "9" * 4400,
    "beyond integers": 1e308,
    "NUL": "1\0",
}


def test_a_user_id_that_nobody_can_have_is_nobody() -> None:
    refresh = {
        name: {"path": "/refresh/", "claims": {"user_id": value}} for name, value in NO_IDS.items()
    }
    assert {name: json.loads(a["body"]) for name, a in ask(refresh).items()} == dict.fromkeys(
        NO_IDS, NO_ACCOUNT
    )
    api = {
        name: {
            "path": "/me/",
            "method": "GET",
            "claims": {"user_id": value, "token_type": "access"},
        }
        for name, value in NO_IDS.items()
    }
    assert {name: a["status"] for name, a in ask(api).items()} == dict.fromkeys(NO_IDS, 401)
    # Whoever it was for: it can be revoked.
    revoke = {name: request | {"path": "/blacklist/"} for name, request in refresh.items()}
    assert {name: a["status"] for name, a in ask(revoke).items()} == dict.fromkeys(NO_IDS, 200)


def test_an_id_that_no_column_holds_is_no_id() -> None:
    ids = {
        "null": None,
        "number": 7,
        "list": [],
        "object": {"a": 1},
        "NUL": "a\0b",
        "half": "\ud800",
    }
    requests = {name: {"claims": {"jti": jti}} for name, jti in ids.items()}
    statuses = everywhere(requests, ("/refresh/", "/blacklist/"))
    assert statuses == dict.fromkeys(statuses, 401)


def test_an_id_longer_than_its_column_cannot_be_revoked() -> None:
    # SQLite would take it; PostgreSQL fails.
    answers = ask(
        {n: {"path": "/blacklist/", "claims": {"jti": "x" * int(n)}} for n in ("255", "256")}
    )
    assert {n: a["status"] for n, a in answers.items()} == {"255": 200, "256": 401}


def test_claims_that_grow_when_they_are_written_anew_are_refused() -> None:
    # In UTF-8 the token is within the bound; with the escapes of JSON it is not.
    long = {"claims": {"x": "é" * 2400}, "utf8": True}
    sliding = {"claims": {"x": "é" * 2400, "token_type": "sliding"}, "utf8": True}
    answers = ask(
        {
            "verify": {"path": "/verify/", **long},
            "refresh": {"path": "/refresh/", **long},
            "sliding": {"path": "/sliding/refresh/", **sliding},
            "revoke": {"path": "/blacklist/", **long},
        }
    )
    assert {name: a["status"] for name, a in answers.items()} == {
        "verify": 200,
        "refresh": 401,
        "sliding": 401,
        # What is good for something can be revoked.
        "revoke": 200,
    }
