"""The example's token flow from end to end: what the edge refuses never reaches a worker."""

import base64
import hashlib
import hmac
import json
import shutil
import time

import pytest

from .conftest import REPOSITORY
from .load import Load

EXAMPLE = REPOSITORY / "examples" / "notes"
LIST = "/api/notes/"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """Return a copy of the example, made once; each test gets a copy of the copy."""
    folder = tmp_path_factory.mktemp("example") / "notes"
    unwanted = shutil.ignore_patterns("*.sqlite3*", "secret-key", "staticfiles", "__pycache__")
    shutil.copytree(EXAMPLE, folder, ignore=unwanted)
    return folder


@pytest.fixture
def project(prepared, python, tmp_path):
    """Return an example with its database and the user `demo`."""
    if not (prepared / "db.sqlite3").exists():
        python("manage.py", "migrate", "--verbosity", "0", cwd=prepared)
        python("manage.py", "demo", cwd=prepared)
    folder = tmp_path / "notes"
    shutil.copytree(prepared, folder)
    return folder


@pytest.fixture
def server(serve, project):
    """Return a server of the example."""
    return serve(None, "--workers", "2", cwd=project, folder=project)


def post(server, target, value, *headers):
    """POST a value as JSON."""
    body = json.dumps(value).encode()
    return server.request("POST", target, "Content-Type: application/json", *headers, body=body)


def log_in(server):
    """Return a pair of tokens."""
    answer = post(server, "/api/token/", {"username": "demo", "password": "demo-password"})
    assert answer.status == 200, answer.text
    return answer.json()


def bearer(token):
    """Return a header."""
    return f"Authorization: Bearer {token}"


def forged(project, claims, key=None):
    """Return a token with these claims, signed with the project's key or another."""

    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    secret = key or (project / "secret-key").read_text().strip().encode()
    head = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (head + b"." + part(hmac.digest(secret, head, hashlib.sha256))).decode()


def claims(**changed):
    """Return the claims of an access token of the first user."""
    now = int(time.time())
    usual = {"token_type": "access", "exp": now + 60, "iat": now, "jti": "a" * 32, "user_id": "1"}
    return {**usual, **changed}


def test_notes_are_listed_with_a_token(server):
    answer = server.get(LIST, bearer(log_in(server)["access"]))
    assert answer.status == 200
    assert answer.json()["results"]
    record = server.last_records()[-1]
    assert isinstance(record["worker"], int)


def test_note_is_made_read_and_deleted(server):
    token = bearer(log_in(server)["access"])
    made = post(server, LIST, {"title": "a", "body": "b"}, token)
    assert made.status == 201
    target = f"{LIST}{made.json()['id']}/"
    assert server.get(target, token).json()["title"] == "a"
    assert server.request("DELETE", target, token).status == 204
    assert server.get(target, token).status == 404


def test_token_is_refreshed_and_verified(server):
    pair = log_in(server)
    fresh = post(server, "/api/token/refresh/", {"refresh": pair["refresh"]})
    assert fresh.status == 200
    assert post(server, "/api/token/verify/", {"token": fresh.json()["access"]}).status == 200
    assert server.get(LIST, bearer(fresh.json()["access"])).status == 200


def test_wrong_password_is_refused(server):
    answer = post(server, "/api/token/", {"username": "demo", "password": "wrong"})
    assert answer.status == 401
    assert answer.json()["detail"].startswith("No active account found")


def refused_at_the_edge(server, *headers):
    """Ask for the notes; assert that the answer came from the edge, and return it."""
    answer = server.get(LIST, *headers)
    record = server.last_records()[-1]
    assert record["status"] == answer.status == 401
    assert record["worker"] is None
    assert "notes" in record["route"]
    assert record["reason"]
    return answer


def test_missing_token_is_refused_at_the_edge(server):
    answer = refused_at_the_edge(server)
    assert answer.json() == {"detail": "Authentication credentials were not provided."}
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_broken_token_is_refused_at_the_edge(server):
    answer = refused_at_the_edge(server, bearer("broken"))
    assert answer.json()["code"] == "token_not_valid"
    assert answer.headers["Content-Type"] == "application/json"


def test_malformed_header_is_refused_at_the_edge(server):
    answer = refused_at_the_edge(server, "Authorization: Bearer one two")
    assert answer.json()["code"] == "bad_authorization_header"


def test_expired_token_is_refused_at_the_edge(server, project):
    token = forged(project, claims(exp=int(time.time()) - 60))
    answer = refused_at_the_edge(server, bearer(token))
    assert answer.json()["messages"][0]["message"] == "Token is expired"


def test_token_of_another_key_is_refused_at_the_edge(server, project):
    token = forged(project, claims(), key=b"another key that is long enough to be one")
    assert refused_at_the_edge(server, bearer(token)).json()["code"] == "token_not_valid"


def test_refresh_token_is_refused_at_the_edge(server):
    answer = refused_at_the_edge(server, bearer(log_in(server)["refresh"]))
    assert answer.json()["messages"][0]["message"] == "Token has wrong type"


def test_token_that_is_signed_well_is_taken(server, project):
    assert server.get(LIST, bearer(forged(project, claims()))).status == 200


def test_good_token_of_a_user_that_is_gone_is_refused_by_the_app(server, project):
    answer = server.get(LIST, bearer(forged(project, claims(user_id="999"))))
    assert answer.status == 401
    assert answer.json()["code"] == "user_not_found"
    [record] = server.last_records()
    assert isinstance(record["worker"], int)


def test_edge_answers_as_the_app_would(server):
    # A query with `format` is nothing that the edge is sure of, so the app answers.
    for header in ((), (bearer("broken"),), ("Authorization: Bearer a b",)):
        at_the_edge = server.get(LIST, *header)
        by_the_app = server.get(f"{LIST}?format=json", *header)
        assert at_the_edge.status == by_the_app.status
        assert at_the_edge.body == by_the_app.body
        names = ("Content-Type", "WWW-Authenticate", "Allow", "Vary", "Content-Length")
        for name in names:
            assert at_the_edge.headers[name] == by_the_app.headers[name], name
    workers = [record["worker"] for record in server.last_records()]
    assert [worker is None for worker in workers] == [True, False] * 3


def test_encoded_path_does_not_get_around_the_edge(server):
    for target in ("/api/%6eotes/", "/%61pi/notes/", "/api/notes%2f"):
        assert server.get(target).status == 401
    assert all(record["worker"] is None for record in server.last_records())


def test_forged_identity_does_not_open_the_door(server):
    for name in ("Yett-Identity", "yett.identity", "X-Yett-Identity"):
        assert server.get(LIST, f'{name}: {{"user_id": "1"}}').status == 401


def test_refusal_keeps_the_connection_and_the_next_request_is_served(server):
    token = log_in(server)["access"]
    with server.wire() as wire:
        assert wire.get(LIST, bearer("broken")).status == 401
        assert wire.get(LIST, bearer(token)).status == 200
        assert wire.get(LIST).status == 401


def test_refusal_of_a_request_with_a_body_reaches_the_client(server):
    answer = server.request("POST", LIST, bearer("broken"), body=b"x" * 100_000)
    assert answer.status == 401
    record = server.last_records()[-1]
    assert record["worker"] is None


def test_open_paths_need_no_token(server):
    assert server.get("/api/public/").json() == {"status": "ok", "service": "notes"}
    assert server.get("/plain").text == "Hello, World!"


def test_upload_needs_a_token_and_arrives_whole(server):
    content = bytes(range(256)) * 2000
    body = (
        b"--X\r\nContent-Disposition: form-data; name=file; filename=a.bin\r\n"
        b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n--X--\r\n"
    )
    kind = "Content-Type: multipart/form-data; boundary=X"
    token = bearer(log_in(server)["access"])
    answer = server.request("POST", "/api/upload/", kind, token, body=body)
    assert answer.status == 201
    assert answer.json()["sha256"] == hashlib.sha256(content).hexdigest()


def test_changed_key_is_taken_by_a_reload(server, project):
    old = log_in(server)["access"]
    (project / "secret-key").write_text("another-key-that-is-long-enough-to-be-one-of-those\n")
    with Load(server, target="/plain"):
        done = server.command("reload")
        assert done.returncode == 0, done.stderr
    assert server.get(LIST, bearer(old)).status == 401
    assert server.get(LIST, bearer(log_in(server)["access"])).status == 200


def test_banner_check_and_routes_name_the_guarded_paths(server, yett, project):
    assert "checked before Python on" in server.stderr
    check = yett("check", cwd=project)
    assert check.code == 0
    assert "are guarded at the edge" in check.out
    rows = json.loads(yett("routes", "--json", cwd=project).out)
    answered = {row["path"].strip("/"): row["answered"] for row in rows}
    assert answered["plain"] == "app"
    assert [path for path, who in answered.items() if "notes" in path and who == "edge"]
