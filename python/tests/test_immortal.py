"""Objects that forked workers share for ever: as they were before, on versions that are known."""

import subprocess
import sys

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
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.split() == [str(KNOWN), str(KNOWN)]
    assert told.stderr == ""
