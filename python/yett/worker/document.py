"""Nameless files for what is too long for a message: manifests, tracebacks, reports.

In memory where the system has memory files; some sandboxes and old container runtimes refuse them,
and some builds of Python do not know them. Then in the folder for temporary files, unlinked from
the start and readable by nobody else.
"""

import contextlib
import os


def new_document() -> int:
    """Return the descriptor of a new, empty file, which programs started later do not inherit."""
    with contextlib.suppress(OSError, AttributeError):
        return os.memfd_create("yett", os.MFD_CLOEXEC)
    # Here, so that nobody pays for it who does not need it.
    import tempfile

    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())
