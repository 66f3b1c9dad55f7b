"""Starts Gunicorn, uWSGI and nginx (before that Gunicorn) with the same application."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent

#: Seconds in which a server must be listening.
PATIENCE = 30.0

NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_set_header Host $http_host; }}
  }}
}}
"""


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def running(words: list[str], port: int, log: Path) -> Iterator[int]:
    """Run a server until the block ends."""
    with log.open("wb") as out:
        process = subprocess.Popen(words, cwd=HERE, stdout=out, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + PATIENCE
        while not listens(port):
            assert time.monotonic() < until and process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def gunicorn(python: Path, folder: Path) -> Iterator[int]:
    """Run Gunicorn; its own defaults for what it accepts."""
    port = free_port()
    words = [str(python), "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "2"]
    words += ["--no-control-socket", "app:application"]
    with running(words, port, folder / "gunicorn.log"):
        yield port


@contextlib.contextmanager
def uwsgi(python: Path, folder: Path) -> Iterator[int]:
    """Run uWSGI with its own HTTP/1.1 socket."""
    port = free_port()
    words = [str(python.parent / "uwsgi"), "--http11-socket", f"127.0.0.1:{port}", "--master"]
    words += [
        "--die-on-term",
        "--need-app",
        "--module",
        "app:application",
        "--buffer-size",
        "65535",
    ]
    words += ["--virtualenv", str(python.parent.parent), "--disable-logging", "--http-timeout", "5"]
    with running(words, port, folder / "uwsgi.log"):
        yield port


def nginx_program() -> str | None:
    """Return where nginx is, if this machine has it; it comes from no registry of packages."""
    return shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


@contextlib.contextmanager
def nginx(python: Path, folder: Path) -> Iterator[int]:
    """Run nginx, and Gunicorn behind it."""
    program = nginx_program()
    assert program is not None
    port = free_port()
    with gunicorn(python, folder) as behind:
        settings = folder / "nginx.conf"
        settings.write_text(NGINX.format(folder=folder, port=port, behind=behind))
        words = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(settings)]
        with running(words, port, folder / "nginx.log"):
            yield port


PEERS = {"Gunicorn": gunicorn, "uWSGI": uwsgi, "nginx": nginx}
