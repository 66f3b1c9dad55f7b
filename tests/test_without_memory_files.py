"""Systems without memory files: sandboxes and container runtimes refuse `memfd_create`."""

import ctypes
import errno
import os
import platform
import re
import signal
import struct

import pytest

from .server import eventually
from .test_preload import HELLO as ANSWER

HELLO = "import os\n" + ANSWER

ONE = ("--workers", "1")
#: The number of `memfd_create`, by machine.
NUMBERS = {"x86_64": 319, "aarch64": 279}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_NUMBER, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL_WITH = 0x7FFF0000, 0x00050000

pytestmark = pytest.mark.skipif(platform.machine() not in NUMBERS, reason="number not known here")


def refusing(error):
    """Return what makes `memfd_create` fail in a process and all that it starts."""
    steps = [
        (LOAD_NUMBER, 0, 0, 0),
        (JUMP_IF_EQUAL, 0, 1, NUMBERS[platform.machine()]),
        (RETURN, 0, 0, FAIL_WITH | error),
        (RETURN, 0, 0, ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    libc = ctypes.CDLL(None, use_errno=True)

    def refuse():
        header = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
        program = ctypes.create_string_buffer(header)
        for words in (
            (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
            (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0),
        ):
            if libc.prctl(*map(ctypes.c_ulong, words)) != 0:
                raise OSError(ctypes.get_errno(), f"prctl{words}")
        # Where the filter does not hold, the test would show nothing.
        if libc.memfd_create(b"", 0) != -1:
            raise AssertionError("memfd_create still works")

    return refuse


@pytest.fixture(params=[errno.ENOSYS, errno.EPERM], ids=["ENOSYS", "EPERM"])
def serve_without(serve, request):
    """Start servers where `memfd_create` fails."""
    return lambda *words, **how: serve(*words, preexec_fn=refusing(request.param), **how)


@pytest.mark.parametrize("flags", [(), ("--no-preload",)], ids=["preload", "no preload"])
@pytest.mark.parametrize("app", ["echo:application", "looped:application"])
def test_without_memory_files_requests_are_answered_over_the_socket(serve_without, app, flags):
    server = serve_without(app, *ONE, *flags)
    why = "(Function not implemented|Operation not permitted)"
    told = rf"warning shared memory [a-z' ]* could not be made: {why}.*: requests go to "
    assert re.search(told, server.stderr)
    # In the frame, and behind it.
    for size in (10, 300_000):
        assert server.request("POST", "/echo", body=b"x" * size).status == 200
    [pid] = server.worker_pids()
    with open(f"/proc/{pid}/maps") as maps:
        assert "yett-link" not in maps.read()


def test_without_memory_files_an_import_that_starts_threads_is_begun_anew(serve_without):
    server = serve_without("imported:application", *ONE, env={"AT_IMPORT": "thread"})
    assert "exporter" in server.get("/").json()["threads"]


def test_without_memory_files_a_worker_that_cannot_start_still_says_why(serve_without, tmp_path):
    source = tmp_path / "app.py"
    source.write_text(HELLO)
    server = serve_without("app", *ONE, "--no-preload", folder=tmp_path)
    source.write_text("raise LookupError('the reason of the worker')\n")
    os.kill(server.worker_pids()[0], signal.SIGKILL)
    eventually(lambda: "cannot start: LookupError: the reason of the worker" in server.stderr)
    source.write_text(HELLO)
    server.await_workers(1)
