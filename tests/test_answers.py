"""What an application may answer under PEP 3333, and what becomes of answers that break it."""

import http.client

import pytest

from .server import eventually

#: An answer that ends before its end; what was not flushed yet is lost with it.
CUT = (http.client.IncompleteRead, ConnectionResetError)


@pytest.fixture
def shapes(serve, tmp_path):
    """Return a server of `apps/shapes.py`, whose every answer `wsgiref.validate` watches."""
    server = serve("shapes:application", "--workers", "1", env={"MARKS": str(tmp_path)})
    yield server
    # The function through which the validator complains.
    assert ", in assert_" not in server.stderr


@pytest.fixture
def wrong(serve):
    """Return a server of `apps/wrong.py`."""
    return serve("wrong:application", "--workers", "1")


@pytest.mark.parametrize(
    ("shape", "status", "body"),
    [
        ("generator", 200, b"ab"),
        ("late_start", 202, b"late"),
        ("write", 200, b"abc"),
        ("nothing", 200, b""),
        ("replaced", 503, b"replaced"),
        ("no_content", 204, b""),
        ("not_modified", 304, b""),
        ("many", 200, b"".join(b"%d," % number for number in range(5000))),
        ("file", 200, bytes(range(256)) * 4096),
    ],
)
def test_answer_of_every_shape_arrives(shapes, shape, status, body):
    with shapes.wire() as wire:
        answer = wire.get(f"/{shape}")
        assert (answer.status, answer.body) == (status, body)
        # Its framing was right: the connection goes on.
        assert wire.get("/generator").body == b"ab"


def test_answer_that_is_replaced_has_the_second_head_alone(shapes):
    answer = shapes.get("/replaced")
    assert answer.reason == "Replaced"
    assert answer.headers["X-First"] is None
    assert answer.headers["X-Second"] == "2"


def test_answer_that_is_on_its_way_cannot_be_replaced(shapes):
    with pytest.raises(CUT):
        shapes.get("/replaced_late")
    assert "ValueError: after a part was sent" in shapes.stderr


def test_reason_of_the_app_is_sent(shapes):
    answer = shapes.get("/reason")
    assert (answer.status, answer.reason) == (299, "Quite Fine")


def test_bodyless_answers_have_no_framing_of_a_body(shapes):
    for shape in ("no_content", "not_modified"):
        headers = shapes.get(f"/{shape}").headers
        assert headers["Transfer-Encoding"] is None
        assert headers["Content-Length"] is None


def test_repeated_headers_of_the_app_are_kept_apart(shapes):
    headers = shapes.get("/cookies").headers
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert headers["X-Latin"] == "\xe4"


def test_close_is_called_once(shapes, tmp_path):
    assert shapes.get("/closing").body == b"ab"
    eventually((tmp_path / "closed").exists)
    assert shapes.stop() == 0
    assert (tmp_path / "closed").read_text() == "closed\n"


def test_close_is_called_when_the_client_leaves(serve, tmp_path):
    server = serve("stream:application", "--workers", "1", env={"STREAM": str(tmp_path)})
    progress = tmp_path / "progress"
    with server.wire() as wire:
        wire.ask("GET", "/sized?4096")
        wire.begin()
    eventually(lambda: progress.read_text().endswith("closed\n"))
    assert progress.read_text().count("\n") < 4096 * 16


def test_request_body_that_is_not_read_does_not_disturb_the_next_request(shapes):
    with shapes.wire() as wire:
        for body in (b"abcdef", b"x" * 300_000):
            wire.ask("POST", "/partial", body=body)
            assert wire.hear("POST").body == body[:3]


def test_request_body_can_be_read_by_lines(shapes):
    answer = shapes.request("POST", "/lines", body=b"a\nb\nc\nd")
    assert answer.text == repr((b"a\n", [b"b\n"], [b"c\n", b"d"]))


def test_error_stream_of_the_app_is_the_programs(shapes):
    shapes.get("/error_stream")
    eventually(lambda: "a word for the error stream\n" in shapes.stderr)


def test_second_start_of_an_answer_is_an_error_of_the_app(shapes):
    assert shapes.get("/twice").status == 500
    assert "start_response was called twice" in shapes.stderr


@pytest.mark.parametrize("kind", ["short_list", "long_list", "no_number", "two_lengths"])
def test_wrong_length_that_is_seen_in_time_is_a_bad_gateway(wrong, kind):
    answer = wrong.get(f"/{kind}")
    assert (answer.status, answer.headers["Content-Length"]) == (502, str(len(answer.body)))
    [record] = wrong.last_records()
    assert (record["status"], record["fault"]) == (502, "app")
    assert "Content-Length" in record["reason"]


def test_answer_that_is_too_short_cuts_the_connection(wrong):
    with wrong.wire() as wire:
        wire.ask("GET", "/short")
        with pytest.raises(CUT):
            wire.hear()
        assert wire.is_closed_by_server()


def test_answer_that_is_too_short_is_told_in_the_record(wrong):
    with pytest.raises(CUT):
        wrong.get("/short")
    [record] = wrong.last_records()
    assert record["reason"] is not None


def test_answer_that_is_too_long_never_runs_into_the_next(wrong):
    with wrong.wire() as wire:
        wire.ask("GET", "/long")
        wire.ask("GET", "/fine", "Connection: close")
        head, _, rest = wire.rest().partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert rest[:4] == b"abcH"
    assert rest[4:] == b"" or rest[4:].startswith(b"HTTP/1.1 200 OK\r\n")
    assert rest[4:] == b"" or rest.endswith(b"fine")


@pytest.mark.parametrize("kind", ["newline_in_value", "newline_in_name", "nul_in_value"])
def test_header_of_the_app_cannot_inject_another(wrong, kind):
    answer = wrong.get(f"/{kind}")
    assert answer.status == 502
    assert answer.headers["X-Injected"] is None


def test_reason_of_the_app_cannot_inject_a_header(wrong):
    answer = wrong.get("/newline_in_status")
    assert answer.headers["X-Injected"] is None
    assert answer.body in (b"x", b"The application's answer was not valid.\n")


def test_framing_is_the_servers_alone(wrong):
    with wrong.wire() as wire:
        answer = wire.get("/own_framing")
        assert (answer.status, answer.body) == (200, b"abcd")
        assert answer.headers["Content-Length"] == "4"
        assert answer.headers["Upgrade"] is None
        assert wire.get("/fine").status == 200


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("informational", 502),
        ("no_status", 500),
        ("never_started", 500),
        ("text_body", 500),
        ("returns_none", 500),
    ],
)
def test_app_that_breaks_its_interface_gets_an_error_and_the_server_goes_on(wrong, kind, status):
    with wrong.wire() as wire:
        assert wire.get(f"/{kind}").status == status
        assert wire.get("/fine").body == b"fine"


@pytest.mark.parametrize("status", ["1000_Many", "99_Few", "099_Few", "+12_More", "200OK"])
def test_status_that_is_none_is_named_with_its_call(serve, status):
    server = serve("wrong:application", "--workers", "1")
    assert server.get(f"/other_status?{status}").status == 500
    assert "start_response: the status must begin with a number from 100 to 999" in server.stderr
    assert f'not "{status.replace("_", " ")}"' in server.stderr
    # Nothing else came of it.
    assert server.status()["supervisor"]["workers_died"] == 0
