"""Who serves an application of the grid: Yett, or a judge from outside.

A judge shows that applications and expectations are right: what holds under it and not under
Yett is Yett's fault. Uvicorn judges ASGI, Gunicorn judges WSGI.
"""

import re
import sys
from pathlib import Path

from ..conftest import PROGRAM
from ..server import Server
from .frameworks import Framework

APPS = Path(__file__).resolve().parent / "apps"
JUDGES = {"uvicorn": "asgi", "gunicorn": "wsgi"}
LISTENS = re.compile(r"(?:Uvicorn running on|Listening at:) (http://\S+)")


def start(
    framework: Framework, judge: str | None, environment: dict[str, str], cwd: Path
) -> Server:
    """Start a framework's application under Yett or under a judge."""
    app = f"{framework.module}:application"
    if judge is None:
        words = [PROGRAM, "serve", app, "--chdir", str(APPS), "--bind", "127.0.0.1:0"]
        return Server([*words, "--workers", "1", "--interface", "auto"], environment, cwd)
    environment = {**environment, "PYTHONPATH": str(APPS)}
    words = [sys.executable, "-m", judge]
    if judge == "uvicorn":
        # Its default believes `X-Forwarded-For` of every neighbour.
        words += ["--port", "0", "--no-proxy-headers", "--timeout-graceful-shutdown", "5", app]
        ready = "Uvicorn running on"
    else:
        words += ["--bind", "127.0.0.1:0", "--threads", "2", "--forwarded-allow-ips", "", app]
        words += ["--no-control-socket"]
        ready = "Listening at"
    server = Server(words, environment, cwd, ready=ready)
    server.addresses = LISTENS.findall(server.stderr)
    return server
