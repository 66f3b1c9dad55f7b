"""Answers with files, in every way that there is; the path says which. FILES is their folder."""

import gzip
import io
import os
import tempfile
from wsgiref.validate import validator

FOLDER = os.environ["FILES"]
BINARY = [("Content-Type", "application/octet-stream")]


def _opened(name="large", **how):
    return open(os.path.join(FOLDER, name), "rb", **how)


class Marking:
    """Hands a file's methods on, and leaves a mark when it is closed: not a file that is known."""

    def __init__(self, file):
        """Take the file."""
        self._file = file

    def __getattr__(self, name):
        """Hand on."""
        return getattr(self._file, name)

    def close(self):
        """Leave the mark."""
        self._file.close()
        with open(os.path.join(FOLDER, "closed"), "a") as marks:
            marks.write("closed\n")


class Marked(io.FileIO):
    """A file whose type is not known, so that it is read in pieces."""


def whole():
    """From the start."""
    return BINARY, _opened()


def raw():
    """Without a buffer."""
    return BINARY, _opened(buffering=0)


def moved():
    """From where it was read to; the descriptor itself stands elsewhere."""
    file = _opened()
    file.seek(1000)
    assert file.read(10)
    return BINARY, file


def shorter():
    """With a Content-Length that ends it earlier."""
    return [*BINARY, ("Content-Length", "100")], _opened()


def empty():
    """Of no bytes."""
    return BINARY, _opened("empty")


def hole():
    """A file that occupies nothing."""
    return BINARY, _opened("hole")


def of_processes():
    """A file that says it is empty."""
    return BINARY, open("/proc/version", "rb")


def of_devices():
    """A file that says it is longer."""
    return BINARY, open("/sys/devices/system/cpu/online", "rb")


def unpacked():
    """A file that reads as something else than its descriptor."""
    return BINARY, gzip.open(os.path.join(FOLDER, "packed.gz"))


def temporary():
    """A temporary file, written and put back."""
    file = tempfile.NamedTemporaryFile()  # noqa: SIM115 - closed by who serves it
    file.write(b"temporary")
    file.seek(0)
    return BINARY, file


def memory():
    """No file at all."""
    return BINARY, io.BytesIO(b"memory")


def proxied():
    """A file behind an object that nobody knows."""
    return BINARY, Marking(_opened())


def subclass():
    """A file of a type that could read as it likes."""
    return BINARY, Marked(os.path.join(FOLDER, "large"))


def pipe():
    """A descriptor that is no file."""
    reader, writer = os.pipe()
    os.write(writer, b"from a pipe")
    os.close(writer)
    return BINARY, os.fdopen(reader, "rb")


WRAPPED = {name: value for name, value in globals().items() if callable(value)}
NAMED = {"x-sendfile": "X-Sendfile", "x-accel-redirect": "X-Accel-Redirect"}


def application(environ, start_response):
    """Answer as the path says; what follows the question mark is a named file."""
    name = environ["PATH_INFO"].strip("/")
    if name in NAMED:
        headers = [("Content-Disposition", "attachment"), (NAMED[name], environ["QUERY_STRING"])]
        start_response("200 OK", headers)
        return [b""]
    headers, file = WRAPPED[name]()
    start_response("200 OK", headers)
    return environ["wsgi.file_wrapper"](file, 8192)


#: What the validator wraps is not the wrapper any more: everything is read in pieces.
validated = validator(application)
