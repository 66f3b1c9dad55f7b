"""What the program says, when nobody listens."""

import contextlib
import os
import signal
import subprocess

import pytest

from .conftest import APPS, PROGRAM
from .server import ADDRESS, LAST_LINE_OF_BANNER, eventually, kill_session, of_session
from .wire import Wire

PIPE = 4096


class Mouth:
    """A pipe that a program's stdout and stderr go into."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()

    def close(self) -> None:
        os.close(self._reader)
        os.close(self.writer)

    def hear(self, words: str) -> str:
        """Read until these words have come; return all that came."""
        said = ""
        while words not in said:
            piece = os.read(self._reader, PIPE)
            assert piece, said
            said += piece.decode()
        return said

    def fill(self) -> None:
        """Leave no room for another byte."""
        # Opened anew it has flags of its own: the program's end goes on to wait for room.
        filling = os.open(f"/proc/self/fd/{self.writer}", os.O_WRONLY | os.O_NONBLOCK)
        for piece in (b"\n" * PIPE, b"\n"):
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(filling, piece)
        os.close(filling)


@pytest.fixture
def mouth():
    made = Mouth()
    yield made
    made.close()


def await_end(process):
    """Wait until nothing of a program is left; what stays is killed, and an error."""
    try:
        eventually(lambda: not of_session(process.pid))
    finally:
        kill_session(process)


@pytest.fixture
def speak(environment, tmp_path, mouth):
    """Start the program with an application; whatever it says goes into the pipe."""
    started = []

    def start(app):
        words = [PROGRAM, "serve", app, "--bind", "127.0.0.1:0", "--workers", "1"]
        process = subprocess.Popen(
            [*words, "--chdir", str(APPS)],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=mouth.writer,
            stderr=mouth.writer,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        await_end(process)


def test_server_whose_messages_nobody_reads_serves_and_obeys(speak, mouth, yett):
    process = speak("hello:application")
    address = ADDRESS.findall(mouth.hear(LAST_LINE_OF_BANNER))[0]
    mouth.fill()
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


def test_messages_are_written_when_they_are_read_again(speak, mouth):
    process = speak("hello:application")
    mouth.hear(LAST_LINE_OF_BANNER)
    mouth.fill()
    process.send_signal(signal.SIGUSR2)
    mouth.hear("SIGUSR2 is not obeyed")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_start_that_fails_ends_though_nobody_reads_why(speak, mouth):
    mouth.fill()
    assert speak("nowhere:application").wait(timeout=30) == 2
