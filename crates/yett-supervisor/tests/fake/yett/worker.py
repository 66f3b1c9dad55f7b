"""A zygote and its workers for the supervisor's tests: the real control protocol, no app.

How it behaves is read from the file `plan` (a JSON object) when it starts, as code would be:

- `import`: `good`, `bad` (says `failed`), `dies`, `hangs`, or a way to break the protocol:
  `nonsense`, `too_long`, `no_manifest`, `long_manifest`, `pipe_manifest`, `closes`
- `worker`: `good`, `dies` (before it is ready), `unfit` (says why it cannot start, and leaves),
  `stubborn` (heeds neither drain nor SIGTERM)

Over its link a worker says `R` when it is ready, and leaves upon `D` or the end of the link.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys


def main() -> None:
    settings = json.loads(sys.argv[1])
    with open(settings["plan"], encoding="utf-8") as file:
        plan = json.load(file)
    control = socket.socket(fileno=settings["control"])
    load(control, plan["import"])
    serve(control, plan["worker"])


def load(control: socket.socket, how: str) -> None:
    """Says how importing the app went; leaves or hangs if that is how it went."""
    if how == "good":
        say(control, {"op": "loaded"}, memfd(json.dumps(facts()).encode()))
    elif how == "bad":
        failed = {"op": "failed", "stage": "import", "summary": "ImportError: no such app"}
        say(control, failed, memfd(b"Traceback (most recent call last):\n"))
        sys.exit(1)
    elif how == "dies":
        os._exit(3)
    elif how == "hangs":
        signal.pause()
    elif how == "nonsense":
        control.send(b"hello")
    elif how == "too_long":
        control.send(b" " * (32 * 1024 + 1))
    elif how == "no_manifest":
        say(control, {"op": "loaded"})
    elif how == "long_manifest":
        descriptor = memfd(b"")
        os.ftruncate(descriptor, 16 * 1024 * 1024 + 1)
        say(control, {"op": "loaded"}, descriptor)
    elif how == "pipe_manifest":
        say(control, {"op": "loaded"}, os.pipe()[0])
    elif how == "closes":
        control.close()
        signal.pause()


def facts() -> dict[str, object]:
    """What the test wants to know about the process itself; travels as the manifest."""
    paths = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            paths.append(os.readlink(f"/proc/self/fd/{number}"))
    return {
        "sockets": sum(path.startswith("socket:") for path in paths),
        "stdin": os.readlink("/proc/self/fd/0"),
        "leads_its_group": os.getpgrp() == os.getpid(),
        "folder": os.getcwd(),
    }


def serve(control: socket.socket, how: str) -> None:
    """Forks and reports until it is told to end and the last worker is gone."""
    children: dict[int, tuple[int, int]] = {}
    ending = False
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while not ending or children:
        for ready, _ in poll.poll():
            if ready in children:
                worker, pid = children.pop(ready)
                poll.unregister(ready)
                result = os.waitid(os.P_PIDFD, ready, os.WEXITED)
                os.close(ready)
                assert result is not None
                ended_by_itself = result.si_code == os.CLD_EXITED
                exited = {
                    "op": "exited",
                    "worker": worker,
                    "pid": pid,
                    "code": result.si_status if ended_by_itself else None,
                    "signal": None if ended_by_itself else result.si_status,
                }
                if how == "unfit":
                    unfit = {"op": "unfit", "worker": worker, "summary": "ImportError: no such app"}
                    say(control, unfit, memfd(b"Traceback (most recent call last):\n"))
                say(control, exited)
                continue
            text, descriptors, _, _ = socket.recv_fds(control, 32 * 1024, 1)
            message = json.loads(text) if text else None
            if message is None:
                for pidfd in children:
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                sys.exit(0)
            if message["op"] == "end":
                ending = True
                continue
            pid = os.fork()
            if pid == 0:
                control.close()
                work(socket.socket(fileno=descriptors[0]), how)
            os.close(descriptors[0])
            pidfd = os.pidfd_open(pid)
            children[pidfd] = (message["worker"], pid)
            poll.register(pidfd, select.POLLIN)
            say(control, {"op": "forked", "worker": message["worker"], "pid": pid}, pidfd)


def work(link: socket.socket, how: str) -> None:
    """A worker; never returns."""
    if how in ("dies", "unfit"):
        os._exit(4)
    if how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    link.send(b"R")
    while link.recv(1) and how == "stubborn":
        pass
    if how == "stubborn":
        signal.pause()
    os._exit(0)


def say(control: socket.socket, message: dict[str, object], descriptor: int | None = None) -> None:
    descriptors = [] if descriptor is None else [descriptor]
    socket.send_fds(control, [json.dumps(message).encode()], descriptors)


def memfd(text: bytes) -> int:
    descriptor = os.memfd_create("document")
    os.write(descriptor, text)
    return descriptor


if __name__ == "__main__":
    main()
