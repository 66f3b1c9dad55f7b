"""Puts `yett.drf` and `yett.jwt` under the names of the packages that they replace.

For the tests alone: packages that import simplejwt or PyJWT by name meet what is here.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence

NAMES = {"rest_framework_simplejwt": "yett.drf", "jwt": "yett.jwt"}


def own_name(name: str) -> str | None:
    """The name here of a module of simplejwt or PyJWT; `None` for any other module."""
    root, dot, rest = name.partition(".")
    return NAMES[root] + dot + rest if root in NAMES else None


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules under the other name: the very module objects of yett.

    `package.__init__` is the exception: a test imports it to have a fresh copy.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        own = own_name(name)
        if own is None:
            return None
        found = importlib.util.find_spec(own)
        if found is None:
            raise ModuleNotFoundError(f"No module named {name!r}, which would be {own}", name=name)
        if name.endswith(".__init__"):
            return importlib.util.spec_from_file_location(name, found.origin)
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = importlib.import_module(own_name(spec.name) or "")
        # Importing writes the alias into it; what is reloaded must know its own name.
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state


def take_the_names() -> None:
    """Make the other names find what is here."""
    for root in NAMES:
        assert root not in sys.modules, f"{root} was imported before"
    # First: the packages of these names may be installed.
    sys.meta_path.insert(0, Alias())


def take_short_secrets() -> None:
    """Let the functions of `jwt` sign with short secrets, as PyJWT does with a warning.

    The tests of the peers do it everywhere; `yett.jwt` refuses such secrets by default.
    """
    import yett.jwt.api_jws
    import yett.jwt.api_jwt

    yett.jwt.api_jws._jws_global_obj.options["enforce_minimum_key_length"] = False
    yett.jwt.api_jwt._jwt_global_obj.options["enforce_minimum_key_length"] = False
