"""`wsgi.file_wrapper`: what of a file-like object is a real file that the server can send itself.

The extension asks `FileWrapper.place` when an application returns a wrapper. Only objects are taken
whose bytes are known to be those of their descriptor: a `GzipFile`, for one, has a descriptor too,
and reads something else than what is in it. Everything else is read piece by piece, as before.
"""

import io
import os
import stat
import sys
from typing import Any
from wsgiref.util import FileWrapper as PlainWrapper

#: Bytes of a file that are read and sent at a time, where it must be read.
PIECE = 64 * 1024

#: A wrapper around a wrapper around a file: more is nobody's.
MOST_LAYERS = 4


class FileWrapper(PlainWrapper):
    """The type that applications find in their environ."""

    def __init__(self, filelike: Any, blksize: int = PIECE) -> None:
        super().__init__(filelike, max(blksize, PIECE))

    def place(self) -> tuple[int, int, int] | None:
        """Return descriptor, position and length up to the end, or `None` if it is no real file."""
        file = _real_file(self.filelike)
        if file is None:
            return None
        try:
            if file.closed or not file.readable():
                return None
            if isinstance(file, io.BufferedRandom):
                file.flush()
            position = file.tell()
            descriptor = file.fileno()
            status = os.fstat(descriptor)
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(status.st_mode) or not _has_its_size(descriptor, status):
            return None
        return descriptor, position, max(status.st_size - position, 0)


def _has_its_size(descriptor: int, status: os.stat_result) -> bool:
    """Whether a file holds as many bytes as it says.

    Files of procfs say 0 and those of sysfs 4096, whatever is read from them. They occupy nothing.
    So do empty files, some small ones, and holes: a look at the end tells.
    """
    if status.st_blocks:
        return True
    last = min(status.st_size, 1)
    try:
        return len(os.pread(descriptor, 2, status.st_size - last)) == last
    except OSError:
        return False


def _real_file(file: Any) -> Any:
    """Unwrap what hands everything on to a file of Python's own; `None` for anything else."""
    for _layer in range(MOST_LAYERS):
        kind = type(file)
        if kind is io.FileIO:
            return file
        if kind in (io.BufferedReader, io.BufferedRandom):
            return file if type(file.raw) is io.FileIO else None
        if not _is_temporary(kind) and not _is_djangos(file):
            return None
        file = file.file
    return None


def _is_temporary(kind: type) -> bool:
    """Whether this is the type of what `tempfile.NamedTemporaryFile` returns."""
    # Not imported for this: an application that has such a file has imported it.
    module = sys.modules.get("tempfile")
    return module is not None and kind is module._TemporaryFileWrapper


def _is_djangos(file: Any) -> bool:
    """Whether this is a `django.core.files.File` that reads as Django's own does."""
    module = sys.modules.get("django.core.files.utils")
    if module is None:
        return False
    mixin = module.FileProxyMixin
    return isinstance(file, mixin) and getattr(type(file), "read", None) is mixin.read
