"""HTTP/1.1 and 1.0 on one connection: keep-alive, pipelining, chunks, HEAD, Expect."""

import hashlib

from .wire import HOST, chunked


def test_connection_is_kept_for_further_requests(serve):
    server = serve("hello:application")
    with server.wire() as wire:
        for _ in range(5):
            assert wire.get("/").body == b"hello\n"
        assert server.status()["connections"] == 1


def test_connection_is_closed_when_the_client_asks_for_it(serve):
    server = serve("hello:application")
    with server.wire() as wire:
        answer = wire.get("/", "Connection: close")
        assert answer.headers["Connection"] == "close"
        assert wire.is_closed_by_server()


def test_pipelined_requests_are_answered_in_order(serve):
    server = serve("mirror:application", "--workers", "2")
    with server.wire() as wire:
        wire.send(b"".join(b"GET /%d HTTP/1.1\r\n%s\r\n" % (n, HOST) for n in range(20)))
        paths = [wire.hear().json()["PATH_INFO"] for _ in range(20)]
    assert paths == [f"/{n}" for n in range(20)]


def test_pipelined_bodies_do_not_run_into_each_other(serve):
    server = serve("echo:application")
    bodies = [b"a" * 10, b"b" * 100_000, b"c"]
    with server.wire() as wire:
        for body in bodies:
            wire.ask("POST", "/", body=body)
        told = [wire.hear("POST").json() for _ in bodies]
    assert [each["sha256"] for each in told] == [hashlib.sha256(b).hexdigest() for b in bodies]


def test_chunked_request_body_reaches_the_app_whole(serve):
    server = serve("echo:application")
    with server.wire() as wire:
        wire.ask("POST", "/", "Transfer-Encoding: chunked")
        wire.send(chunked(b"alpha", b"-" * 5000, b"omega"))
        told = wire.hear("POST").json()
    assert told["length"] == 5010
    assert told["sha256"] == hashlib.sha256(b"alpha" + b"-" * 5000 + b"omega").hexdigest()


def test_chunk_extensions_and_trailers_are_not_taken_for_the_body(serve):
    server = serve("echo:application")
    with server.wire() as wire:
        wire.ask("POST", "/", "Transfer-Encoding: chunked")
        wire.send(b"5;name=value\r\nalpha\r\n0\r\nX-Sum: 1\r\n\r\n")
        assert wire.hear("POST").json()["length"] == 5
        assert wire.get("/").status == 200


def test_response_without_a_length_is_chunked(serve, tmp_path):
    server = serve("stream:application", env={"STREAM": str(tmp_path)})
    with server.wire() as wire:
        wire.ask("GET", "/?1")
        response = wire.begin()
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert response.headers["Content-Length"] is None
        assert len(response.read()) == 1 << 20
        assert wire.get("/?1").status == 200


def test_continue_is_sent_before_the_body_of_an_admitted_request(serve):
    server = serve("echo:application")
    with server.wire() as wire:
        wire.ask("POST", "/", "Expect: 100-continue", "Content-Length: 5")
        assert wire.line() == b"HTTP/1.1 100 Continue\r\n"
        assert wire.line() == b"\r\n"
        wire.send(b"alpha")
        assert wire.hear("POST").json()["length"] == 5


def test_continue_is_not_sent_for_a_body_that_is_too_long(serve):
    server = serve("echo:application", "--max-body", "1KiB")
    with server.wire() as wire:
        wire.ask("POST", "/", "Expect: 100-continue", "Content-Length: 5000")
        assert wire.line() == b"HTTP/1.1 413 Payload Too Large\r\n"


def test_continue_is_not_sent_for_a_request_that_files_do_not_take(serve, tmp_path):
    server = serve("hello:application", "--static", f"/static/={tmp_path}")
    with server.wire() as wire:
        wire.ask("POST", "/static/a", "Expect: 100-continue", "Content-Length: 5")
        assert wire.line().startswith(b"HTTP/1.1 405 ")


def test_head_has_the_length_and_no_body(serve):
    server = serve("hello:bare")
    with server.wire() as wire:
        wire.ask("HEAD", "/")
        answer = wire.hear("HEAD")
        assert answer.headers["Content-Length"] == "6"
        # The next bytes on the connection are the next answer, not a body.
        assert wire.get("/").body == b"hello\n"


def test_head_of_a_stream_has_no_body(serve, tmp_path):
    server = serve("stream:application", env={"STREAM": str(tmp_path)})
    with server.wire() as wire:
        wire.ask("HEAD", "/?1")
        assert wire.hear("HEAD").status == 200
        wire.ask("HEAD", "/sized?1")
        assert wire.hear("HEAD").headers["Content-Length"] == str(1 << 20)
        assert len(wire.get("/sized?1").body) == 1 << 20


def test_http_1_0_is_answered_and_the_connection_closed(serve):
    server = serve("hello:application")
    answer = server.raw(b"GET / HTTP/1.0\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 OK")
    assert body == b"hello\n"


def test_http_1_0_stream_ends_with_the_connection(serve, tmp_path):
    server = serve("stream:application", env={"STREAM": str(tmp_path)})
    head, _, body = server.raw(b"GET /?1 HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert len(body) == 1 << 20


def test_http_1_0_keep_alive_is_kept(serve):
    server = serve("hello:bare")
    with server.wire() as wire:
        for _ in range(2):
            wire.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert wire.hear().body == b"hello\n"


def test_length_of_a_single_piece_is_announced(serve):
    server = serve("hello:bare")
    assert server.get("/").headers["Content-Length"] == "6"


def test_quiet_connection_is_closed_after_the_keep_alive_time(serve):
    server = serve("hello:application", "--keep-alive", "200ms")
    with server.wire() as wire:
        assert wire.get("/").status == 200
        assert wire.is_closed_by_server()


def test_answer_carries_a_date(serve):
    server = serve("hello:application")
    assert server.get("/").headers["Date"].endswith(" GMT")


def test_asterisk_is_for_options(serve):
    server = serve("mirror:application")
    assert server.request("OPTIONS", "*").status == 200
    assert server.get("*").status == 400


def test_absolute_target_is_read_as_its_path(serve):
    server = serve("mirror:application")
    answer = server.get("http://127.0.0.1/a?b=c")
    assert (answer.json()["PATH_INFO"], answer.json()["QUERY_STRING"]) == ("/a", "b=c")
