"""What is seen of a running server: health, metrics, the log's formats and its file."""

import http.client
import json
import os
import re
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse

from .conftest import APPS
from .server import Server, eventually

ADMIN = re.compile(r"^  admin   http://127\.0\.0\.1:(\d+)$", re.MULTILINE)
OPENMETRICS = "application/openmetrics-text"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=15)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Admin:
    """The admin address of a server: a port, or the path of a Unix socket."""

    def __init__(self, place: int | Path) -> None:
        self.place = place

    @classmethod
    def of(cls, server: Server) -> "Admin":
        """Return that of the banner."""
        found = ADMIN.search(server.stderr)
        assert found, server.stderr
        return cls(int(found.group(1)))

    def get(self, target: str, **headers: str) -> tuple[int, str]:
        """Return status and body."""
        if isinstance(self.place, Path):
            connection: http.client.HTTPConnection = UnixConnection(self.place)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.place, timeout=15)
        try:
            connection.request("GET", target, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def readiness(self) -> tuple[int, str]:
        """Return what /readyz says; status 0 if nobody answers."""
        try:
            return self.get("/readyz")
        except OSError:
            return 0, ""

    def samples(self) -> Samples:
        """Return all samples; the page must be well formed."""
        status, text = self.get("/metrics")
        assert status == 200
        found: Samples = {}
        for family in parse(text):
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in found, key
                found[key] = sample.value
        return found

    def sum(self, name: str, **labels: str) -> float:
        """Return the sum of all samples of a name that have these labels."""
        return sum(
            value
            for (other, found), value in self.samples().items()
            if other == name and labels.items() <= dict(found).items()
        )


def is_counter(name: str) -> bool:
    """Whether a sample may only grow."""
    return name.endswith(("_total", "_bucket", "_count", "_sum"))


def assert_grown(before: Samples, after: Samples) -> None:
    """Nothing that is counted has gone back or is missing."""
    for key, value in before.items():
        if is_counter(key[0]):
            assert after[key] >= value, key


def test_requests_are_counted_as_the_access_log_tells_them(serve):
    server = serve("hello:application", "--admin", "127.0.0.1:0")
    admin = Admin.of(server)
    for _ in range(5):
        assert server.get("/").status == 200
    server.request("POST", "/", body=b"12345")
    server.request("BREW", "/")
    server.raw(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
    records = server.records(8)
    eventually(lambda: admin.sum("yett_requests_total") == 8)
    labels = {"service": "app", "route": "app", "protocol": "HTTP/1.1", "scheme": "http"}
    assert admin.sum("yett_requests_total", method="GET", status="200", **labels) == 5
    assert admin.sum("yett_requests_total", method="POST", status="200", **labels) == 1
    assert admin.sum("yett_requests_total", method="other", **labels) == 1
    assert admin.sum("yett_requests_total", service="edge", status="400") == 1
    assert admin.sum("yett_failures_total", fault="client", failure="malformed") == 1
    assert admin.sum("yett_request_duration_seconds_count", service="app") == 7
    assert admin.sum("yett_queue_duration_seconds_count") == 7
    assert admin.sum("yett_app_duration_seconds_count") == 7
    assert admin.sum("yett_request_body_bytes_total") == 5
    assert admin.sum("yett_response_body_bytes_total") == sum(r["bytes"] for r in records)
    assert admin.sum("yett_connections_accepted_total") == 8


def test_metrics_are_read_by_prometheus_own_parsers(serve):
    server = serve("hello:application", "--admin", "127.0.0.1:0", "--workers", "2")
    admin = Admin.of(server)
    server.get("/")
    eventually(lambda: admin.sum("yett_requests_total") == 1)
    assert admin.sum("yett_workers", state="ready") == 2
    assert admin.sum("yett_ready") == 1
    assert admin.sum("yett_generation") == 1
    memory = admin.sum("yett_worker_resident_memory_bytes")
    assert memory > 1_000_000
    status, text = admin.get("/metrics", Accept=f"{OPENMETRICS};version=1.0.0")
    assert status == 200
    families = {family.name: family.type for family in parse_openmetrics(text)}
    assert families["yett_requests"] == "counter"
    assert families["yett_request_duration_seconds"] == "histogram"


def test_no_metric_goes_back_over_a_killed_worker_and_a_reload(serve):
    server = serve("hello:application", "--admin", "127.0.0.1:0", "--workers", "2")
    admin = Admin.of(server)
    for _ in range(20):
        server.get("/")
    eventually(lambda: admin.sum("yett_requests_total") == 20)
    before = admin.samples()
    [first, _] = server.await_workers(2)
    os.kill(first, signal.SIGKILL)
    server.await_workers(2, but=first)
    eventually(lambda: admin.sum("yett_worker_incidents_total", incident="died") == 1)
    for _ in range(20):
        server.get("/")
    eventually(lambda: admin.sum("yett_requests_total") == 40)
    between = admin.samples()
    assert_grown(before, between)
    assert server.command("reload").returncode == 0
    server.get("/")
    eventually(lambda: admin.sum("yett_requests_total") == 41)
    assert_grown(between, admin.samples())
    assert admin.sum("yett_releases_total", outcome="served") == 2
    assert admin.sum("yett_generation") == 2


def test_failed_reload_is_counted_and_the_server_stays_ready(serve, tmp_path):
    app = tmp_path / "app.py"
    app.write_text("def application(environ, start):\n    start('200 OK', [])\n    return [b'']\n")
    server = serve("app", "--admin", "127.0.0.1:0", folder=tmp_path)
    admin = Admin.of(server)
    app.write_text("raise RuntimeError('no')\n")
    assert server.command("reload").returncode == 1
    assert admin.sum("yett_releases_total", outcome="failed") == 1
    assert admin.readiness() == (200, "ready\n")


GATED = """
open("gate", "rb").read()
{then}


def application(environ, start):
    start("200 OK", [])
    return [b""]
"""


@pytest.fixture
def gated(tmp_path):
    """Write an application whose import waits for the gate; return what is seen before it opens."""
    os.mkfifo(tmp_path / "gate")
    admin = Admin(tmp_path / "admin.sock")
    seen: list[Any] = []

    def watch() -> None:
        try:
            seen.append(eventually(lambda: admin.readiness()[0] and admin.readiness()))
            seen.append(admin.get("/livez"))
        finally:
            (tmp_path / "gate").write_bytes(b"")

    def write(then: str) -> tuple[str, Admin, list[Any], threading.Thread]:
        (tmp_path / "app.py").write_text(GATED.format(then=then))
        watcher = threading.Thread(target=watch)
        watcher.start()
        return f"unix:{admin.place}", admin, seen, watcher

    return write


def test_server_is_not_ready_before_its_first_release(serve, gated, tmp_path):
    address, admin, seen, watcher = gated("")
    serve("app", "--admin", address, folder=tmp_path)
    watcher.join()
    assert seen == [(503, "no release of the app serves yet\n"), (200, "alive\n")]
    assert admin.readiness() == (200, "ready\n")


def test_broken_first_release_is_never_ready(yett, gated):
    address, admin, seen, watcher = gated("raise RuntimeError('no')")
    done = yett("serve", "app", "--bind", "127.0.0.1:0", "--admin", address)
    watcher.join()
    assert done.code == 2
    assert seen == [(503, "no release of the app serves yet\n"), (200, "alive\n")]
    # Nobody answers any more.
    assert admin.readiness() == (0, "")


def test_stop_fails_readiness_first_and_goes_on_serving_for_the_delay(serve):
    # The delay is longer than the test: a quick stop ends it.
    server = serve("hello:application", "--admin", "127.0.0.1:0", "--drain-delay", "1h")
    admin = Admin.of(server)
    with server.wire() as wire:
        assert wire.get("/").headers["Connection"] is None
        server.send_signal(signal.SIGTERM)
        eventually(lambda: admin.readiness() == (503, "the server is stopping\n"))
        assert admin.get("/livez") == (200, "alive\n")
        # An open connection still has its next request, and is told that it was the last.
        answer = wire.get("/")
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
    # So has a new one.
    assert server.get("/").status == 200
    assert "asked to stop: connections are taken until" in server.stderr
    assert server.stop(signal.SIGQUIT) == 0


def test_server_that_stops_loads_no_new_code(serve):
    server = serve("hello:application", "--admin", "127.0.0.1:0", "--drain-delay", "1h")
    server.send_signal(signal.SIGTERM)
    eventually(lambda: "asked to stop" in server.stderr)
    server.send_signal(signal.SIGHUP)
    refused = server.command("reload")
    assert refused.returncode != 0
    assert "the server is stopping" in refused.stderr
    assert server.stop(signal.SIGQUIT) == 0
    assert "generation 2" not in server.stderr


def test_compression_and_files_at_hand_are_counted(serve, tmp_path):
    (tmp_path / "a.txt").write_text("a" * 100)
    flags = (
        "--admin",
        "127.0.0.1:0",
        "--static",
        f"/s/={tmp_path}",
        "--compression-min-size",
        "1B",
    )
    server = serve("hello:application", *flags)
    admin = Admin.of(server)
    for target in ("/s/a.txt", "/s/a.txt", "/s/none"):
        server.get(target)
    looked = {o: admin.sum("yett_static_lookups_total", outcome=o) for o in ("miss", "absent")}
    assert looked == {"miss": 1, "absent": 1}
    assert admin.sum("yett_static_lookups_total") == 3
    body = server.get("/", "Accept-Encoding: gzip").body
    assert admin.sum("yett_compression_input_bytes_total", coding="gzip") == len(b"hello\n")
    assert admin.sum("yett_compression_output_bytes_total", coding="gzip") == len(body)


def test_status_of_the_admin_address_is_that_of_the_command(serve):
    server = serve("hello:application", "--admin", "127.0.0.1:0")
    status, text = Admin.of(server).get("/status")
    assert status == 200
    assert json.loads(text).keys() == server.status().keys()


def test_status_of_the_admin_address_shows_no_path(serve, tmp_path):
    bind = ("127.0.0.1:0", f"unix:{tmp_path}/s")
    server = serve("hello:application", "--admin", "127.0.0.1:0", bind=bind)
    text = Admin.of(server).get("/status")[1]
    assert json.loads(text)["addresses"] == [server.address, "unix"]
    assert str(tmp_path) not in text
    # The control socket is for who started the server.
    assert server.status()["addresses"] == [server.address, f"unix:{tmp_path}/s"]


def test_admin_address_is_nothing_for_pages_and_clients(serve):
    server = serve("hello:application", "--admin", "127.0.0.1:0", "--admin-hosts", "yett.example")
    admin = Admin.of(server)
    assert admin.get("/metrics", Host="evil.example")[0] == 403
    assert admin.get("/metrics", Host="yett.example")[0] == 200
    assert admin.get("/")[0] == 404
    # Clients find nothing of it at their address.
    assert server.get("/metrics").body == b"hello\n"


def test_template_cannot_be_forged(serve):
    template = '{status} {user_agent} "{user_agent}" {method}'
    server = serve("hello:application", log_format=template)
    server.get("/", 'User-Agent: x 500 "y" \\')
    assert server.stop() == 0
    expected = '200 x\\u{20}500\\u{20}\\"y\\"\\u{20}\\\\ "x 500 \\"y\\" \\\\" GET\n'
    assert server.stdout == expected


def test_combined_format_is_the_one_that_readers_of_logs_know(serve):
    server = serve("hello:application", log_format="combined")
    server.get("/a?b", "User-Agent: curl/8", "Referer: http://a/")
    assert server.stop() == 0
    pattern = (
        r"127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "
        r'"GET /a\?b HTTP/1\.1" 200 6 "http://a/" "curl/8"\n'
    )
    assert re.fullmatch(pattern, server.stdout)


def test_json_has_the_chosen_fields(serve):
    flags = ("--log-fields", "status", "--log-fields", "host", "--log-fields", "path")
    server = serve("hello:application", *flags)
    server.get("/a?token=secret")
    assert server.stop() == 0
    record = json.loads(server.stdout)
    assert list(record) == ["status", "host", "path"]
    assert (record["status"], record["path"]) == (200, "/a")


def test_log_file_is_opened_anew_by_a_signal(serve, tmp_path):
    log, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    server = serve("hello:application", "--log-file", str(log))
    server.get("/one")
    eventually(lambda: "/one" in log.read_text())
    log.rename(moved)
    server.send_signal(signal.SIGUSR1)
    eventually(log.exists)
    server.get("/two")
    assert server.stop() == 0
    assert "/one" in moved.read_text()
    assert "/two" not in moved.read_text()
    assert "/two" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o640
    assert server.stdout == ""


def test_log_file_that_cannot_be_opened_anew_is_told_and_the_old_one_goes_on(serve, tmp_path):
    log, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    server = serve("hello:application", "--log-file", str(log))
    log.rename(moved)
    log.mkdir()
    server.send_signal(signal.SIGUSR1)
    told = f"error: cannot write the log's file {log}: Is a directory"
    eventually(lambda: told in server.stderr)
    server.get("/still")
    eventually(lambda: "/still" in moved.read_text())


def test_file_that_cannot_be_written_is_found_before_anything_is_bound(yett, tmp_path):
    names = ("--log-file", "--pid-file")
    for name, what in zip(names, ("log's file", "pid file"), strict=True):
        words = ("hello:application", "--chdir", str(APPS), "--bind", "unix:s", name, str(tmp_path))
        done = yett("serve", *words)
        assert done.code == 2
        assert f"cannot write the {what} {tmp_path}\n" in done.err
        assert not (tmp_path / "s").exists()
        done = yett("check", *words)
        assert done.code == 1
        assert f"cannot write the {what} {tmp_path}\n" in done.out
    done = yett("serve", *words, "--log-file", str(tmp_path))
    for what in ("log's file", "pid file"):
        assert f"cannot write the {what} {tmp_path}\n" in done.err
    done = yett("check", *words[:-1], str(tmp_path / "new"))
    assert done.code == 0, done.out
    assert not (tmp_path / "new").exists()


def test_full_disk_costs_counted_records_and_no_request(serve):
    server = serve("hello:application", "--admin", "127.0.0.1:0", "--log-file", "/dev/full")
    admin = Admin.of(server)
    for _ in range(10):
        assert server.get("/").status == 200
    eventually(lambda: admin.sum("yett_log_dropped_total") == 10)
    assert admin.sum("yett_requests_total") == 10


def test_slow_request_is_told_without_its_query(serve, hold):
    flags = ("--slow-request", "1ms")
    server = serve("held:application", *flags, env=hold.environment)
    with server.wire() as wire:
        wire.ask("GET", "/?token=secret")
        hold.await_entered(1)
        hold.let_go()
        assert wire.hear("GET").status == 200
    assert server.stop() == 0
    [line] = [line for line in server.stderr.splitlines() if line.startswith("slow: ")]
    assert line.startswith("slow: GET / was answered with 200 and 4 bytes (client 127.0.0.1, ")
    assert "secret" not in server.stderr


def test_failure_of_the_app_is_told_once_with_its_reason(serve):
    server = serve("held:application", "--workers", "1", env={"HOLD": "/nowhere"})
    assert server.request("POST", "/exit?token=secret").status == 500
    assert server.stop() == 0
    [line] = [line for line in server.stderr.splitlines() if line.startswith("error: POST")]
    assert "/exit failed with 500 (app): the worker did not answer" in line
    assert "secret" not in line
