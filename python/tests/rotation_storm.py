"""Drives processes of `rotation_project`: 100 requests with one token at the same moment."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

BLACKLISTED = {"detail": "Token is blacklisted", "code": "token_not_valid"}
#: Processes and threads in each of them.
SHAPES = [(1, 100), (4, 25)]


class Process:
    """One process of the project."""

    def __init__(self, settings: dict[str, Any]) -> None:
        command = [sys.executable, "-W", "ignore", str(HERE / "rotation_project.py")]
        self.running = subprocess.Popen(
            [*command, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, line: Any) -> None:
        """Write one line to it."""
        assert self.running.stdin is not None
        self.running.stdin.write(json.dumps(line) + "\n")
        self.running.stdin.flush()

    def hear(self) -> Any:
        """Read one line of it."""
        assert self.running.stdout is not None
        line = self.running.stdout.readline()
        assert line, f"the project ended with {self.running.wait()}"
        return json.loads(line)

    def ask(self, function: str, **arguments: Any) -> Any:
        """Call a function of the project."""
        self.say([function, arguments])
        return self.hear()


@contextmanager
def project(settings: dict[str, Any]) -> Iterator[Process]:
    """A process that ends with the block."""
    process = Process(settings)
    with process.running:
        try:
            yield process
        finally:
            # The end of its input is the end of its loop, unless it waits for its threads.
            process.running.kill()


def storm(
    processes: list[Process], token: str, threads: int, meet: str, *paths: str
) -> list[list[Any]]:
    """Return all answers: path, status, body, `Retry-After`."""
    arguments = {"token": token, "threads": threads, "meet": meet, "paths": paths or ["/refresh/"]}
    for process in processes:
        process.say(["storm", arguments])
    for process in processes:
        assert process.hear() == "ready"
    for process in processes:
        process.say("go")
    return [answer for process in processes for answer in process.hear()]


def check_storms(
    settings: dict[str, Any],
    shape: tuple[int, int],
    meet: str,
    *,
    journal: str | None = None,
    rounds: int = 3,
) -> None:
    """Assert that of 100 requests with one token exactly one gets a pair, and one pair exists."""
    with ExitStack() as stack:
        first = stack.enter_context(project(settings))
        first.ask("prepare", journal=journal)
        more = [stack.enter_context(project(settings)) for _ in range(shape[0] - 1)]
        for number in range(rounds):
            # One of which the tables know nothing is taken once, too.
            token = first.ask("issue_unnoted" if number == 2 else "issue")
            check_storm([first, *more], token, shape[1], meet)


def check_storm(processes: list[Process], token: str, threads: int, meet: str) -> None:
    """Assert it of one token; then its successor works, and it does not."""
    first = processes[0]
    before = first.ask("rows")
    answers = storm(processes, token, threads, meet)
    assert Counter(status for _, status, *_ in answers) == {200: 1, 401: 99}
    assert all(body == BLACKLISTED for _, status, body, _ in answers if status == 401)

    [pair] = [body for _, status, body, _ in answers if status == 200]
    after = first.ask("rows")
    noted = set(after["issued"]) - set(before["issued"]) - {jti_of(token)}
    assert noted == {jti_of(pair["refresh"])}
    assert set(after["revoked"]) - set(before["revoked"]) == {jti_of(token)}
    assert len(after["issued"]) == len(set(after["issued"]))
    assert after["users"] == ["ann"]

    assert first.ask("refresh", token=token)[:2] == [401, BLACKLISTED]
    assert first.ask("refresh", token=pair["refresh"])[0] == 200


def jti_of(token: str) -> Any:
    """Return a token's id, unproved."""
    from forge import read

    return read(token)[1]["jti"]
