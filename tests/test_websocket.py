"""WebSockets, judged by the client of the package `websockets`."""

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from websockets import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import ClientConnection, connect

from .server import Server, eventually
from .wire import PATIENCE

MIB = 1024 * 1024


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """Return a server with one worker, so that `/told` knows every WebSocket."""
    return serve("sockets:application", "--workers", "1")


def opened(server: Server, path: str = "/echo", **how: Any) -> ClientConnection:
    """Return an open WebSocket."""
    address = f"ws://{server.address.removeprefix('http://')}{path}"
    return connect(address, open_timeout=PATIENCE, max_size=None, **how)


def closed(socket: ClientConnection) -> tuple[int, str]:
    """Return code and reason of the server's close."""
    with pytest.raises(ConnectionClosed) as caught:
        socket.recv(timeout=PATIENCE)
    assert caught.value.rcvd is not None, "the server closes with a frame"
    return caught.value.rcvd.code, caught.value.rcvd.reason


def told(server: Server, count: int) -> list[list[Any]]:
    """Return what the application was told, as soon as it was told so much."""

    def said() -> list[list[Any]]:
        return server.get("/told").json()

    eventually(lambda: len(said()) >= count)
    return said()


@pytest.mark.parametrize(
    "offer",
    [
        pytest.param({"compression": None}, id="plain"),
        pytest.param({}, id="deflate"),
        pytest.param(
            {
                "compression": None,
                "extensions": [ClientPerMessageDeflateFactory(server_max_window_bits=9)],
            },
            id="narrow window",
        ),
    ],
)
def test_messages_of_every_size_come_back_as_they_were(server, offer):
    texts = ["", "a", "ä€😀" * 40, "x" * 125, "x" * 126, "word " * 200_000, "😀" * 50_000]
    sizes = [0, 1, 65_535, 65_536, 65_537, 3 * MIB, 16 * MIB]
    with opened(server, **offer) as socket:
        for message in [*texts, *(os.urandom(size) for size in sizes)]:
            socket.send(message)
            assert socket.recv(timeout=PATIENCE) == message
        socket.send(["in ", "several ", "fragments"])
        assert socket.recv(timeout=PATIENCE) == "in several fragments"
        assert socket.ping(b"there?").wait(PATIENCE)


def test_many_messages_keep_their_order(server):
    numbers = [str(number) for number in range(10_000)]
    with opened(server) as socket:
        for number in numbers:
            socket.send(number)
        assert [socket.recv(timeout=PATIENCE) for _ in range(10_000)] == numbers


def test_application_sees_the_request_and_chooses_the_subprotocol(server):
    with opened(server, "/scope?a=1", subprotocols=["one", "two"], origin="http://x") as socket:
        said = json.loads(socket.recv(timeout=PATIENCE))
        assert socket.subprotocol == "two"
    assert (said["scheme"], said["query"]) == ("ws", "a=1")
    assert said["headers"]["origin"] == "http://x"
    assert "upgrade" not in said["headers"]


def test_close_of_the_client_reaches_the_application(server):
    for code, reason in [(1000, ""), (4321, "bye")]:
        with opened(server) as socket:
            socket.close(code, reason)
            assert socket.close_code == code
    assert told(server, 2) == [[1000, ""], [4321, "bye"]]


def test_client_that_vanishes_is_told_as_1006(server):
    socket = opened(server)
    socket.socket.close()
    assert told(server, 1) == [[1006, ""]]


def test_application_closes_with_code_and_reason(server):
    with opened(server, "/close") as socket:
        assert closed(socket) == (4001, "enough")


def test_application_that_fails_closes_with_1011(server):
    with opened(server, "/fail") as socket:
        assert closed(socket)[0] == 1011
    with pytest.raises(InvalidStatus) as caught:
        opened(server, "/fail-early")
    assert caught.value.response.status_code == 500


def test_refusals_are_ordinary_answers(server):
    with pytest.raises(InvalidStatus) as caught:
        opened(server, "/refuse")
    assert caught.value.response.status_code == 403
    with pytest.raises(InvalidStatus) as caught:
        opened(server, "/deny")
    answer = caught.value.response
    assert (answer.status_code, answer.body) == (418, b"no coffee")
    assert answer.headers["x-why"] == "tea"


def test_acceptance_that_is_too_late_is_504_and_told_to_the_application(serve):
    server = serve("sockets:application", "--workers", "1", "--timeout", "1s")
    worker = server.worker_pids()
    with pytest.raises(InvalidStatus) as caught:
        opened(server, "/late")
    assert caught.value.response.status_code == 504
    assert told(server, 1) == [[1006, ""]]
    assert server.worker_pids() == worker


def test_message_beyond_the_limit_is_1009(serve):
    server = serve("sockets:application", "--workers", "1", "--ws-max-message", "1KiB")
    with opened(server) as socket:
        socket.send("a" * 1024)
        assert socket.recv(timeout=PATIENCE) == "a" * 1024
        socket.send("a" * 1025)
        assert closed(socket)[0] == 1009
    assert told(server, 1)[0][0] == 1009


def test_compression_can_be_switched_off(serve):
    server = serve("sockets:application", "--workers", "1", "--ws-deflate", "off")
    with opened(server) as socket:
        assert socket.protocol.extensions == []


def test_death_of_the_worker_is_1012(server):
    with opened(server) as socket:
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        assert closed(socket)[0] == 1012


def test_reload_closes_websockets_with_1012_within_the_grace_period(serve):
    server = serve("sockets:application", "--workers", "1", "--graceful-timeout", "2s")
    with opened(server) as socket:
        os.kill(server.pid, signal.SIGHUP)
        assert closed(socket)[0] == 1012
    with opened(server) as socket:
        socket.send("new")
        assert socket.recv(timeout=PATIENCE) == "new"


def test_stop_closes_websockets_with_1001_and_does_not_hang(serve):
    server = serve("sockets:application", "--workers", "1", "--graceful-timeout", "2s")
    with opened(server) as socket:
        os.kill(server.pid, signal.SIGTERM)
        assert closed(socket)[0] == 1001
    assert server.process.wait(PATIENCE) == 0


def test_wsgi_application_answers_as_always(serve):
    server = serve("hello:application")
    with pytest.raises(InvalidStatus) as caught:
        opened(server)
    assert caught.value.response.status_code == 200


def test_every_websocket_writes_one_record(server):
    with opened(server) as socket:
        socket.send("hi")
        socket.recv(timeout=PATIENCE)
    record = server.records(1)[0]
    assert (record["status"], record["method"], record["target"]) == (101, "GET", "/echo")
    assert record["bytes"] == len(b"\x81\x02hi") + len(b"\x88\x02\x03\xe8")
