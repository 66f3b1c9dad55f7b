"""Ids of requests: the same one in the application, in the answer and in every log."""

import json
import re

import pytest

from .server import eventually

ID = "X-Request-ID"
MADE_HERE = re.compile(r"[0-9a-f]{32}")


def header_of(told):
    """Return the header as an application of either interface got it."""
    if isinstance(told, dict):
        return told["HTTP_X_REQUEST_ID"]
    values = [value for name, value in told if name == "x-request-id"]
    assert len(values) == 1
    return values[0]


@pytest.mark.parametrize("app", ["mirror:application", "mirror:headers"])
def test_application_client_and_log_know_a_request_by_one_id(serve, app):
    server = serve(app, "--workers", "1", "--request-id")
    seen = []
    for forged in ((), (f"{ID}: forged",), ("X_Request_ID: forged", f"{ID}: a", f"{ID}: b")):
        answer = server.get("/", *forged)
        seen.append(header_of(answer.json()))
        assert MADE_HERE.fullmatch(seen[-1])
        assert answer.headers.get_all(ID) == [seen[-1]]
    assert len(set(seen)) == 3
    assert [record["request_id"] for record in server.records(3)] == seen


def test_id_of_a_trusted_proxy_is_taken_over_under_the_header_that_was_chosen(serve):
    server = serve(
        *("mirror:headers", "--workers", "1", "--trust-proxy", "127.0.0.1"),
        "--request-id=X-Correlation-ID",
    )
    told = server.get("/", "X-Correlation-ID: of-nginx", f"{ID}: of-the-client")
    assert ["x-correlation-id", "of-nginx"] in told.json()
    # Another header, which means nothing here.
    assert ["x-request-id", "of-the-client"] in told.json()
    assert told.headers.get_all("X-Correlation-ID") == ["of-nginx"]
    assert server.records(1)[0]["request_id"] == "of-nginx"


def test_what_the_server_answers_by_itself_has_an_id_in_its_log_too(serve, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("file")
    server = serve(
        *("hello:application", "--workers", "1", "--request-id"),
        *("--static", f"/static/={tmp_path / 'files'}", "--allowed-host", "127.0.0.1"),
    )
    answers = [
        server.get("/static/a.txt"),
        server.get("/static/..%2fapi"),
    ]
    with server.wire() as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n")
        answers.append(wire.hear())
    with server.wire() as wire:
        wire.send(b"no request\r\n\r\n")
        answers.append(wire.hear())
    assert [answer.status for answer in answers] == [200, 400, 421, 400]
    ids = [answer.headers[ID] for answer in answers]
    assert all(MADE_HERE.fullmatch(one) for one in ids)
    assert [record["request_id"] for record in server.records(4)] == ids


def test_request_that_fails_is_told_with_its_id(serve, hold):
    flags = ("--workers", "1", "--timeout", "500ms", "--request-id")
    server = serve("held:application", *flags, env=hold.environment)
    answer = server.get("/")
    assert answer.status == 504
    eventually(lambda: f", id {answer.headers[ID]}, waited " in server.stderr)


def test_without_the_setting_there_are_no_ids(serve):
    server = serve("mirror:application", "--workers", "1")
    answer = server.get("/", f"{ID}: of-the-client")
    assert answer.json()["HTTP_X_REQUEST_ID"] == "of-the-client"
    assert ID not in answer.headers
    assert "request_id" not in json.dumps(server.records(1))
