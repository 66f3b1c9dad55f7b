"""The secret key: from the environment, or made on the first run and kept in a file.

It is never in the repository. The file can be read by its owner alone, and two first
runs at once agree on one key.
"""

import os
import secrets
import tempfile
from pathlib import Path


def secret_key(file: Path) -> str:
    """Return the key of `NOTES_SECRET_KEY` or of the file, which is made when missing."""
    if key := os.environ.get("NOTES_SECRET_KEY"):
        return key
    if not file.exists():
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
            new.write(secrets.token_urlsafe(48))
        try:
            # A link appears whole or not at all; the second to make it takes the first's.
            os.link(new.name, file)
        except FileExistsError:
            pass
        finally:
            os.unlink(new.name)
    return file.read_text()
