"""What all applications of the grid share: a gate that the test opens, and marks that it reads.

The folder is the one of `tests/hold.py`, named by HOLD. Nothing here waits for a time.
"""

import hashlib
import os
from pathlib import Path

#: What every `/json` answers.
GREETING = {"hello": "wörld", "numbers": [1, 2, 3]}
#: What an error says; no client may ever see it.
SECRET = "the-secret-of-the-view"
#: `/many`: pieces of an answer that is sent in pieces.
PIECE = bytes(range(256)) * 40
PIECES = 200


def pass_gate() -> None:
    """Wait until the test lets one pass."""
    gate = os.open(Path(os.environ["HOLD"], "gate"), os.O_RDONLY)
    try:
        os.read(gate, 1)
    finally:
        os.close(gate)


def mark(name: str, text: str = "") -> None:
    """Leave a file that the test waits for; it appears whole."""
    place = Path(os.environ["HOLD"], name)
    fresh = place.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(place)


def described(note: str, name: str, content: bytes) -> dict[str, object]:
    """Return what `/upload` answers."""
    return {
        "note": note,
        "name": name,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
