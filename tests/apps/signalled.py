"""Sets signals when it is imported, and tells what became of them in its worker.

The variable `AT_IMPORT` says which, and what to, as `SIGCHLD=ignored,SIGTERM=raises`; `wakeup` sets
a descriptor that is told of every signal, and `silence` closes it.
"""

import json
import os
import signal
import subprocess


class Handled(Exception):
    """What a handler of this application's raises."""


def raises(number, frame):
    """Interrupt whatever is being done."""
    raise Handled(number)


def steals(number, frame):
    """Reap every child, as servers do that fork."""
    while os.waitpid(-1, os.WNOHANG)[0]:
        pass


HOW = {"ignored": signal.SIG_IGN, "raises": raises, "steals": steals}
NAMES = {signal.SIG_DFL: "default", signal.SIG_IGN: "ignored", raises: "raises", steals: "steals"}

for what in os.environ.get("AT_IMPORT", "").split(","):
    if what == "wakeup":
        BELL = os.pipe()[1]
        os.set_blocking(BELL, False)
        signal.set_wakeup_fd(BELL)
    elif what == "silence":
        os.close(BELL)
    elif what:
        name, _, how = what.partition("=")
        signal.signal(signal.Signals[name], HOW[how])


def of_a_program():
    """Return the signals that a program started from here ignores."""
    told = subprocess.run(["cat", "/proc/self/status"], capture_output=True, check=False).stdout
    [line] = [line for line in told.decode().splitlines() if line.startswith("SigIgn:")]
    ignored = int(line.split()[1], 16)
    return [each.name for each in signal.Signals if ignored >> (each - 1) & 1]


IGNORED_BY_PROGRAMS_OF_THE_IMPORT = of_a_program() if not os.environ.get("AT_IMPORT") else []


def of_a_child():
    """Return what SIGINT and SIGTERM do in a process that is forked here."""
    told, tell = os.pipe()
    if os.fork() == 0:
        names = {signal.SIG_DFL: "default", signal.default_int_handler: "default"}
        each = [names.get(signal.getsignal(n), "?") for n in (signal.SIGINT, signal.SIGTERM)]
        os.write(tell, " ".join(each).encode())
        os._exit(0)
    os.close(tell)
    with open(told) as text:
        return text.read()


def application(environ, start_response):
    """Tell it as JSON."""
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup)
    told = {
        "chld": NAMES.get(signal.getsignal(signal.SIGCHLD)),
        "hup": NAMES.get(signal.getsignal(signal.SIGHUP)),
        "wakeup": wakeup != -1,
    }
    if environ["PATH_INFO"] == "/started":
        told["child"] = of_a_child()
        told["ignored_by_programs"] = [*of_a_program(), *IGNORED_BY_PROGRAMS_OF_THE_IMPORT]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
