"""The grid: each test is a column, each framework a row; the same expectations for all.

Not named `test_…`: it needs the frameworks, so `make test-frameworks` runs it in an environment
of its own (`run.py`).
"""

import hashlib
import http.client
import json
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from ..server import eventually
from ..wire import PATIENCE
from .apps.held import GREETING, PIECE, PIECES, SECRET
from .plugin import Stage

capability = pytest.mark.capability


@capability("json")
def test_json_goes_both_ways(stage: Stage) -> None:
    answer = stage.server.get("/json")
    assert answer.status == 200
    assert answer.headers.get_content_type() == "application/json"
    assert answer.json() == GREETING
    sent = {"text": "ü" * 50_000, "list": [1, None, {"a": 2.5}]}
    kind = "Content-Type: application/json"
    answer = stage.server.request("POST", "/json", kind, body=json.dumps(sent).encode())
    assert answer.json() == {"received": sent}


@capability("parameters")
def test_path_and_query_arrive_decoded(stage: Stage) -> None:
    name = quote("a b+ü%")
    answer = stage.server.get(f"/items/7/{name}?q=one&q=zw%C3%B6lf+%26%2B")
    assert answer.json() == {"number": 7, "name": "a b+ü%", "q": ["one", "zwölf &+"]}


@capability("form")
def test_fields_of_a_form_arrive(stage: Stage) -> None:
    kind = "Content-Type: application/x-www-form-urlencoded"
    body = b"name=%C3%BC+%26+b&colour=red&colour=green"
    answer = stage.server.request("POST", "/form", kind, body=body)
    assert answer.json() == {"name": "ü & b", "colours": ["red", "green"]}


def upload(stage: Stage, content: bytes) -> None:
    """Upload a file beside a field; both must arrive whole."""
    parts = (
        b'--X\r\nContent-Disposition: form-data; name="note"\r\n\r\na note\r\n'
        b'--X\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n--X--\r\n"
    )
    kind = "Content-Type: multipart/form-data; boundary=X"
    answer = stage.server.request("POST", "/upload", kind, body=parts)
    assert answer.json() == {
        "note": "a note",
        "name": "a.bin",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@capability("upload")
def test_small_file_arrives_whole(stage: Stage) -> None:
    upload(stage, bytes(range(256)))


@capability("large upload")
def test_large_file_arrives_whole(stage: Stage) -> None:
    # Above every threshold: Yett's spool, Django's and Starlette's temporary files.
    upload(stage, bytes(range(256)) * 12_000)


@capability("stream")
def test_piece_reaches_the_client_before_the_next_one_is_made(stage: Stage) -> None:
    with stage.server.wire() as wire:
        wire.ask("GET", "/stream")
        answer = wire.begin()
        assert answer.readline() == b"first\n"
        stage.let_go()
        assert answer.read() == b"second\n"


@capability("many pieces")
def test_answer_of_many_pieces_is_whole_and_the_connection_goes_on(stage: Stage) -> None:
    with stage.server.wire() as wire:
        assert wire.get("/many").body == PIECE * PIECES
        assert wire.get("/json").json() == GREETING


@capability("broken stream")
def test_answer_that_breaks_off_does_not_look_whole(stage: Stage) -> None:
    with stage.server.wire() as wire:
        wire.ask("GET", "/broken")
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            wire.hear()
    assert stage.server.get("/json").status == 200


@capability("error")
def test_error_of_a_view_is_500_and_says_nothing_of_the_inside(stage: Stage) -> None:
    with stage.server.wire() as wire:
        answer = wire.get("/error")
        assert answer.status == 500
        said = answer.body + str(answer.headers).encode()
        assert SECRET.encode() not in said
        assert b"Traceback" not in said
    assert stage.server.get("/json").status == 200


@capability("no route")
def test_unknown_path_is_the_framework_s_404(stage: Stage) -> None:
    assert stage.server.get("/nowhere").status == 404


@capability("redirect")
def test_redirect_comes_with_both_cookies(stage: Stage) -> None:
    answer = stage.server.get("/redirect")
    assert answer.status == 302
    assert answer.headers["Location"] == "/json"
    cookies = answer.headers.get_all("Set-Cookie")
    assert sorted(cookie.split(";")[0] for cookie in cookies) == ["one=1", "two=2"]


@capability("cookies")
def test_cookies_arrive(stage: Stage) -> None:
    answer = stage.server.get("/cookies", "Cookie: one=1; two=2")
    assert answer.json() == {"one": "1", "two": "2"}


@capability("head")
def test_head_has_the_head_of_get_and_no_body(stage: Stage) -> None:
    with stage.server.wire() as wire:
        wire.ask("HEAD", "/json")
        head = wire.hear("HEAD")
        assert head.status == 200
        assert head.headers.get_content_type() == "application/json"
        # The next answer begins where this one ended: nothing was sent beyond the head.
        assert wire.get("/json").json() == GREETING


@capability("options")
def test_options_names_the_methods(stage: Stage) -> None:
    answer = stage.server.request("OPTIONS", "/json")
    assert answer.status in (200, 204)
    assert "GET" in {each.strip() for each in answer.headers["Allow"].split(",")}


@capability("client")
def test_framework_sees_the_connection_and_not_what_a_client_says_of_it(stage: Stage) -> None:
    with stage.server.wire() as wire:
        wire.send(
            b"GET /seen/%C3%A4 HTTP/1.1\r\nHost: shop.example:8123\r\n"
            b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"
            b"X-Forwarded-Host: evil.example\r\nForwarded: for=6.6.6.6;proto=https\r\n\r\n"
        )
        assert wire.hear().json() == {
            "client": "127.0.0.1",
            "scheme": "http",
            "host": "shop.example:8123",
            "path": "/seen/ä",
        }


def event(answer: http.client.HTTPResponse) -> bytes | None:
    """Return the data of the next event; none at the end."""
    while line := answer.readline():
        if line.startswith(b"data:"):
            return line.removeprefix(b"data:").strip()
    return None


@capability("events")
def test_event_reaches_the_client_when_it_happens(stage: Stage) -> None:
    with stage.server.wire() as wire:
        wire.ask("GET", "/events", "Accept: text/event-stream")
        answer = wire.begin()
        assert answer.headers.get_content_type() == "text/event-stream"
        assert event(answer) == b"0"
        stage.let_go()
        assert event(answer) == b"1"
        assert event(answer) is None


@capability("client leaves")
def test_stream_ends_in_the_application_when_its_client_leaves(stage: Stage) -> None:
    with stage.server.wire() as wire:
        wire.ask("GET", "/ticks")
        # One event, so that the application is in its stream when the client leaves.
        assert event(wire.begin()) == b"tick"
        assert stage.mark("left") is None
    eventually(lambda: stage.mark("left"))


@capability("background")
def test_answer_does_not_wait_for_the_background_task(stage: Stage) -> None:
    assert stage.server.request("POST", "/background", "Content-Length: 0").status == 202
    assert stage.mark("background") is None
    stage.let_go()
    eventually(lambda: stage.mark("background"))


@capability("startup")
def test_what_startup_made_is_there_in_a_request(stage: Stage) -> None:
    assert stage.server.get("/lifespan").json() == {"started": "yes"}


@capability("shutdown")
def test_shutdown_runs_before_the_server_ends(own_stage: Stage) -> None:
    assert own_stage.mark("shutdown") is None
    own_stage.server.stop()
    assert own_stage.mark("shutdown") is not None


def socket(stage: Stage, path: str, **how: object) -> ClientConnection:
    """Open a WebSocket."""
    uri = f"ws{stage.server.address.removeprefix('http')}{path}"
    return connect(uri, open_timeout=PATIENCE, close_timeout=PATIENCE, **how)


@capability("ws text")
def test_text_comes_back(stage: Stage) -> None:
    with socket(stage, "/ws") as ws:
        for text in ("grüße", "", "x" * 200_000):
            ws.send(text)
            assert ws.recv(PATIENCE) == text


@capability("ws bytes")
def test_bytes_come_back_with_and_without_compression(stage: Stage) -> None:
    for compression in ("deflate", None):
        with socket(stage, "/ws/bytes", compression=compression) as ws:
            for data in (bytes(range(256)), bytes(200_000)):
                ws.send(data)
                assert ws.recv(PATIENCE) == data


@capability("ws protocol")
def test_subprotocol_is_the_application_s_choice(stage: Stage) -> None:
    with socket(stage, "/ws", subprotocols=["chat.v1", "chat.v2"]) as ws:
        assert ws.subprotocol == "chat.v2"
    with socket(stage, "/ws") as ws:
        assert ws.subprotocol is None


@capability("ws close")
def test_application_s_close_code_and_reason_reach_the_client(stage: Stage) -> None:
    with socket(stage, "/ws") as ws:
        ws.send("end")
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(PATIENCE)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4321, "bye")


@capability("ws client's code")
def test_client_s_close_code_reaches_the_application(stage: Stage) -> None:
    with socket(stage, "/ws") as ws:
        ws.send("hello")
        assert ws.recv(PATIENCE) == "hello"
        ws.close(4001)
    eventually(lambda: stage.mark("code") == "4001!")


@capability("ws refused")
def test_socket_that_is_not_accepted_is_403(stage: Stage) -> None:
    with pytest.raises(InvalidStatus) as refused:
        socket(stage, "/ws/refused")
    assert refused.value.response.status_code == 403
