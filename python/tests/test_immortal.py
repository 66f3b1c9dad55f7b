"""Objects that forked workers share for ever: as they were before, on versions that are known."""

import subprocess
import sys

import pytest

KNOWN = sys.version_info[:2] in ((3, 12), (3, 13)) and sys.implementation.name == "cpython"

# In a process of its own: what is immortal once stays so.
SCRIPT = """
import gc, sys
from yett._yett import make_immortal

class Note:
    names = ("a", "b")
    def text(self, deep=lambda: "default"):
        def inner():
            return 1234567, "constant of the inner function", deep()
        return inner()

kept = {"key of a dictionary": 7654321, "list": [Note()]}
done = make_immortal(gc.get_objects())
gc.freeze()
gc.collect()
assert kept["list"][0].text()[0] == 1234567
kept["list"].append(Note())
kept["list"].clear()
kept["new"] = [[] for _ in range(1000)]
del kept["new"], kept["key of a dictionary"]
Note.added = 5
del Note.added
for number in range(100):
    exec(f"class Other(Note): number = {number}")
    assert Note().text()[2] == "default"
gc.collect()
def least(*objects):
    return min(sys.getrefcount(one) for one in objects)
code = Note.text.__code__
print(done, least(Note, Note.text, code, code.co_consts, kept) > 1 << 31)
"""


def test_imported_objects_are_counted_no_more_and_go_on_as_before():
    assert run(SCRIPT) == f"{KNOWN} {KNOWN}"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("sys.abiflags += 't'", id="built without the lock"),
        pytest.param("sys.getrefcount = lambda _: 1 << 30", id="another value"),
        pytest.param("sys.gettotalrefcount = lambda: 0", id="checks all counts"),
        pytest.param("sys.implementation.name = 'other'", id="another interpreter"),
    ],
)
def test_build_that_counts_otherwise_is_left_alone(other):
    script = """
        import sys
        from yett._yett import make_immortal
        kept, count = [], sys.getrefcount
        before = count(kept)
        OTHER
        print(make_immortal([kept]), count(kept) - before)
    """
    script = "\n".join(line.strip() for line in script.splitlines()).replace("OTHER", other)
    # The list that is handed over holds one more, and is gone again.
    assert run(script) == "False 0"


def run(script: str) -> str:
    """Run this in an interpreter of its own; return what it printed."""
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stderr == ""
    return told.stdout.strip()
