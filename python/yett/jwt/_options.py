"""The options of a `PyJWT`: a dictionary, to be changed at any time, and what Rust makes of it."""

from collections.abc import Iterator
from typing import Any

from yett._yett import Checks

#: Different options of calls whose checks are remembered. A program has one or two.
_MOST_OF_CALLS = 8
#: The claims that have an option `verify_…`.
CHECKED = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")


class OptionsInUse(dict[str, Any]):
    """Options, and what Rust makes of them until somebody changes one."""

    compiled: Checks | None = None
    #: `require` as it was then. It may be changed in place, here or where it came from.
    required: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._of_calls: dict[tuple[tuple[str, bool], ...], Checks] = {}
        self._changed()

    def checks(self) -> Checks:
        """What Rust makes of them as they are now."""
        found, names = self.compiled, self["require"]
        if found is None or names != self.required:
            found = self.compiled = compiled(self)
            # Of a type that we do not know, nothing equals it: it is read at each call.
            self.required = names.copy() if type(names) in (list, set) else object()
            self._of_calls.clear()
        return found

    def checks_of_call(self, options: Any) -> Checks | None:
        """The checks under a call's own options, which ask for a proof.

        `None` for others than plain switches: what can be changed in place is read each time.
        """
        asked = tuple(options.items())
        for _, value in asked:
            if type(value) is not bool:
                return None
        # Forgets what was made of other names.
        self.checks()
        found = self._of_calls.get(asked)
        if found is None:
            found = compiled({**self, **options})
            if len(self._of_calls) < _MOST_OF_CALLS:
                self._of_calls[asked] = found
        return found

    def _changed(self) -> None:
        if "require" in self:
            super().__setitem__("require", read_once(self["require"]))
        self.compiled = None
        self._of_calls.clear()

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._changed()

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._changed()

    def update(self, *args: Any, **kwargs: Any) -> None:
        super().update(*args, **kwargs)
        self._changed()

    def clear(self) -> None:
        super().clear()
        self._changed()

    def pop(self, *args: Any) -> Any:
        value = super().pop(*args)
        self._changed()
        return value

    def popitem(self) -> tuple[str, Any]:
        item = super().popitem()
        self._changed()
        return item

    def setdefault(self, name: str, default: Any = None) -> Any:
        value = super().setdefault(name, default)
        self._changed()
        return value

    def __ior__(self, other: Any) -> "OptionsInUse":  # type: ignore[override,misc]
        self.update(other)
        return self


def compiled(options: Any) -> Checks:
    """Options as Rust takes them."""
    return Checks(
        skip=[name for name in CHECKED if not options[f"verify_{name}"]],
        require=list(options["require"]),
        strict_aud=bool(options.get("strict_aud", False)),
        enforce_minimum_key_length=bool(options.get("enforce_minimum_key_length", True)),
    )


def read_once(names: Any) -> Any:
    """A list in place of an iterator, which whoever asks next would find empty."""
    return list(names) if isinstance(names, Iterator) else names
