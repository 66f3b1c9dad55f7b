"""Every limit from both sides: what just fits passes, what is one over is refused and counted.

[`await_met`] also holds that no other limit was met. Limits of time and rate are for the most part
in `test_slow_clients.py`.
"""

import http.client
import re
import select
import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from .conftest import REPOSITORY, Finished
from .hold import Hold
from .met import ADMIN, KIB, MIB, ONE, SMALL, await_failures, await_met, get
from .server import Server, eventually
from .test_seen import Admin
from .test_websocket import closed, opened
from .wire import HOST, PATIENCE, Wire, chunked

Serve = Callable[..., Server]


# Connections


def test_connection_beyond_the_limit_waits_until_another_has_its_answer(
    serve: Serve, hold: Hold
) -> None:
    flags = (*ADMIN, "--max-connections", "2")
    server = serve("held:application", *flags, env=hold.environment)
    with ExitStack() as stack:
        busy = [stack.enter_context(server.wire()) for _ in range(2)]
        for wire in busy:
            wire.ask("GET", "/")
        hold.await_entered(2)
        await_met(server)
        with server.wire() as third:
            third.ask("GET", "/free")
            await_met(server, connections=1)
            assert not select.select([third.socket], [], [], 0)[0]
            hold.let_go()
            assert third.hear().status == 200
        hold.let_go()
        assert [wire.hear().status for wire in busy] == [200, 200]
    await_met(server, connections=1)


def test_connection_that_idles_makes_room_for_a_new_one(serve: Serve, tmp_path: Path) -> None:
    bind = ("127.0.0.1:0", f"unix:{tmp_path}/s")
    server = serve("hello:application", *ADMIN, "--max-connections", "2", bind=bind)
    with ExitStack() as stack:
        idle = [stack.enter_context(server.wire()) for _ in range(2)]
        assert [wire.get("/").status for wire in idle] == [200, 200]
        for address in server.addresses:
            with Wire(address) as wire:
                assert wire.get("/", "Connection: close").status == 200
        # Whom it was is told here by the end of the connection.
        assert select.select([wire.socket for wire in idle], [], [], PATIENCE)[0]
    assert {record["status"] for record in server.last_records()} == {200}


def test_connection_beyond_those_of_its_address_is_closed(serve: Serve, tmp_path: Path) -> None:
    flags = (*ADMIN, "--max-connections-per-address", "2")
    bind = ("127.0.0.1:0", f"unix:{tmp_path}/s")
    server = serve("hello:application", *flags, bind=bind)
    with ExitStack() as stack:
        open_ones = [stack.enter_context(server.wire()) for _ in range(2)]
        # A Unix socket's clients have no address.
        open_ones += [stack.enter_context(Wire(server.addresses[1])) for _ in range(3)]
        assert {wire.get("/").status for wire in open_ones} == {200}
        await_met(server)
        with server.wire() as third:
            assert third.is_closed_by_server()
        await_met(server, connections_per_address=1)
        open_ones[0].ask("GET", "/", "Connection: close")
        open_ones[0].rest()

        def is_answered() -> bool:
            with server.wire() as wire, suppress(ConnectionError, http.client.HTTPException):
                return wire.get("/").status == 200
            return False

        eventually(is_answered)


def test_handshake_has_its_time_and_no_more(serve: Serve) -> None:
    flags = (*ADMIN, "--tls-self-signed", "--tls-handshake-timeout", "2s")
    server = serve("hello:application", *flags)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    place = f"http://127.0.0.1:{server.port}"
    with Wire(place) as slow, Wire(place) as quick:
        slow.send(b"\x16\x03\x01")
        with context.wrap_socket(quick.socket) as secured:
            await_met(server, tls_handshake=1)
            assert slow.is_closed_by_server()
            # Its time is over as well, and its handshake was done.
            secured.sendall(get(100, b"Connection: close\r\n"))
            assert secured.recv(4096).startswith(b"HTTP/1.1 200 ")
    await_met(server, tls_handshake=1)


def test_connection_without_a_proxys_header_is_closed_and_counted(serve: Serve) -> None:
    flags = (*ADMIN, "--trust-proxy", "127.0.0.1", "--proxy-protocol")
    server = serve("hello:application", *flags)
    with server.wire() as told:
        told.send(b"PROXY TCP4 203.0.113.9 198.51.100.2 4660 443\r\n" + get(100))
        assert told.hear().status == 200
    await_met(server)
    with server.wire() as untold:
        untold.send(get(100))
        assert untold.is_closed_by_server()
    await_met(server, proxy_header=1)


def test_line_of_forwarded_has_sixty_four_elements_at_most(serve: Serve) -> None:
    flags = ("--trust-proxy", "127.0.0.1", "--proxy-headers", "forwarded")
    server = serve("mirror:application", *ADMIN, *flags)

    def forwarded(count: int) -> str:
        return f"Forwarded: {', '.join(['for=192.0.2.7'] * count)}"

    assert server.get("/", forwarded(64)).json()["REMOTE_ADDR"] == "192.0.2.7"
    await_failures(server)
    assert server.get("/", forwarded(65)).status == 400
    await_failures(server, bad_request=1)


# Heads and bodies

POST = b"POST / HTTP/1.1\r\n" + HOST
EXTENSION = b"1;%b\r\nx\r\n0\r\n\r\n"
TRAILERS = b"1\r\nx\r\n0\r\n%b\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

#: What just fits, what is one over, its status, how it fails, and the limit that counts it.
REQUESTS = {
    "size of a head": (get(KIB), get(KIB + 1), 431, "head_too_long", "head_size"),
    "size of a head with long headers": (
        get(KIB, b"X: " + b"b" * 900 + b"\r\n"),
        get(KIB + 1, b"X: " + b"b" * 900 + b"\r\n"),
        431,
        "head_too_long",
        "head_size",
    ),
    "number of headers": (
        get(500, *[b"X: y\r\n"] * 3),
        get(500, *[b"X: y\r\n"] * 4),
        431,
        "too_many_headers",
        "headers",
    ),
    "announced length of a body": (
        POST + b"Content-Length: 1024\r\n\r\n" + b"x" * KIB,
        POST + b"Content-Length: 1025\r\n\r\n",
        413,
        "body_too_long",
        "body_size",
    ),
    "length of a chunked body": (
        CHUNKED + chunked(b"x" * 1000, b"x" * 24),
        CHUNKED + chunked(b"x" * 1000, b"x" * 25),
        413,
        "body_too_long",
        "body_size",
    ),
    "line of a chunk's size": (
        CHUNKED + EXTENSION % (b"a" * 252),
        CHUNKED + EXTENSION % (b"a" * 253),
        400,
        "body_cut",
        None,
    ),
    "number of trailers": (
        CHUNKED + TRAILERS % (b"X: y\r\n" * 4),
        CHUNKED + TRAILERS % (b"X: y\r\n" * 5),
        400,
        "body_cut",
        None,
    ),
    "size of trailers": (
        CHUNKED + TRAILERS % (b"X: " + b"y" * 8185 + b"\r\n"),
        CHUNKED + TRAILERS % (b"X: " + b"y" * 8186 + b"\r\n"),
        400,
        "body_cut",
        None,
    ),
}


@pytest.mark.parametrize("app", ["echo:application", "looped:application"])
@pytest.mark.parametrize("what", REQUESTS)
def test_request_at_a_limit_is_answered_and_one_above_it_refused(
    serve: Serve, what: str, app: str
) -> None:
    fits, exceeds, status, failure, limit = REQUESTS[what]
    server = serve(app, *ONE, *ADMIN, *SMALL)
    with server.wire() as wire:
        wire.send(fits)
        assert wire.hear().status == 200
        await_failures(server)
        await_met(server)
        wire.send(exceeds)
        assert wire.hear("POST").status == status
        assert wire.is_closed_by_server()
    await_failures(server, **{failure: 1})
    await_met(server, **({limit: 1} if limit else {}))


def test_trailers_are_thirty_two_and_no_more(serve: Serve) -> None:
    server = serve("echo:application", *ONE, *ADMIN)
    for count, status in ((32, 200), (33, 400)):
        with server.wire() as wire:
            wire.send(CHUNKED + TRAILERS % (b"X: y\r\n" * count))
            assert wire.hear("POST").status == status
    await_failures(server, body_cut=1)


def test_route_has_a_limit_of_bodies_of_its_own(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "yett.toml").write_text(
        """
        [server]
        max_body = "10B"

        [[route]]
        path = "/long/"
        max_body = "20B"

        [[route]]
        path = "/none"
        max_body = "0"
        """
    )
    server = serve("echo:application", *ONE, *ADMIN, "--config", str(tmp_path / "yett.toml"))
    fits = {"/": 10, "/long/a": 20, "/longer": 10, "/none": 0}
    for target, length in fits.items():
        told = server.request("POST", target, body=b"x" * length).json()
        assert told["length"] == length
    await_met(server)
    for target, length in fits.items():
        assert server.request("POST", target, body=b"x" * (length + 1)).status == 413
    await_met(server, body_size=len(fits))


# Bodies in files


def test_bodies_fill_their_room_and_not_more(serve: Serve) -> None:
    server = serve("echo:application", *ONE, *ADMIN, "--max-spool", "200KiB")
    body = b"x" * (200 * KIB)
    assert server.request("POST", "/", body=body).json()["length"] == len(body)
    await_met(server)
    with server.wire() as wire:
        # The refusal may come before all is sent.
        with suppress(ConnectionError):
            wire.ask("POST", "/", body=body + b"x")
        assert wire.hear("POST").status == 507
    await_met(server, spool=1)
    await_failures(server, spool=1)
    # What was refused keeps nothing.
    assert server.request("POST", "/", body=body).json()["length"] == len(body)


def test_bodies_have_so_many_files_and_not_more(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    flags = ("--max-spool-files", "2", "--spool-dir", str(tmp_path / "spool"))
    server = serve("echo:application", *ONE, *ADMIN, *flags)
    first, second = b"x" * (100 * KIB), b"x" * (28 * KIB)
    length = f"Content-Length: {len(first + second)}"

    def kept() -> int:
        """Return how many files without a name the server has in that folder."""
        found = 0
        for each in Path(f"/proc/{server.pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                found += str(each.readlink()).startswith(str(tmp_path / "spool"))
        return found

    with ExitStack() as stack:
        wires = [stack.enter_context(server.wire()) for _ in range(2)]
        for wire in wires:
            wire.ask("POST", "/", length)
            wire.send(first)
        eventually(lambda: kept() == 2)
        await_met(server)
        # A short one needs no file.
        assert server.request("POST", "/", body=b"x").status == 200
        with server.wire() as third:
            third.ask("POST", "/", length)
            with suppress(ConnectionError):
                third.send(first + second)
            assert third.hear("POST").status == 507
        await_met(server, spool_files=1)
        for wire in wires:
            wire.send(second)
            assert wire.hear("POST").json()["length"] == len(first + second)
    eventually(lambda: kept() == 0)
    assert server.request("POST", "/", body=first).status == 200
    await_met(server, spool_files=1)


def test_answer_beyond_what_is_kept_of_one_waits_for_its_client(
    serve: Serve, tmp_path: Path
) -> None:
    flags = ("--max-answer-spool", "8MiB", "--send-timeout", "1h")
    server = serve("stream:application", *ONE, *ADMIN, *flags, env={"STREAM": str(tmp_path)})
    progress = tmp_path / "progress"
    with server.wire(receive_buffer=4096) as slow:
        slow.ask("GET", "/sized?8")
        eventually(lambda: progress.exists() and progress.read_text().endswith("closed\n"))
        server.await_in_flight(0)
        await_met(server)
        assert len(slow.hear().body) == 8 * MIB
    with server.wire(receive_buffer=4096) as slow:
        slow.ask("GET", "/sized?64")
        await_met(server, answer_spool=1)
        assert server.status()["requests_in_flight"] == 1
        assert len(slow.hear().body) == 64 * MIB
    await_met(server, answer_spool=1)


def test_client_that_takes_its_answer_below_the_least_rate_is_cut(
    serve: Serve, tmp_path: Path
) -> None:
    flags = ("--max-answer-spool", "0", "--send-timeout", "2s", "--min-rate", "1GiB")
    server = serve("stream:application", *ONE, *ADMIN, *flags, env={"STREAM": str(tmp_path)})
    with server.wire() as quick:
        quick.ask("GET", "/sized?4")
        # All of it is taken before a rate can be said.
        assert len(quick.hear().body) == 4 * MIB
    await_met(server)
    with server.wire(receive_buffer=4096) as slow:
        slow.ask("GET", "/sized?65536")
        slow.socket.settimeout(PATIENCE)
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer = slow.begin()
            while True:
                # Something is always taken.
                answer.read(4096)
                if answer.isclosed():
                    raise http.client.IncompleteRead(b"")
    await_met(server, send_rate=1)
    server.await_in_flight(0)


# Answers


def test_answer_beyond_the_encoders_goes_as_it_is(serve: Serve, tmp_path: Path) -> None:
    flags = ("--workers", "1", "--threads", "4", *ADMIN, "--compression-max-encoders", "1")
    server = serve("text:application", *flags, env={"STREAM": str(tmp_path)})
    with server.wire() as first, server.wire() as second:
        codings = []
        for wire, met in ((first, 0), (second, 1)):
            wire.ask("GET", "/stream", "Accept-Encoding: gzip")
            answer = wire.begin()
            codings.append(answer.headers["Content-Encoding"])
            await_met(server, encoders=met)
        assert codings == ["gzip", None]
        (tmp_path / "go").touch()
        assert answer.read() == b"first second"
    # Whoever has ended makes room again.
    server.await_in_flight(0)
    again = server.get("/stream", "Accept-Encoding: gzip")
    assert again.headers["Content-Encoding"] == "gzip"
    await_met(server, encoders=1)


def test_sixteen_ranges_are_sent_and_of_one_more_the_whole_file(
    serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("a" * 2000)
    server = serve("hello:application", *ADMIN, "--static", f"/s/={tmp_path}/files")
    ranges = [f"{100 * place}-{100 * place}" for place in range(17)]
    some = server.get("/s/a.txt", f"Range: bytes={','.join(ranges[:16])}")
    assert (some.status, some.body.count(b"Content-Range: ")) == (206, 16)
    await_met(server)
    whole = server.get("/s/a.txt", f"Range: bytes={','.join(ranges)}")
    assert (whole.status, len(whole.body)) == (200, 2000)
    await_met(server, ranges=1)


def test_file_beyond_those_that_are_kept_is_served_all_the_same(
    serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    for name in "abc":
        (tmp_path / "files" / name).write_text(name)
    flags = (*ADMIN, "--static", f"/s/={tmp_path}/files", "--static-open", "2")
    server = serve("hello:application", *flags)
    for name in "abab":
        assert server.get(f"/s/{name}").text == name
    await_met(server)
    assert server.get("/s/c").text == "c"
    await_met(server, static_files=1)


# WebSockets


def test_message_at_the_limit_is_echoed_and_a_longer_one_fails_and_is_counted(
    serve: Serve,
) -> None:
    server = serve("sockets:application", *ONE, *ADMIN, "--ws-max-message", "1KiB")
    with opened(server) as socket:
        socket.send(b"x" * KIB)
        assert socket.recv(timeout=PATIENCE) == b"x" * KIB
    server.records(1)
    await_failures(server)
    with opened(server) as socket:
        socket.send(b"x" * (KIB + 1))
        assert closed(socket)[0] == 1009
    await_failures(server, websocket=1)
    await_met(server, message_size=1)


def test_client_that_answers_a_ping_stays_and_a_silent_one_fails_and_is_counted(
    serve: Serve,
) -> None:
    flags = ("--ws-ping-interval", "1s", "--ws-ping-timeout", "2s")
    server = serve("sockets:application", *ONE, *ADMIN, *flags)
    handshake = (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    with server.wire() as silent, server.wire() as answering:
        for wire in (silent, answering):
            wire.ask("GET", "/echo", *handshake)
            assert wire.begin().status == 101
        # An empty pong, masked, for each ping.
        for _ in range(4):
            assert answering.file.read(2) == b"\x89\x00"
            answering.send(b"\x8a\x80\x00\x00\x00\x00")
        assert b"\x03\xf3keepalive ping timeout" in silent.rest()
        await_failures(server, websocket=1)
        answering.send(b"\x88\x80\x00\x00\x00\x00")
        assert answering.rest().endswith(b"\x88\x00")
    server.records(2)
    await_failures(server, websocket=1)
    await_met(server, pong_time=1)


# The admin address


def test_head_for_the_admin_address_has_eight_kibibytes_and_sixty_four_headers(
    serve: Serve,
) -> None:
    server = serve("hello:application", *ADMIN)
    place = f"http://127.0.0.1:{Admin.of(server).place}"

    def status(*headers: str) -> int:
        with Wire(place) as wire:
            return wire.get("/livez", *headers).status

    assert status(f"X: {'y' * (8 * KIB - 200)}") == 200
    assert status(f"X: {'y' * (8 * KIB)}") == 431
    # Host is one of them.
    assert status(*["X: y"] * 63) == 200
    assert status(*["X: y"] * 64) == 431


# What can be set

DAY, HOUR = ("24h", "25h"), ("1h", "61m")
#: Of each flag the value below the least, the least, the most, and the one above it. The first is
#: missing where the least is 0.
SETTINGS_BOUNDS = {
    "--workers": ("0", "1", "256", "257"),
    "--threads": ("0", "1", "512", "513"),
    "--concurrency": ("0", "1", "100000", "100001"),
    "--timeout": ("", "0", *DAY),
    "--max-requests-jitter": ("", "0", "4294967295", "4294967296"),
    "--max-rss": ("15MiB", "16MiB", "1024GiB", "1025GiB"),
    "--queue": ("0", "1", "1000000", "1000001"),
    "--queue-timeout": ("0", "1ms", *HOUR),
    "--static-max-age": ("", "0", "8760h", "8761h"),
    "--static-open": ("0", "1", "1000000", "1000001"),
    "--static-memory": ("", "0", "1024GiB", "1025GiB"),
    "--start-timeout": ("999ms", "1s", *DAY),
    "--graceful-timeout": ("", "0", *DAY),
    "--drain-delay": ("", "0", *HOUR),
    "--keep-alive": ("", "0", *HOUR),
    "--head-timeout": ("0", "1ms", *HOUR),
    "--body-timeout": ("0", "1ms", *HOUR),
    "--send-timeout": ("0", "1ms", *HOUR),
    "--min-rate": ("", "0", "1GiB", "2GiB"),
    "--max-connections": ("0", "1", "1000000", "1000001"),
    "--max-connections-per-address": ("", "0", "1000000", "1000001"),
    "--max-head": ("1023B", "1KiB", "200KiB", "201KiB"),
    "--max-headers": ("0", "1", "256", "257"),
    "--max-body": ("0", "1B", "1048576GiB", "1048577GiB"),
    "--max-spool": ("", "0", "1048576GiB", "1048577GiB"),
    "--max-spool-files": ("1", "2", "1000000", "1000001"),
    "--max-answer-spool": ("", "0", "1048576GiB", "1048577GiB"),
    "--tls-handshake-timeout": ("99ms", "100ms", *HOUR),
    "--http2-max-streams": ("0", "1", "1000", "1001"),
    "--compression-min-size": ("", "0", "1GiB", "2GiB"),
    "--compression-max-encoders": ("", "0", "100000", "100001"),
    "--ws-max-message": ("1023B", "1KiB", "64MiB", "65MiB"),
    "--ws-ping-interval": ("", "0", *DAY),
    "--ws-ping-timeout": ("", "0", *DAY),
    "--slow-request": ("", "0", *DAY),
}


def words(place: int) -> list[str]:
    """Return a command line with one column of the table."""
    given = {flag: values[place] for flag, values in SETTINGS_BOUNDS.items() if values[place]}
    return [word for pair in given.items() for word in pair]


@pytest.mark.parametrize("place", [1, 2], ids=["least", "most"])
def test_settings_may_be_as_small_and_as_large_as_their_bounds(
    yett: Callable[..., Finished], tmp_path: Path, place: int
) -> None:
    (tmp_path / "app.py").write_text("def application(environ, start_response): ...\n")
    done = yett("check", "app", "--tls-self-signed", *words(place))
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("place", [0, 3], ids=["least", "most"])
def test_settings_beyond_their_bounds_are_mistakes_each_of_them(
    yett: Callable[..., Finished], tmp_path: Path, place: int
) -> None:
    (tmp_path / "app.py").write_text("def application(environ, start_response): ...\n")
    done = yett("check", "app", "--tls-self-signed", *words(place))
    assert done.code == 2
    named = re.findall(r"^ *(--[a-z0-9-]+): ", done.err, re.MULTILINE)
    assert sorted(named) == sorted(words(place)[::2]), done.err


def test_guide_says_between_which_bounds_a_setting_may_be() -> None:
    guide = (REPOSITORY / "docs" / "guides" / "serve.md").read_text()
    for flag, (_, least, most, _) in SETTINGS_BOUNDS.items():
        [row] = [line for line in guide.splitlines() if f"`{flag}` |" in line]
        assert re.search(rf"\b(up to|{least} to) {most}\b", row), row
