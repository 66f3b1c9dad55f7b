"""Objects that forked workers share for ever: as they were before, on versions that are known.

Those are CPython 3.12 and 3.13. Beside the interpreter that runs the tests, `python3.12` and
`python3.13` are asked if they are in `PATH`, and those that `YETT_TEST_PYTHONS` names (separated as
in `PATH`). Where neither version is found, only this is proven: another one is left alone.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import yett

KNOWN = ("cpython 3.12", "cpython 3.13")
KIND = """
import sys
print(sys.implementation.name, "%d.%d" % sys.version_info[:2] + getattr(sys, "abiflags", ""))
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(yett.__file__).parent.parent)}


def found() -> dict[str, str]:
    """Return the interpreters by their kind: this one, and of each known kind one."""
    named = os.environ.get("YETT_TEST_PYTHONS", "").split(os.pathsep)
    named += [shutil.which(name) or "" for name in ("python3.12", "python3.13")]
    pythons = {run(sys.executable, KIND): sys.executable}
    for python in filter(None, named):
        # What stands in PATH may be a shim for a version that is not chosen.
        if subprocess.run([python, "-c", ""], capture_output=True, timeout=60).returncode == 0:
            kind = run(python, KIND)
            if kind in KNOWN:
                pythons.setdefault(kind, python)
    return pythons


def run(python: str, script: str) -> str:
    """Run this in an interpreter of its own; return what it printed."""
    told = subprocess.run(
        [python, "-c", script], capture_output=True, text=True, timeout=60, env=ENVIRONMENT
    )
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout.strip()


PYTHONS = found()

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


@pytest.mark.parametrize("kind", PYTHONS)
def test_imported_objects_go_on_as_before_and_are_counted_no_more_on_known_versions(kind):
    known = kind in KNOWN
    assert run(PYTHONS[kind], SCRIPT) == f"{known} {known}"


@pytest.mark.parametrize("kind", PYTHONS)
@pytest.mark.parametrize(
    "other",
    [
        pytest.param("sys.abiflags += 't'", id="built without the lock"),
        pytest.param("sys.getrefcount = lambda _: 1 << 30", id="another value"),
        pytest.param("sys.gettotalrefcount = lambda: 0", id="checks all counts"),
        pytest.param("sys.implementation.name = 'other'", id="another interpreter"),
    ],
)
def test_build_that_counts_otherwise_is_left_alone(other, kind):
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
    assert run(PYTHONS[kind], script) == "False 0"
