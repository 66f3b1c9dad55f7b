"""Large bodies in both directions, slow clients, and the addresses that a server can have."""

import hashlib
import os
import socket
import stat

from .server import eventually
from .wire import Wire

MIB = 1 << 20
PIECE = bytes(range(256)) * 256

#: What the edge may need for one large body beyond what it needs anyway.
ROOM = 24 * MIB


def test_large_upload_arrives_whole_with_bounded_memory(serve):
    server = serve("echo:application")
    server.get("/")
    before = server.peak_memory()
    digest = hashlib.sha256()
    with server.wire() as wire:
        wire.ask("POST", "/", f"Content-Length: {64 * MIB}")
        for _ in range(64 * MIB // len(PIECE)):
            digest.update(PIECE)
            wire.send(PIECE)
        told = wire.hear("POST").json()
    assert told["sha256"] == digest.hexdigest()
    assert told["content_length"] == str(64 * MIB)
    assert server.peak_memory() - before < ROOM


def test_large_chunked_upload_arrives_whole(serve):
    server = serve("echo:application")
    with server.wire() as wire:
        wire.ask("POST", "/", "Transfer-Encoding: chunked")
        for _ in range(64):
            wire.send(b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
        wire.send(b"0\r\n\r\n")
        told = wire.hear("POST").json()
    assert told["sha256"] == hashlib.sha256(PIECE * 64).hexdigest()
    assert told["content_length"] == str(4 * MIB)


def test_large_download_arrives_whole_with_bounded_memory(serve, tmp_path):
    server = serve("stream:application", env={"STREAM": str(tmp_path)})
    before = server.peak_memory()
    with server.wire() as wire:
        wire.ask("GET", "/?64")
        response = wire.begin()
        for _ in range(64 * MIB // len(PIECE)):
            assert response.read(len(PIECE)) == PIECE
        assert response.read() == b""
    assert server.peak_memory() - before < ROOM


def test_client_that_does_not_read_holds_up_neither_memory_nor_others(serve, tmp_path):
    for name in ("slow", "others"):
        (tmp_path / name).mkdir()
    flags = ("--workers", "2", "--max-answer-spool", "8MiB")
    server = serve("stream:application", *flags, env={"STREAM": str(tmp_path)})
    before = server.peak_memory()
    progress = tmp_path / "slow" / "progress"
    with server.wire(receive_buffer=4096) as slow:
        slow.ask("GET", "/sized/slow?256")
        response = slow.begin()
        eventually(lambda: progress.read_text().count("\n") > 4)
        for _ in range(200):
            assert server.get("/others?0").status == 200
        assert server.status()["requests_in_flight"] == 1
        # What the sockets of the kernel take, what is kept, the window, and no more.
        assert progress.read_text().count("\n") < 32 * MIB // len(PIECE)
        assert server.peak_memory() - before < ROOM
        assert response.read(len(PIECE)) == PIECE


def test_large_answer_is_whole_when_the_connection_closes_behind_it(serve):
    server = serve("hello:large", "--workers", "1")
    with server.wire(receive_buffer=4096) as wire:
        wire.ask("GET", "/", "Connection: close")
        response = wire.begin()
        assert len(response.read()) == 16 * MIB
        assert wire.is_closed_by_server()


def test_body_of_a_slow_client_does_not_hold_a_worker(serve):
    server = serve("echo:application", "--workers", "1")
    with server.wire() as slow:
        slow.ask("POST", "/", "Content-Length: 10")
        slow.send(b"alpha")
        for _ in range(5):
            assert server.get("/").status == 200
        slow.send(b"omega")
        assert slow.hear("POST").json()["length"] == 10


def test_spooled_bodies_leave_no_file_behind(serve, tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    server = serve("echo:application", "--spool-dir", str(spool))
    answer = server.request("POST", "/", body=PIECE * 4)
    assert answer.json()["length"] == len(PIECE) * 4
    assert list(spool.iterdir()) == []


def free_ipv6() -> str:
    """Return an IPv6 address of the loopback; its IPv4 one where the kernel has no IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return "127.0.0.1:0"
    return "[::1]:0"


def test_ipv6_address_is_served(serve):
    bind = free_ipv6()
    server = serve("mirror:application", bind=(bind,))
    host = bind.removesuffix(":0")
    assert server.address.startswith(f"http://{host}:")
    told = server.get("/").json()
    assert told["SERVER_NAME"] == told["REMOTE_ADDR"] == host.strip("[]")


def test_unix_socket_is_served_and_removed(serve, tmp_path):
    path = tmp_path / "s"
    server = serve("mirror:application", bind=(f"unix:{path}",))
    assert server.address == f"unix:{path}"
    assert stat.S_ISSOCK(path.stat().st_mode)
    told = server.get("/").json()
    assert told["REMOTE_ADDR"] == ""
    assert told["SERVER_PORT"] == "80"
    [record] = server.last_records()
    assert record["client"] == "unix"
    assert not path.exists()


def test_unix_socket_left_over_by_a_dead_server_is_replaced(serve, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(os.fspath(path))
    server = serve("hello:application", bind=(f"unix:{path}",))
    assert server.get("/").status == 200


def test_two_addresses_are_served_at_once(serve, tmp_path):
    server = serve("hello:application", bind=("127.0.0.1:0", f"unix:{tmp_path}/s"))
    assert len(server.addresses) == 2
    for address in server.addresses:
        with Wire(address) as wire:
            assert wire.get("/").body == b"hello\n"


def test_host_name_is_resolved(serve):
    server = serve("hello:application", bind=("localhost:0",))
    assert server.get("/").status == 200
