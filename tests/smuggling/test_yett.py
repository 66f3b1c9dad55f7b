"""What Yett makes of each case."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .corpus import CASES
from .talk import outcome


def answered(port: int, data: bytes) -> str:
    """Return the outcome; who answered and waits for more may also only be slow."""
    return outcome(port, data).removesuffix(", waits")


def test_case_has_the_outcome_that_the_corpus_says(serve: Any) -> None:
    port = serve("app:application", folder=Path(__file__).parent).port
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda case: answered(port, case[0]), CASES.values())
        told = dict(zip(CASES, found, strict=True))
    wrong = {
        name: (told[name], expected)
        for name, (_, expected) in CASES.items()
        if told[name] != expected
    }
    assert wrong == {}
