"""`yett serve --reload`: a change is served without an order, an error is shown where one looks."""

import base64
import hashlib
import os
import re
import shutil
import signal

import pytest

from .server import eventually, is_alive

APP = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [{answer}]
"""
HTML = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"
JSON = "Accept: application/json"
#: What makes an import wait for the test.
HELD = """
import os
open(os.environ["HOLD"] + "/entered", "a").write(f"{os.getpid()}\\n")
open(os.environ["HOLD"] + "/gate", "rb", buffering=0).read(1)
"""
WAITS = "shows this error until a change loads"


def write(file, answer: str, before: str = "") -> None:
    file.write_text(before + APP.replace("{answer}", answer))


@pytest.fixture
def folder(tmp_path):
    """Return the folder of an application that answers `one`."""
    folder = tmp_path / "project"
    folder.mkdir()
    write(folder / "app.py", 'b"one"')
    return folder


@pytest.fixture(params=["--reload", "--reload=poll"])
def server(serve, folder, request):
    """Return a server that reloads when the system tells of a change, and one that looks itself."""
    return serve("app", request.param, folder=folder)


def until(server, body: bytes) -> None:
    eventually(lambda: server.get("/").body == body)


def reloads(server) -> list[str]:
    return re.findall(r"^yett: reloaded in \d+ ms: (.*)$", server.stderr, re.MULTILINE)


def address_in(server) -> str:
    """Return the address that is told when there is no banner yet."""
    return re.search(rf"(http://\S+) {WAITS}", server.stderr).group(1)


def test_change_is_served_and_told_in_one_line(server, folder):
    assert server.get("/").body == b"one"
    before = server.stderr
    write(folder / "app.py", 'b"two"')
    until(server, b"two")
    eventually(lambda: reloads(server) == ["app.py changed"])
    assert len(server.stderr.removeprefix(before).splitlines()) == 1


def test_file_that_is_replaced_as_editors_do_it_is_a_change(server, folder):
    write(folder / ".app.py.swp", 'b"two"')
    os.replace(folder / ".app.py.swp", folder / "app.py")
    until(server, b"two")


def test_banner_tells_what_is_watched(server, folder):
    assert re.search(rf"  reload  (watches|looks again and again) {folder}\n", server.stderr)
    assert "  workers 1 \u00d7 4 threads\n" in server.stderr


def test_request_that_comes_after_a_change_was_heard_waits_for_the_new_code(serve, folder, hold):
    server = serve("app", "--reload", folder=folder, env=hold.environment)
    write(folder / "app.py", 'b"two"', before=HELD)
    hold.await_entered(1)
    with server.wire() as wire:
        wire.ask("GET", "/")
        hold.let_go()
        assert wire.hear().body == b"two"


def test_server_that_stops_answers_with_the_old_code_and_loads_no_change(serve, folder, hold):
    flags = ("--reload", "--drain-delay", "1h")
    server = serve("app", *flags, folder=folder, env=hold.environment)
    write(folder / "app.py", 'b"two"', before=HELD)
    hold.await_entered(1)
    with server.wire() as wire:
        wire.ask("GET", "/")
        server.send_signal(signal.SIGTERM)
        assert wire.hear().body == b"one"
    given_up = r"^warning: the reload is given up \(generation \d+\): the server is stopping$"
    eventually(lambda: re.search(given_up, server.stderr, re.MULTILINE))

    write(folder / "app.py", 'b"three"')
    eventually(lambda: "warning: a reload was refused: the server is stopping" in server.stderr)
    assert server.get("/").body == b"one"
    assert server.stop(signal.SIGINT) == 0


def test_error_is_shown_in_place_of_the_old_code_and_goes_away(server, folder):
    write(folder / "app.py", 'b"two"', before="x = 1\nwrong <b>\n")
    eventually(lambda: server.get("/").status == 500)

    page = server.get("/any/where", HTML)
    assert page.status == 500
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"
    assert "<code>app.py</code>, line <code>2</code>" in page.text
    assert "wrong &lt;b&gt;" in page.text
    assert "<b>" not in page.text

    api = server.request("POST", "/api/", JSON, "Content-Type: application/json", body=b"{}")
    assert api.status == 500
    assert api.json()["detail"].startswith("SyntaxError: ")
    assert api.json()["place"] == {"file": "app.py", "line": 2}

    assert server.get("/").text.startswith("SyntaxError: ")
    eventually(lambda: server.stderr.count("wrong <b>") == 1)

    write(folder / "app.py", 'b"three"')
    until(server, b"three")
    assert server.get("/", HTML).body == b"three"


def test_page_runs_its_own_script_and_style_alone_and_learns_of_the_fix(server, folder):
    write(folder / "app.py", "", before="raise RuntimeError('not today')\n")
    eventually(lambda: server.get("/").status == 500)
    page = server.get("/", HTML)
    for kind in ("style", "script"):
        text = re.search(rf"<{kind}>(.*?)</{kind}>", page.text, re.DOTALL).group(1)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in page.headers["Content-Security-Policy"]
    assert not re.search(r"(src|href)=", page.text)
    seen = re.search(r'data-seen="(\d+)"', page.text).group(1)
    with server.wire() as wire:
        wire.ask("GET", f"/__yett__/news?{seen}")
        write(folder / "app.py", 'b"two"')
        assert wire.hear().status == 205
    assert server.get("/").body == b"two"


def test_foreign_name_is_shown_no_traceback(serve, folder):
    server = serve("app", "--reload", folder=folder)
    write(folder / "app.py", "", before="raise RuntimeError('not today')\n")
    eventually(lambda: server.get("/").status == 500)
    with server.wire() as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: evil.test\r\nAccept: text/html\r\n\r\n")
        answer = wire.hear()
    assert answer.status == 500
    assert "not today" not in answer.text
    assert "terminal" in answer.text


def test_first_import_that_fails_is_shown_and_waits_for_a_change(serve, folder):
    write(folder / "app.py", 'b"one"', before="import helpers_that_are_missing\n")
    server = serve("app", "--reload", folder=folder, ready=WAITS)
    server.addresses = [address_in(server)]
    assert "ModuleNotFoundError: No module named 'helpers_that_are_missing'" in server.stderr
    assert "helpers_that_are_missing" in server.get("/", HTML).text
    (folder / "helpers_that_are_missing.py").write_text("")
    until(server, b"one")
    eventually(lambda: "serves app:application" in server.stderr)


def test_stop_while_the_first_import_is_broken_is_a_good_end(serve, folder):
    write(folder / "app.py", "", before="raise RuntimeError('not today')\n")
    server = serve("app", "--reload", folder=folder, ready=WAITS)
    assert server.stop() == 0


def test_page_that_asks_for_news_holds_up_no_stop(serve, folder):
    # The delay, so that the question is heard before connections that idle are closed.
    flags = ("--reload", "--graceful-timeout", "1h", "--drain-delay", "200ms")
    server = serve("app", *flags, folder=folder)
    write(folder / "app.py", "", before="raise RuntimeError('not today')\n")
    eventually(lambda: server.get("/").status == 500)
    seen = re.search(r'data-seen="(\d+)"', server.get("/", HTML).text).group(1)
    with server.wire() as wire:
        wire.ask("GET", f"/__yett__/news?{seen}")
        server.send_signal(signal.SIGTERM)
        assert wire.hear().status == 204
    assert server.process.wait(timeout=30) == 0


def test_new_folder_with_code_is_watched(server, folder):
    before = "import importlib.util as u\nfound = u.find_spec('pack') is not None\n"
    write(folder / "app.py", "str(found).encode()", before=before)
    until(server, b"False")
    package = folder / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    until(server, b"True")
    write(folder / "app.py", "pack.answer", before="import pack.deep as pack\n")
    (package / "deep.py").write_text("answer = b'one'\n")
    until(server, b"one")
    (package / "deep.py").write_text("answer = b'two'\n")
    until(server, b"two")
    shutil.rmtree(package)
    eventually(lambda: server.get("/").status == 500)


def test_code_outside_the_project_is_watched_where_it_was_imported_from(
    serve, folder, tmp_path, environment
):
    library = tmp_path / "library"
    library.mkdir()
    (library / "shared_words.py").write_text("word = b'one'\n")
    write(folder / "app.py", "shared_words.word", before="import shared_words\n")
    path = f"{library}{os.pathsep}{environment['PYTHONPATH']}"
    server = serve("app", "--reload", folder=folder, env={"PYTHONPATH": path})
    (library / "shared_words.py").write_text("word = b'two'\n")
    until(server, b"two")
    assert reloads(server) == [f"{library}/shared_words.py changed"]
    (library / "shared_words.py").write_text("word = \n")
    eventually(lambda: server.get("/").status == 500)
    (library / "shared_words.py").write_text("word = b'three'\n")
    until(server, b"three")


def test_first_import_that_fails_outside_the_project_is_mended_there(
    serve, folder, tmp_path, environment
):
    library = tmp_path / "library"
    library.mkdir()
    (library / "shared_words.py").write_text("word = \n")
    write(folder / "app.py", "shared_words.word", before="import shared_words\n")
    path = f"{library}{os.pathsep}{environment['PYTHONPATH']}"
    server = serve("app", "--reload", folder=folder, env={"PYTHONPATH": path}, ready=WAITS)
    server.addresses = [address_in(server)]
    (library / "shared_words.py").write_text("word = b'two'\n")
    until(server, b"two")


@pytest.mark.parametrize(
    "ignored", ["venv/lib", ".git", "node_modules/x", "__pycache__", "assets", "private"]
)
def test_change_of_what_is_not_the_applications_code_is_no_change(serve, folder, ignored):
    elsewhere = folder / ignored
    elsewhere.mkdir(parents=True)
    if ignored == "venv/lib":
        (folder / "venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    flags = {
        "assets": ("--static", f"/assets/={elsewhere}"),
        "private": ("--sendfile", f"/private/={elsewhere}"),
    }.get(ignored, ())
    server = serve("app", "--reload", *flags, folder=folder)
    (elsewhere / "code.py").write_text("x = 1\n")
    (folder / "notes.txt").write_text("x\n")
    # Were one of them a change, it would be named beside this one, or before it.
    write(folder / "app.py", 'b"two"')
    until(server, b"two")
    eventually(lambda: reloads(server))
    assert reloads(server) == ["app.py changed"]


def test_without_reload_nobody_is_shown_an_error_and_nothing_is_watched(serve, folder):
    server = serve("app", "--workers", "1", folder=folder)
    write(folder / "app.py", 'b"two"', before="raise RuntimeError('not today')\n")
    assert server.command("reload").returncode == 1
    assert server.get("/", HTML).body == b"one"
    assert server.get("/__yett__/news?1").body == b"one"
    assert not re.search(r"^yett-watch|^notify", threads_of(server.pid), re.MULTILINE)


def threads_of(pid: int) -> str:
    names = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm") as comm:
            names.append(comm.read())
    return "".join(names)


def test_import_that_never_ends_is_ended_by_the_next_change(serve, folder, hold):
    server = serve("app", "--reload", folder=folder, env=hold.environment)
    endless = "import os; open(os.environ['HOLD'] + '/entered', 'a').write(f'{os.getpid()}\\n')\n"
    endless += "while True: pass\n"
    write(folder / "app.py", 'b"two"', before=endless)
    hold.await_entered(1)
    write(folder / "app.py", 'b"three"')
    until(server, b"three")
    assert "superseded" not in server.stderr


#: Where the source is imported: by the process that describes it, then by the worker.
PLACES = ["the one that describes", "the worker"]


@pytest.mark.parametrize("place", PLACES)
def test_import_that_never_ends_where_nothing_is_preloaded_leaves_no_process(
    serve, folder, hold, place
):
    server = serve("app", "--reload", "--no-preload", folder=folder, env=hold.environment)
    pid_before = (
        "import os; open(os.environ['HOLD'] + '/entered', 'a').write(f'{os.getpid()}\\n')\n"
    )
    is_worker = "len(open(os.environ['HOLD'] + '/entered').readlines()) > 1"
    endless = pid_before + f"while {is_worker if place == PLACES[1] else True}: pass\n"
    write(folder / "app.py", 'b"two"', before=endless)
    pids = hold.await_entered(1 + PLACES.index(place))
    write(folder / "app.py", 'b"three"')
    until(server, b"three")
    eventually(lambda: not any(is_alive(pid) for pid in pids))
    assert "superseded" not in server.stderr


@pytest.mark.parametrize("how", ["--no-preload", "threads"])
def test_code_that_each_worker_imports_is_watched_and_its_error_shown_once(
    serve, folder, tmp_path, environment, how
):
    library = tmp_path / "library"
    library.mkdir()
    (library / "shared_words.py").write_text("word = b'one'\n")
    before = "import shared_words\n"
    if how == "threads":
        before += "import threading\n"
        before += "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    write(folder / "app.py", "shared_words.word", before=before)
    path = f"{library}{os.pathsep}{environment['PYTHONPATH']}"
    flags = [how] if how.startswith("--") else []
    server = serve("app", "--reload", *flags, folder=folder, env={"PYTHONPATH": path})
    (library / "shared_words.py").write_text("raise RuntimeError('not today')\n")
    eventually(lambda: server.get("/").status == 500)
    assert "not today" in server.get("/", HTML).text
    eventually(lambda: server.stderr.count("Traceback (most recent call last)") == 1)
    (library / "shared_words.py").write_text("word = b'two'\n")
    until(server, b"two")


def test_error_in_the_workers_own_import_is_shown(serve, folder, hold):
    server = serve("app", "--reload", "--no-preload", folder=folder, env=hold.environment)
    fails_later = "import os\nopen(os.environ['HOLD'] + '/entered', 'a').write('1\\n')\n"
    fails_later += "if len(open(os.environ['HOLD'] + '/entered').readlines()) > 1:\n"
    fails_later += "    raise RuntimeError('not today')\n"
    write(folder / "app.py", 'b"two"', before=fails_later)
    eventually(lambda: server.get("/").status == 500)
    assert server.get("/", JSON).json()["place"] == {"file": "app.py", "line": 4}
    eventually(lambda: server.stderr.count("Traceback (most recent call last)") == 1)
    write(folder / "app.py", 'b"three"')
    until(server, b"three")


def test_order_to_reload_works_beside_it(serve, folder):
    server = serve("app", "--reload", folder=folder)
    assert server.command("reload").returncode == 0
    eventually(lambda: re.search(r"^yett: reloaded in \d+ ms$", server.stderr, re.MULTILINE))
    assert server.get("/").body == b"one"


def test_last_of_many_changes_is_the_one_that_is_served(server, folder):
    for number in range(30):
        write(folder / "app.py", f'b"{number}"')
        server.get("/")
    until(server, b"29")
    eventually(lambda: len(server.status()["supervisor"]["generations"]) == 1)
    assert server.get("/").body == b"29"


def test_address_that_others_reach_is_warned_of(serve, folder):
    server = serve("app", "--reload", folder=folder, bind=("0.0.0.0:0",))
    assert "--reload shows code to everyone who reaches these addresses" in server.stderr
