"""Asks the project in this process, as a WSGI server without an edge would.

Reads requests as JSON on stdin, prints the answers and the patterns that took them. With `make`
as its only word it makes the database and its users instead.
"""

import io
import json
import os
import sys
from urllib.parse import unquote_to_bytes

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matrix_settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import URLResolver, get_resolver  # noqa: E402


def main() -> None:
    """Make the database, or answer."""
    if sys.argv[1:] == ["make"]:
        call_command("migrate", verbosity=0)
        User.objects.create(pk=1, username="good")
        User.objects.create(pk=2, username="inactive", is_active=False)
        return
    application = get_wsgi_application()
    answers = [answer(application, *request) for request in json.load(sys.stdin)]
    missed = [str(leaf.pattern) for leaf in leaves(get_resolver()) if id(leaf) not in reached]
    json.dump({"answers": answers, "missed": missed}, sys.stdout)


reached: set[int] = set()


def leaves(resolver):
    """Return every pattern of the project, through all its includes."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from leaves(entry)
        else:
            yield entry


def watch(pattern) -> None:
    """Note when a pattern takes a path."""
    resolve = pattern.resolve

    def resolving(path):
        match = resolve(path)
        if match is not None:
            reached.add(id(pattern))
        return match

    pattern.resolve = resolving


def answer(application, method: str, target: str, lines: list[str]) -> list:
    """Return status, headers and body."""
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for line in lines:
        name, _, value = line.partition(": ")
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    started = []

    def start_response(status, headers, exc_info=None):
        started[:] = [status, headers]

    body = application(environ, start_response)
    try:
        text = b"".join(body).decode("latin-1")
    finally:
        if hasattr(body, "close"):
            body.close()
    status, headers = started
    return [int(status.split()[0]), sorted((name.lower(), value) for name, value in headers), text]


for each in leaves(get_resolver()):
    watch(each)
if __name__ == "__main__":
    main()
