"""Files below a folder (`--static URL=DIR`): what is served, and that nothing else can be."""

import os

import pytest


@pytest.fixture
def files(serve, tmp_path):
    """Return a server with a folder of files below `/static/` and a secret beside the folder."""
    folder = tmp_path / "files"
    (folder / "sub").mkdir(parents=True)
    (folder / "style.css").write_text("body { color: teal }\n")
    (folder / "sub" / "data.bin").write_bytes(bytes(range(256)) * 1000)
    (folder / "ä b.txt").write_text("umlaut")
    (folder / "empty.js").write_text("")
    (tmp_path / "secret").write_text("the secret")
    (folder / "inside").symlink_to("style.css")
    (folder / "outside").symlink_to("../secret")
    (folder / "absolute").symlink_to("/etc/passwd")
    (folder / "parent").symlink_to("..")
    return serve("mirror:application", "--static", f"/static/={folder}")


def test_file_is_served_with_type_and_length(files):
    answer = files.get("/static/style.css")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Content-Length"] == "21"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Last-Modified"].endswith(" GMT")
    assert answer.body == b"body { color: teal }\n"


def test_file_is_served_without_a_worker(files):
    files.get("/static/style.css")
    [record] = files.last_records()
    assert (record["status"], record["worker"], record["bytes"]) == (200, None, 21)


def test_file_of_an_unknown_type_is_served_as_bytes(files):
    answer = files.get("/static/sub/data.bin")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.body == bytes(range(256)) * 1000


def test_empty_file_is_served(files):
    answer = files.get("/static/empty.js")
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, "0", b"")


def test_encoded_name_is_decoded_once(files):
    assert files.get("/static/%C3%A4%20b.txt").text == "umlaut"
    assert files.get("/static/%25C3%25A4%2520b.txt").status == 404


def test_head_of_a_file_has_its_length_and_no_body(files):
    with files.wire() as wire:
        wire.ask("HEAD", "/static/style.css")
        answer = wire.hear("HEAD")
        assert answer.headers["Content-Length"] == "21"
        assert wire.get("/static/style.css").status == 200


def test_query_does_not_matter_to_a_file(files):
    assert files.get("/static/style.css?v=3").status == 200


def test_link_that_stays_in_the_folder_is_followed(files):
    assert files.get("/static/inside").body == b"body { color: teal }\n"


@pytest.mark.parametrize(
    "target",
    [
        "/static/none",
        "/static/",
        "/static/sub",
        "/static/sub/",
        "/static/style.css/",
        "/static/style.css/x",
        "/static//style.css",
        "/static/STYLE.CSS",
        "/static/" + "x" * 300,
    ],
)
def test_what_is_no_file_is_not_found(files, target):
    assert files.get(target).status == 404


@pytest.mark.parametrize(
    "target",
    ["/static/outside", "/static/absolute", "/static/parent/secret", "/static/parent/files/inside"],
)
def test_link_out_of_the_folder_is_not_found(files, target):
    answer = files.get(target)
    assert answer.status == 404
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    "target",
    [
        "/static/../secret",
        "/static/..%2fsecret",
        "/static/..%2Fsecret",
        "/static/%2e%2e/secret",
        "/static/%2e%2e%2fsecret",
        "/static/.%2e/secret",
        "/static/sub/../../secret",
        "/static/./style.css",
        "/static/style.css%00.txt",
        "/static/%zz",
    ],
)
def test_path_with_dots_or_broken_escapes_is_a_bad_request(files, target):
    answer = files.get(target)
    assert answer.status == 400
    assert b"secret" not in answer.body


@pytest.mark.parametrize("target", ["/static/..%5csecret", "/static/%252e%252e/secret"])
def test_path_that_only_looks_like_an_escape_is_not_found(files, target):
    assert files.get(target).status == 404


@pytest.mark.parametrize("target", ["/static", "/statics/style.css", "/Static/style.css", "/"])
def test_other_paths_go_to_the_app(files, target):
    assert files.get(target).json()["PATH_INFO"] == target


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_not_allowed_on_files(files, method):
    answer = files.request(method, "/static/style.css")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_fifo_in_the_folder_holds_nobody_up(serve, tmp_path):

    folder = tmp_path / "files"
    folder.mkdir()
    os.mkfifo(folder / "fifo")
    server = serve("hello:application", "--static", f"/static/={folder}")
    assert server.get("/static/fifo").status == 404


def test_folder_that_is_missing_is_said_before_anything_is_served(yett, tmp_path):
    done = yett("serve", "hello:application", "--static", f"/static/={tmp_path}/none")
    assert done.code == 2
    assert f"{tmp_path}/none" in done.err


def test_two_folders_are_served_and_the_longer_url_wins(serve, tmp_path):
    for name in ("outer", "inner"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "who").write_text(name)
    server = serve(
        "hello:application",
        "--static",
        f"/a/={tmp_path}/outer",
        "--static",
        f"/a/b/={tmp_path}/inner",
    )
    assert server.get("/a/who").text == "outer"
    assert server.get("/a/b/who").text == "inner"
