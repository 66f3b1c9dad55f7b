"""Who imports the application: the zygote once, or each worker for itself."""

import json
import os
import signal
from pathlib import Path

import pytest

from .load import Load
from .server import eventually

ONE = ("--workers", "1")
THREADS = "importing the app started threads, which a fork does not take along: "


def told(server):
    """Return what the application says of itself and of its worker."""
    answer = server.get("/")
    assert answer.status == 200
    return json.loads(answer.body)


def imports_for_itself(server):
    """Whether the worker that answers has imported the application."""
    facts = told(server)
    return facts["imported_by"] == facts["pid"]


def test_zygote_imports_once_and_its_memory_stays_shared(serve):
    server = serve("imported:application", "--workers", "2")
    zygote = server.active()["zygote_pid"]
    facts = [told(server) for _ in range(6)]
    assert {each["imported_by"] for each in facts} == {zygote}
    assert all(each["collector"] and each["frozen"] > 1_000 for each in facts)
    assert THREADS not in server.stderr


@pytest.mark.parametrize("how", [["--no-preload"], ["--preload", "off"]])
def test_without_preload_each_worker_imports_for_itself(serve, how):
    server = serve("imported:application", "--workers", "2", *how)
    facts = [told(server) for _ in range(6)]
    assert all(each["imported_by"] == each["pid"] for each in facts)
    assert all(each["collector"] and each["frozen"] > 1_000 for each in facts)


def test_without_preload_a_reload_under_load_fails_no_request(serve):
    server = serve("imported:application", "--workers", "2", "--no-preload")
    with Load(server) as load:
        old = set(server.worker_pids())
        assert server.command("reload").returncode == 0
        load.go_on()
        assert not old & set(server.worker_pids())


def test_threads_of_the_import_live_in_the_worker_and_cross_no_fork(serve):
    server = serve("imported:application", *ONE, env={"AT_IMPORT": "thread,mark"})
    facts = told(server)
    assert facts["imported_by"] == facts["pid"]
    assert "exporter" in facts["threads"]
    # The zygote began anew: nothing of the first import is left.
    assert facts["marks"] == "x"
    zygote = server.active()["zygote_pid"]
    assert len(os.listdir(f"/proc/{zygote}/task")) == 1
    assert server.stderr.count(THREADS + "exporter.") == 1
    assert "--no-preload" in server.stderr


def test_threads_of_the_import_need_no_warning_where_nothing_is_preloaded(serve):
    server = serve("imported:application", *ONE, "--no-preload", env={"AT_IMPORT": "thread"})
    assert "exporter" in told(server)["threads"]
    assert THREADS not in server.stderr


def test_thread_that_python_does_not_know_is_named_too(serve):
    server = serve("imported:application", *ONE, env={"AT_IMPORT": "native"})
    assert imports_for_itself(server)
    assert " (native). So each worker imports the app for itself" in server.stderr


@pytest.mark.parametrize("how", ["careful", "pool"])
def test_threads_that_a_fork_does_not_lose_change_nothing(serve, how):
    server = serve("imported:application", *ONE, env={"AT_IMPORT": how})
    assert not imports_for_itself(server)
    assert THREADS not in server.stderr


def test_threads_that_come_with_a_reload_are_told_once(serve, tmp_path):
    path = tmp_path / "app.py"
    path.write_text("from imported import application\n")
    apps = Path(__file__).parent / "apps"
    environment = {"PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}{os.pathsep}{apps}"}
    server = serve("app", *ONE, folder=tmp_path, env=environment)
    thread = "import threading\nthreading.Timer(3600, print).start()\n"
    path.write_text(thread + path.read_text())
    for generation in (2, 3):
        assert server.command("reload").returncode == 0
        assert server.active()["generation"] == generation
        assert imports_for_itself(server)
    assert server.stderr.count("warning: " + THREADS) == 1


def test_killed_worker_that_imports_for_itself_is_replaced(serve):
    server = serve("imported:application", "--workers", "2", "--no-preload")
    with Load(server) as load:
        victim = server.worker_pids()[0]
        os.kill(victim, signal.SIGKILL)
        server.await_workers(2, but=victim)
        load.go_on()


IN_A_WORKER = """
import os

if os.path.exists(__file__ + ".broken"):
    raise RuntimeError("not in a worker")
"""

# The first import, which describes the application, is the only one that works.
ONLY_ONCE = (
    IN_A_WORKER
    + """
open(__file__ + ".broken", "x").close()
"""
)

HELLO = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Pid", str(os.getpid()))])
    return [b"hello"]
"""


def test_release_whose_workers_cannot_import_fails_and_shows_why_once(yett, tmp_path):
    (tmp_path / "app.py").write_text(ONLY_ONCE + HELLO)
    done = yett("serve", "app", *ONE, "--no-preload", "--bind", "127.0.0.1:0")
    assert done.code == 2
    assert "3 workers died before every worker was ready: RuntimeError: not in a worker" in done.err
    assert done.err.count("Traceback (most recent call last)") == 1
    assert done.err.count("cannot start: RuntimeError: not in a worker") == 3


def test_reload_whose_workers_cannot_import_keeps_the_old_code(serve, tmp_path):
    path = tmp_path / "app.py"
    path.write_text("import os\n" + HELLO)
    server = serve("app", *ONE, "--no-preload", folder=tmp_path)
    path.write_text(ONLY_ONCE + HELLO)
    with Load(server) as load:
        done = server.command("reload")
        load.go_on()
    assert done.returncode == 1
    assert 'raise RuntimeError("not in a worker")' in done.stdout + done.stderr
    eventually(lambda: server.stderr.count("Traceback (most recent call last)") == 1)
    assert server.active()["generation"] == 1


def test_workers_that_cannot_start_any_more_are_seen_in_the_status(serve, tmp_path):
    (tmp_path / "app.py").write_text(IN_A_WORKER + HELLO)
    broken = tmp_path / "app.py.broken"
    server = serve("app", "--workers", "2", "--no-preload", folder=tmp_path)
    broken.touch()
    victim = server.worker_pids()[0]
    with Load(server) as load:
        os.kill(victim, signal.SIGKILL)

        def looping():
            return [each for each in server.active()["crash_looping"] if each["restarts"] >= 4]

        [seat] = eventually(looping)
        assert seat["last_exit"] == {"code": 3}
        assert seat["last_words"] == "RuntimeError: not in a worker"
        assert 0 < seat["next_try_millis"] <= 5_000
        text = server.command("status").stdout
        assert "crash looping:\n" in text and "next try: " in text
        assert "last words: RuntimeError: not in a worker" in text
        broken.unlink()
        server.await_workers(2, but=victim)
        load.go_on()
    eventually(lambda: server.stderr.count("Traceback (most recent call last)") == 1)
    newest = max(server.active()["workers"], key=lambda worker: worker["worker"])
    assert newest["restarts"] >= 4
    assert newest["last_exit"] == {"code": 3}
    assert newest["last_words"] == "RuntimeError: not in a worker"


STUCK = "import os\nos.read(os.pipe()[0], 1)\n"


def test_stop_during_the_import_of_a_child_does_not_wait_for_it(serve, tmp_path):
    (tmp_path / "slow.py").write_text(STUCK)
    server = serve("slow", "--no-preload", folder=tmp_path, ready="importing the app")
    server.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=10) == 0
    server.await_end_of_all()


def test_import_of_a_child_ends_with_the_program(serve, tmp_path):
    mark = tmp_path / "begun"
    (tmp_path / "slow.py").write_text(f"open({str(mark)!r}, 'x').close()\n{STUCK}")
    server = serve("slow", "--no-preload", folder=tmp_path, ready="importing the app")
    eventually(mark.exists)
    server.process.kill()
    server.await_end_of_all()


def test_import_that_kills_its_process_is_told_as_that(yett, tmp_path):
    (tmp_path / "app.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    done = yett("serve", "app", "--no-preload", "--bind", "127.0.0.1:0")
    assert done.code == 2
    assert "the process that imports the app was killed by signal 11 while importing" in done.err


def test_bad_application_is_refused_without_preload_as_with_it(yett, tmp_path):
    (tmp_path / "app.py").write_text("raise ValueError('no')\n")
    runs = [yett("serve", "app", *how, "--bind", "127.0.0.1:0") for how in ([], ["--no-preload"])]
    assert runs[0].code == runs[1].code == 2
    assert "ValueError: no" in runs[0].err
    assert [run.err.replace("127.0.0.1:0", "") for run in runs[1:]] == [runs[0].err]
