"""Files that an application answers with: handed to the server where they are real, read elsewhere.

How a file went is seen in what the worker read: nothing, where the server sent it.
"""

import gzip
from pathlib import Path

import pytest

from .server import eventually

LARGE = bytes(range(256)) * 4096
SENT = {
    "whole": LARGE,
    "raw": LARGE,
    "moved": LARGE[1010:],
    "shorter": LARGE[:100],
    "empty": b"",
    "hole": bytes(5000),
    "of_processes": Path("/proc/version").read_bytes(),
    "of_devices": Path("/sys/devices/system/cpu/online").read_bytes(),
    "unpacked": b"unpacked",
    "temporary": b"temporary",
    "memory": b"memory",
    "proxied": LARGE,
    "subclass": LARGE,
    "pipe": b"from a pipe",
}


@pytest.fixture
def files(tmp_path):
    """Return the folder of the files."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "large").write_bytes(LARGE)
    (folder / "empty").write_bytes(b"")
    with (folder / "hole").open("wb") as hole:
        hole.truncate(5000)
    (folder / "packed.gz").write_bytes(gzip.compress(b"unpacked"))
    (tmp_path / "outside").write_bytes(b"outside")
    (folder / "link").symlink_to("../outside")
    return folder


@pytest.mark.parametrize("app", ["files:application", "files:validated"])
def test_file_is_the_same_however_it_travels(serve, files, app):
    server = serve(app, "--workers", "1", env={"FILES": str(files)})
    with server.wire() as wire:
        for name, expected in SENT.items():
            answer = wire.get(f"/{name}")
            assert (answer.status, answer.body) == (200, expected), name
    eventually(lambda: (files / "closed").read_text() == "closed\n")


def test_real_file_has_its_length_and_head_has_it_too(serve, files):
    server = serve("files:application", "--workers", "1", env={"FILES": str(files)})
    for name in ("whole", "raw", "moved", "shorter", "empty", "hole", "temporary"):
        for method in ("GET", "HEAD"):
            answer = server.request(method, f"/{name}")
            assert answer.headers["Content-Length"] == str(len(SENT[name])), (name, method)
            assert answer.body == (SENT[name] if method == "GET" else b"")


def test_slow_client_of_a_file_holds_no_worker(serve, files):
    (files / "large").write_bytes(LARGE * 20)
    server = serve("files:application", "--workers", "1", env={"FILES": str(files)})
    with server.wire(receive_buffer=4096) as slow:
        slow.ask("GET", "/whole")
        assert slow.begin().status == 200
        # The one worker answers others meanwhile.
        for _ in range(3):
            assert server.get("/memory").body == b"memory"


def test_named_file_is_sent_from_its_folder(serve, files):
    server = serve(
        "files:application",
        *("--workers", "1", "--sendfile", f"/protected/={files}"),
        env={"FILES": str(files)},
    )
    for target in ("/x-accel-redirect?/protected/large", f"/x-sendfile?{files}/large"):
        answer = server.get(target)
        assert (answer.status, answer.body) == (200, LARGE)
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["Last-Modified"]
        told = ("x-sendfile", "x-accel-redirect")
        assert not [name for name in answer.headers if name.lower() in told]


def test_file_outside_the_named_folders_is_never_sent(serve, files, tmp_path):
    server = serve(
        "files:application",
        *("--workers", "1", "--sendfile", f"/protected/={files}"),
        env={"FILES": str(files)},
    )
    wanted = {
        f"/x-sendfile?{tmp_path}/outside": 500,
        f"/x-sendfile?{files}/../outside": 500,
        f"/x-sendfile?{files}/link": 404,
        "/x-accel-redirect?/protected/link": 404,
        "/x-accel-redirect?/protected/../outside": 500,
        "/x-accel-redirect?/elsewhere/large": 500,
    }
    for target, status in wanted.items():
        answer = server.get(target)
        assert (answer.status, b"outside" in answer.body) == (status, False), target
        told = ("x-sendfile", "x-accel-redirect")
        assert not [name for name in answer.headers if name.lower() in told]
    records = server.records(len(wanted))
    assert all(record["fault"] == "app" for record in records)
    assert "no --sendfile URL=DIR of this server covers" in records[0]["reason"]


def test_without_a_folder_no_file_can_be_named(serve, files):
    server = serve("files:application", "--workers", "1", env={"FILES": str(files)})
    assert server.get("/x-accel-redirect?/protected/large").status == 500
    assert server.get(f"/x-sendfile?{files}/large").status == 500
