"""Who is measured, and with which command line.

All have two decisions in common: so many worker processes, and no access log. What else stands
here is what each needs for it, or what its own documents say for production; the report prints
the command lines.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where and what a server serves."""

    venv: Path
    folder: Path
    app: str
    port: int
    workers: int


@dataclass(frozen=True)
class Contender:
    """A server with its settings."""

    name: str
    interface: str
    command: Callable[[Place], list[str]]
    packages: tuple[str, ...]
    note: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    #: Rows that it runs; none: every row of its interface.
    rows: frozenset[str] | None = None


def _yett(place: Place) -> list[str]:
    words = [f"{place.venv}/bin/yett", "serve", place.app, "--chdir", str(place.folder)]
    words += ["--python", f"{place.venv}/bin/python", "--workers", str(place.workers)]
    return [*words, "--bind", f"127.0.0.1:{place.port}", "--no-access-log"]


def _granian(interface: str, *further: str) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        words = [f"{place.venv}/bin/granian", "--interface", interface]
        words += ["--workers", str(place.workers), "--host", "127.0.0.1"]
        words += ["--port", str(place.port), "--log-level", "error", "--no-ws", *further]
        return [*words, "--working-dir", str(place.folder), place.app]

    return command


def _uwsgi(place: Place) -> list[str]:
    words = [f"{place.venv}/bin/uwsgi", "--http-socket", f"127.0.0.1:{place.port}"]
    words += ["--add-header", "Connection: close", "--master", "--need-app", "--die-on-term"]
    words += ["--processes", str(place.workers), "--disable-logging", "--listen", "1024"]
    words += ["--virtualenv", str(place.venv), "--pythonpath", str(place.folder)]
    return [*words, "--module", place.app]


def _gunicorn(place: Place) -> list[str]:
    words = [f"{place.venv}/bin/gunicorn", "--worker-class", "gthread", "--threads", "4"]
    words += ["--workers", str(place.workers), "--bind", f"127.0.0.1:{place.port}"]
    words += ["--keep-alive", "75", "--log-level", "warning", "--no-control-socket"]
    return [*words, "--chdir", str(place.folder), place.app]


def _uvicorn(place: Place) -> list[str]:
    words = [f"{place.venv}/bin/uvicorn", "--workers", str(place.workers)]
    words += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    words += ["--log-level", "error", "--host", "127.0.0.1", "--port", str(place.port)]
    return [*words, "--app-dir", str(place.folder), place.app]


#: The library that a project takes its token classes from (`project/settings.py`).
OURS, THEIRS = {"BENCH_TOKENS": "yett.drf"}, {"BENCH_TOKENS": "rest_framework_simplejwt"}

CONTENDERS = (
    Contender("yett", "wsgi", _yett, ("yett",), "token rows: `yett.drf`", OURS),
    Contender(
        "yett-simplejwt",
        "wsgi",
        _yett,
        ("yett",),
        "the same server, the project left on simplejwt",
        THEIRS,
        frozenset({"token", "bad-token", "refresh"}),
    ),
    Contender(
        "granian",
        "wsgi",
        _granian("wsgi", "--blocking-threads", "4"),
        ("granian",),
        environment=THEIRS,
    ),
    Contender(
        "uwsgi",
        "wsgi",
        _uwsgi,
        ("uWSGI",),
        "no keep-alive, which it does not announce by itself",
        THEIRS,
    ),
    Contender("gunicorn", "wsgi", _gunicorn, ("gunicorn",), "gthread", THEIRS),
    Contender("yett-asgi", "asgi", _yett, ("yett",)),
    Contender("granian-asgi", "asgi", _granian("asgi", "--loop", "uvloop"), ("granian", "uvloop")),
    Contender("uvicorn", "asgi", _uvicorn, ("uvicorn", "httptools", "uvloop")),
)
