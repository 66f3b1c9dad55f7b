"""Yett: runs a Python web application and guards its API with JSON Web Tokens.

The program `yett` is native and needs none of this to start. What stands here runs
inside the application's own interpreter: `yett.worker` (the processes that the program
starts), `yett.drf` (tokens for Django REST Framework) and `yett.django` (what the edge
learns from a Django project). `yett._yett` is the part in Rust.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 (who comes here by PYTHONPATH was not asked by pip)
    raise ImportError("Yett needs Python 3.10 or later; this is " + sys.version.split()[0])

from yett._yett import __version__

__all__ = ["__version__"]
