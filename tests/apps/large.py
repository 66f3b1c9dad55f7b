"""Takes memory: `/grow` another 64 MiB for good, and as much as `BALLAST` says at its import."""

import os

MIB = 1 << 20
KEPT = [b"x" * (int(os.environ.get("BALLAST", "0")) * MIB)]


def application(environ, start_response):
    """Take what the path says."""
    if environ["PATH_INFO"] == "/grow":
        KEPT.append(b"x" * (64 * MIB))
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Pid", str(os.getpid()))])
    return [b"done"]
