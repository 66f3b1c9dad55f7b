"""Answers with many pieces. `/?MIB` says how many MiB; `/sized?MIB` announces the length.

How many pieces it gave is kept in the file `progress` of the folder STREAM, and its last line is
`closed` once `close` was called. The last segment of the path names a folder below STREAM.
`/stuck` never answers.
"""

import os
from wsgiref.validate import validator

PIECE = bytes(range(256)) * 256
PIECES_OF_A_MIB = (1 << 20) // len(PIECE)


class Stream:
    """Gives pieces and remembers how many."""

    def __init__(self, count, folder):
        """Give `count` pieces."""
        self._left = count
        self._given = 0
        path = os.path.join(os.environ["STREAM"], folder, "progress")
        self._file = open(path, "w", buffering=1)  # noqa: SIM115 (closed by `close`)

    def __iter__(self):
        """Return itself."""
        return self

    def __next__(self):
        """Give a piece."""
        if not self._left:
            raise StopIteration
        self._left -= 1
        self._given += 1
        self._file.write(f"{self._given}\n")
        return PIECE

    def close(self):
        """Remember that the server has let go."""
        self._file.write("closed\n")
        self._file.close()


@validator
def application(environ, start_response):
    """Answer with a stream."""
    mib = int(environ["QUERY_STRING"])
    headers = [("Content-Type", "application/octet-stream")]
    path = environ["PATH_INFO"]
    if path == "/stuck":
        never, _kept_open = os.pipe()
        os.read(never, 1)
    if path.startswith("/sized"):
        headers.append(("Content-Length", str(mib << 20)))
    start_response("200 OK", headers)
    return Stream(mib * PIECES_OF_A_MIB, path.removeprefix("/sized").strip("/"))
