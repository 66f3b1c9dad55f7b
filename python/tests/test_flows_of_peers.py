"""Projects on djoser and django-ninja-jwt get the same answers from yett's packages.

Neither package carries its tests, so the flows are our own: `peer_flows_project` walks them,
once on simplejwt and PyJWT as installed, once on `yett.drf` and `yett.jwt` under their names.
django-ninja-jwt has views of its own; what it uses of the two is `jwt` alone.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PROVED = {
    "djoser": {
        "itself": ["jwt.api_jwt", "rest_framework_simplejwt.views"],
        "yett": ["yett.jwt.api_jwt", "yett.drf.views"],
    },
    "ninja": {"itself": ["jwt.api_jwt"], "yett": ["yett.jwt.api_jwt"]},
}

#: Where `yett.drf` means to differ (docs/guides/from-simplejwt.md): status there, and here.
DIFFERENT = {
    "djoser": {"refresh after the change": (200, 401), "refresh after deletion": (500, 401)},
    "ninja": {},
}

#: The steps that succeed; every other one is refused.
GOOD = {
    *("register", "log in", "enter", "verify", "refresh", "enter after refresh"),
    *("refresh the new one", "log out", "log in again", "enter by a social login"),
    *("change the password", "log in with the new password", "delete the account"),
}


def walk(peer: str, packages: str, algorithm: str) -> dict[str, Any]:
    """Return the steps of a flow, from a process of its own."""
    program = str(HERE / "peer_flows_project.py")
    names = str(HERE.parent.parent / "tests")
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), names)))
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", program, peer, packages, algorithm],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout)
    assert said["proved"] == PROVED[peer][packages]
    steps: dict[str, Any] = said["steps"]
    return steps


@pytest.mark.parametrize("algorithm", ["HS256", "ES256"])
@pytest.mark.parametrize("peer", ["djoser", "ninja"])
def test_flow_has_the_answers_that_it_has_on_simplejwt(peer: str, algorithm: str) -> None:
    theirs, ours = walk(peer, "itself", algorithm), walk(peer, "yett", algorithm)
    for name, answer in ours.items():
        assert answer[0] in ((200, 201, 204) if name in GOOD else (400, 401)), (name, answer)
    for name, statuses in DIFFERENT[peer].items():
        assert (theirs.pop(name)[0], ours.pop(name)[0]) == statuses
    assert ours == theirs
