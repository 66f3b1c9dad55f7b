"""Why outcomes differ, as `reasons.txt` says it."""

from fnmatch import fnmatchcase
from pathlib import Path

TEXT = Path(__file__).with_name("reasons.txt").read_text()

#: Patterns of cases' names, and the reasons.
REASONS = [
    (pattern, why)
    for pattern, _, why in (line.partition(" | ") for line in TEXT.splitlines())
    if not pattern.startswith("#")
]


def reason(name: str) -> str:
    """Return what the first pattern that fits says; empty when there is none."""
    return next((why for pattern, why in REASONS if fnmatchcase(name, pattern)), "")
