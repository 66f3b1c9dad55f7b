"""Requests that stop inside the application until the test lets them go.

The application (`apps/held.py`) writes its process id into `entered` and then reads one byte from
a FIFO. The test holds the FIFO open, so nobody ever waits for the other to open it.
"""

import os
from pathlib import Path

from .server import eventually


class Hold:
    """The test's side; a context manager. Leaving it lets everybody go."""

    def __init__(self, folder: Path) -> None:
        """Make the folder and its FIFO."""
        folder.mkdir()
        self.environment = {"HOLD": str(folder)}
        self._entered = folder / "entered"
        self._entered.touch()
        os.mkfifo(folder / "gate")
        self._gate = os.open(folder / "gate", os.O_RDWR)

    def __enter__(self) -> "Hold":
        return self

    def __exit__(self, *_exc: object) -> None:
        os.close(self._gate)

    def entered(self) -> list[int]:
        """Return the process ids of the workers that stopped here, in order."""
        return [int(line) for line in self._entered.read_text().splitlines()]

    def await_entered(self, count: int) -> list[int]:
        """Wait until so many requests have stopped here, ever."""
        eventually(lambda: len(self.entered()) >= count)
        return self.entered()

    def let_go(self, count: int = 1) -> None:
        """Let so many requests go on."""
        os.write(self._gate, b"." * count)
