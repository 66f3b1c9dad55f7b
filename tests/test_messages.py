"""What the program says, when nobody listens."""

import contextlib
import os
import signal
import subprocess

import pytest

from .conftest import APPS, PROGRAM
from .server import ADDRESS, LAST_LINE_OF_BANNER, eventually, of_session
from .wire import Wire

PIPE = 4096


@pytest.fixture
def unread(environment, tmp_path):
    """A server whose stdout and stderr go into one pipe that was full once the banner was read."""
    reader, writer = os.pipe()
    words = [PROGRAM, "serve", "hello:application", "--bind", "127.0.0.1:0", "--workers", "1"]
    process = subprocess.Popen(
        [*words, "--chdir", str(APPS)],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
        start_new_session=True,
    )
    try:
        said = ""
        while LAST_LINE_OF_BANNER not in said:
            piece = os.read(reader, PIPE)
            assert piece, said
            said += piece.decode()
        # Opened anew it has flags of its own: the program's end goes on to wait for room.
        filling = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(filling, b"\n" * PIPE)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(filling, b"\n")
        os.close(filling)
        yield process, ADDRESS.findall(said)[0], reader
        eventually(lambda: not of_session(process.pid))
    finally:
        for each in of_session(process.pid):
            os.kill(each, signal.SIGKILL)
        process.wait(timeout=60)
        os.close(reader)
        os.close(writer)


def test_server_whose_messages_nobody_reads_serves_and_obeys(unread, yett):
    process, address, _reader = unread
    for _ in range(3):
        # Each is answered with a line on stderr.
        process.send_signal(signal.SIGUSR2)
        done = yett("status", "--pid", str(process.pid))
        assert done.code == 0, done.err
        with Wire(address) as wire:
            assert wire.get("/").status == 200
    assert yett("reload", "--pid", str(process.pid)).code == 0
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_messages_are_written_when_they_are_read_again(unread):
    process, _address, reader = unread
    process.send_signal(signal.SIGUSR2)
    said = ""
    while "SIGUSR2 is not obeyed" not in said:
        said += os.read(reader, PIPE).decode()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
