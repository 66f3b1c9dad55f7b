"""Yett: runs a Python web application and guards its API with JSON Web Tokens.

The program `yett` is native and needs none of this to start. What stands here runs
inside the application's own interpreter: `yett.worker` (the processes that the program
starts), `yett.drf` (tokens for Django REST Framework) and `yett.django` (what the edge
learns from a Django project). `yett._yett` is the part in Rust.
"""

from yett._yett import __version__

__all__ = ["__version__"]
