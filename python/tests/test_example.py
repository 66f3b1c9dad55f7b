"""The example project `examples/notes`, in a folder of its own, by Django's test client."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "notes"
USE = """
import hashlib, json, django
django.setup()
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from notes.models import Note
from django.contrib.auth import get_user_model
from yett.django.manifest import manifest

client = Client(HTTP_HOST="localhost")
def ask(method, path, data=None, token=None, **more):
    extra = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
    data = json.dumps(data) if isinstance(data, dict) else data or b""
    answer = client.generic(method, path, data, "application/json", **extra, **more)
    return [answer.status_code, answer.content.decode()]

other = get_user_model().objects.create(username="other")
theirs = Note.objects.create(owner=other, title="not yours").pk
_, pair = ask("POST", "/api/token/", {"username": "demo", "password": "demo-password"})
pair = json.loads(pair)
token = pair["access"]
answers = {
    "list": ask("GET", "/api/notes/", token=token),
    "made": ask("POST", "/api/notes/", {"title": "new"}, token),
    "another's": ask("GET", f"/api/notes/{theirs}/", token=token),
    "no token": ask("GET", "/api/notes/"),
    "bad token": ask("GET", "/api/notes/", token="x"),
    "refresh": ask("POST", "/api/token/refresh/", {"refresh": pair["refresh"]}),
    "verify": ask("POST", "/api/token/verify/", {"token": token}),
    "public": ask("GET", "/api/public/"),
    "plain": ask("GET", "/plain"),
    "admin": ask("GET", "/admin/login/"),
    "upload without a token": ask("POST", "/api/upload/"),
}
upload = client.post("/api/upload/", {"file": SimpleUploadedFile("a b.bin", b"x" * 3_000_000)},
                     HTTP_AUTHORIZATION=f"Bearer {token}")
answers["upload"] = [upload.status_code, upload.content.decode()]
print(json.dumps({"answers": answers, "manifest": manifest()}))
"""


def run(*arguments: str, data: Path) -> str:
    """Run Python in the example's folder and return its output."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("NOTES_")},
        "NOTES_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "notes_site.settings",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=EXAMPLE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a migrated example with its demo user."""
    folder = tmp_path_factory.mktemp("notes")
    run("manage.py", "migrate", "--verbosity=0", data=folder)
    run("manage.py", "demo", data=folder)
    return folder


@pytest.fixture(scope="module")
def used(data: Path) -> dict[str, Any]:
    """Return what the example answered, and its manifest."""
    return json.loads(run("-c", USE, data=data))  # type: ignore[no-any-return]


def test_demo_twice_changes_nothing(data: Path) -> None:
    assert "5 notes" in run("manage.py", "demo", data=data)


def test_secret_key_is_made_once_for_its_owner_alone(data: Path) -> None:
    file = data / "secret-key"
    before = file.read_text()
    run("manage.py", "check", data=data)
    assert file.read_text() == before
    assert len(before) >= 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in data.iterdir() if "sqlite3" not in path.name) == [
        "secret-key"
    ]


def test_migrations_are_complete(data: Path) -> None:
    run("manage.py", "makemigrations", "--check", "--dry-run", data=data)


def test_api_answers_as_the_readme_says(used: dict[str, Any]) -> None:
    answers = used["answers"]
    assert {name: status for name, (status, _) in answers.items()} == {
        "list": 200,
        "made": 201,
        "another's": 404,
        "no token": 401,
        "bad token": 401,
        "refresh": 200,
        "verify": 200,
        "public": 200,
        "plain": 200,
        "admin": 200,
        "upload without a token": 401,
        "upload": 201,
    }
    notes = json.loads(answers["list"][1])
    assert (notes["count"], len(notes["results"]), notes["next"]) == (5, 5, None)
    assert json.loads(answers["upload"][1]) == {
        "name": "a b.bin",
        "size": 3_000_000,
        "sha256": hashlib.sha256(b"x" * 3_000_000).hexdigest(),
    }
    assert answers["plain"][1] == "Hello, World!"


def test_what_needs_a_token_is_guarded(used: dict[str, Any], data: Path) -> None:
    manifest = used["manifest"]
    guarded = {row["name"] for row in manifest["url_table"] if row["guard"] == "token"}
    assert guarded == {"note-list", "note-detail", "upload", "api-root"}
    assert manifest["settings"] == "notes_site.settings"
    static = manifest["static"]
    assert (static["url"], static["root"]) == ("/static/", str(data / "staticfiles"))
    assert manifest["token_rules"]["algorithm"] == "HS256"
