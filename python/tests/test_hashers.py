"""`yett.django.hashers` against Django's own hashers, both ways."""

import ast
import hashlib
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import hashers as theirs
from django.contrib.auth.hashers import (
    BasePasswordHasher,
    PBKDF2PasswordHasher,
    check_password,
    identify_hasher,
    make_password,
)
from django.test import override_settings

from yett.django import hashers as ours

NAMES = [
    "PBKDF2PasswordHasher",
    "PBKDF2SHA1PasswordHasher",
    "Argon2PasswordHasher",
    "BCryptSHA256PasswordHasher",
    "BCryptPasswordHasher",
    "ScryptPasswordHasher",
]

#: As little work as the algorithms take, for tests that make many hashes.
LITTLE: dict[str, Any] = {
    "iterations": 10,
    "time_cost": 1,
    "memory_cost": 64,
    "rounds": 4,
    "work_factor": 16,
}

PASSWORDS = [
    "",
    " ",
    "lion",
    "lètmein",
    "пароль",
    "密码🔑",
    "e\u0301 is not \u00e9",
    "with\0zero",
    "\0",
    "p" * 71,
    "p" * 72,
    "ü" * 36,
    *(secrets.token_urlsafe(24) for _ in range(5)),
]
#: The package bcrypt, from 5.0 on, refuses what its older releases cut off.
LONG = ["p" * 73, "long " * 1000, "密码" * 50_000]


def little(module: Any, name: str, **work: Any) -> BasePasswordHasher:
    """Return the module's hasher of that name, set to little work."""
    made: BasePasswordHasher = type(name, (getattr(module, name),), {**LITTLE, **work})()
    return made


def paths(module: Any = ours, first: str = "PBKDF2PasswordHasher") -> list[str]:
    """Return a setting `PASSWORD_HASHERS` with one hasher before the others."""
    return [f"{module.__name__}.{name}" for name in [first, *(n for n in NAMES if n != first)]]


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let Django's classes, and by them ours, ask for little work."""
    for name in NAMES:
        for field in LITTLE.keys() & {*dir(getattr(theirs, name))}:
            monkeypatch.setattr(getattr(theirs, name), field, LITTLE[field])
    yield


@pytest.mark.parametrize("name", NAMES)
def test_each_verifies_what_the_other_made(name: str) -> None:
    our, django = little(ours, name), little(theirs, name)
    passwords = PASSWORDS if name == "BCryptPasswordHasher" else PASSWORDS + LONG
    for password in passwords:
        made_here, made_there = (h.encode(password, h.salt()) for h in (our, django))
        assert our.verify(password, made_there)
        assert django.verify(password, made_here)
        cut = name == "BCryptPasswordHasher" and len(password.encode()) == 72
        assert our.verify(password + "x", made_there) is cut
        assert not our.verify("x" + password, made_there)


@pytest.mark.parametrize("name", NAMES)
def test_text_is_letter_for_letter_that_of_django(name: str) -> None:
    our, django = little(ours, name), little(theirs, name)
    for password in PASSWORDS:
        salt = django.salt()
        assert our.encode(password, salt) == django.encode(password, salt)


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_those_of_the_installed_django(name: str) -> None:
    our, django = getattr(ours, name)(), getattr(theirs, name)()
    assert isinstance(our, type(django))
    text = our.encode("lion", our.salt())
    assert not django.must_update(text)
    assert our.safe_summary(text) == django.safe_summary(text)
    assert len(text) <= 128
    assert our.algorithm == django.algorithm


@pytest.mark.parametrize("name", NAMES)
def test_upgrade_of_django_raises_the_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    our = getattr(ours, name)()
    field = {"PBKDF2": "iterations", "Argon2": "time_cost", "BCrypt": "rounds"}.get(name[:6])
    monkeypatch.setattr(getattr(theirs, name), field or "work_factor", 8)
    text = our.encode("lion", our.salt())
    assert not our.must_update(text)
    assert 8 in our.decode(text).values()


def test_long_password_of_plain_bcrypt_is_cut_at_72_bytes() -> None:
    our, django = (little(module, "BCryptPasswordHasher") for module in (ours, theirs))
    made = django.encode("p" * 72, django.salt())
    for password in ("p" * 73, "p" * 72 + "quite another end"):
        assert our.verify(password, made)
        assert our.encode(password, made.split("$", 1)[1].encode()) == made


@pytest.mark.parametrize("name", NAMES)
def test_none_is_no_password(name: str) -> None:
    our = little(ours, name)
    with pytest.raises(TypeError):
        our.encode(None, our.salt())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_bytes_are_hashed_as_they_are(name: str) -> None:
    our = little(ours, name)
    text = our.encode(b"l\xc3\xa8tmein", our.salt())  # type: ignore[arg-type]
    assert our.verify("lètmein", text)


@pytest.mark.parametrize("name", ["PBKDF2PasswordHasher", "ScryptPasswordHasher"])
def test_salt_that_could_not_be_read_back_is_refused_as_in_django(name: str) -> None:
    for salt in ("", "a$b"):
        with pytest.raises(ValueError, match="salt must be provided"):
            little(ours, name).encode("lion", salt)


def test_argon2_decodes_as_django_with_argon2_cffi_does() -> None:
    our, django = ours.Argon2PasswordHasher(), theirs.Argon2PasswordHasher()
    for text in (
        django.encode("lion", django.salt()),
        "argon2$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        "argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ):
        here, there = our.decode(text), django.decode(text)
        params, argon2_cffi = here.pop("params"), there.pop("params")
        assert here == there
        for field in ("version", "salt_len", "hash_len", "time_cost", "memory_cost"):
            assert getattr(params, field) == getattr(argon2_cffi, field)
        assert our.must_update(text) == django.must_update(text)


@pytest.mark.parametrize(
    "text",
    [
        "argon2",
        "argon2$",
        "argon2$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ",
        "argon2$argon2id$v=19$w=1$m=64,t=1,p=1$c29tZXNhbHQ$AAAAAAAA",
        "argon2$argon2id$v=19$m=64,m=64,t=1,p=1$c29tZXNhbHQ$AAAAAAAA",
        "argon2$argon2id$v=19$m=64,t=1$c29tZXNhbHQ$AAAAAAAA",
        "pbkdf2_sha256$10$salt$AAAA",
    ],
)
def test_malformed_argon2_is_a_value_error(text: str) -> None:
    for read in (ours.Argon2PasswordHasher().decode, ours.Argon2PasswordHasher().must_update):
        with pytest.raises(ValueError, match=r"malformed|unpack"):
            read(text)
    with pytest.raises(ValueError, match="malformed"):
        ours.Argon2PasswordHasher().verify("lion", text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("pbkdf2_sha256$20000001$salt$AAAA", "iterations must be"),
        ("pbkdf2_sha256$99999999999999999999999999$salt$AAAA", "iterations must be"),
        ("pbkdf2_sha1$-1$salt$AAAA", "iterations must be"),
        ("scrypt$1073741824$salt$8$5$AAAA", "work factor must be"),
        ("scrypt$16384$salt$99999999$5$AAAA", "block size must be"),
        ("argon2$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$AAAAAAAA", "memory must be"),
        ("bcrypt$$2b$31$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG", "work factor"),
    ],
)
def test_stored_hash_that_asks_for_endless_work_is_refused(text: str, sentence: str) -> None:
    with override_settings(PASSWORD_HASHERS=paths()):
        hasher = identify_hasher(text)
        with pytest.raises(ValueError, match=sentence):
            hasher.verify("lion", text)


@pytest.mark.parametrize("name", NAMES)
def test_hash_that_was_locked_by_hand_matches_nothing(name: str) -> None:
    our = little(ours, name)
    text = our.encode("lion", our.salt())
    assert not our.verify("lion", text + "!")
    assert not our.verify("lion", text[:-1])


@pytest.mark.parametrize("first", NAMES)
@pytest.mark.usefixtures("cheap")
def test_every_old_hash_is_brought_to_the_preferred_hasher(first: str) -> None:
    with override_settings(PASSWORD_HASHERS=paths(first=first)):
        preferred = theirs.get_hasher()
        assert type(preferred) is getattr(ours, first)
        for name in NAMES:
            text = make_password("lion", hasher=getattr(theirs, name)())
            stored: list[str] = []
            assert not check_password("lamb", text, stored.append)
            assert stored == []
            assert check_password("lion", text, stored.append)
            assert stored == ([] if name == first else ["lion"])


@pytest.mark.parametrize(
    ("name", "old"),
    [
        ("PBKDF2PasswordHasher", {"iterations": 9}),
        ("PBKDF2PasswordHasher", {"iterations": 11}),
        ("Argon2PasswordHasher", {"memory_cost": 72}),
        ("Argon2PasswordHasher", {"time_cost": 2}),
        ("Argon2PasswordHasher", {"parallelism": 4}),
        ("BCryptSHA256PasswordHasher", {"rounds": 5}),
        ("ScryptPasswordHasher", {"work_factor": 32}),
    ],
)
@pytest.mark.usefixtures("cheap")
def test_other_work_is_renewed_once(name: str, old: dict[str, int]) -> None:
    text = make_password("lion", hasher=little(theirs, name, **old))
    with override_settings(PASSWORD_HASHERS=paths(first=name)):
        stored: list[str] = []
        assert check_password("lion", text, lambda raw: stored.append(make_password(raw)))
        assert stored and not check_password("lamb", stored[0])
        assert check_password("lion", stored[0], lambda raw: pytest.fail("renewed twice"))


@pytest.mark.usefixtures("cheap")
def test_short_salt_is_renewed() -> None:
    for name in ("PBKDF2PasswordHasher", "Argon2PasswordHasher"):
        with override_settings(PASSWORD_HASHERS=paths(first=name)):
            text = make_password("lion", salt="only-so-long")
            stored: list[str] = []
            assert check_password("lion", text, stored.append)
            assert stored == ["lion"]


def test_wrong_password_of_an_old_hash_takes_the_preferred_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`harden_runtime` is Django's, and comes by our `encode`."""
    work: list[int] = []
    hash_pbkdf2, hash_bcrypt = ours.hash_pbkdf2, ours.hash_bcrypt

    def counted(name: str, password: bytes, salt: str, iterations: int) -> str:
        work.append(iterations)
        return hash_pbkdf2(name, password, salt, iterations)

    def counted_runs(name: str, password: bytes, setting: str) -> str:
        work.append(1)
        return hash_bcrypt(name, password, setting)

    monkeypatch.setattr(ours, "hash_pbkdf2", counted)
    monkeypatch.setattr(ours, "hash_bcrypt", counted_runs)
    for name, old, expected in (
        ("PBKDF2PasswordHasher", {"iterations": 4}, [4, 6]),
        ("BCryptSHA256PasswordHasher", {"rounds": 4}, [1] * 4),
    ):
        text = make_password("lion", hasher=little(theirs, name, **old))
        preferred = little(ours, name, rounds=6)
        monkeypatch.setattr(theirs, "get_hashers", lambda preferred=preferred: [preferred])
        monkeypatch.setattr(theirs, "identify_hasher", lambda text, preferred=preferred: preferred)
        work.clear()
        assert not check_password("lamb", text)
        assert work == expected


def test_subclass_may_wrap_another_hash() -> None:
    """The way that Django's documentation names for hashes from elsewhere."""

    class Wrapped(ours.PBKDF2PasswordHasher):
        algorithm = "pbkdf2_wrapped"
        iterations = 10

        def encode(self, password: str | bytes, salt: str, iterations: int | None = None) -> str:
            assert isinstance(password, str)
            return super().encode(password[::-1], salt, iterations)

    text = Wrapped().encode("lion", "salt")
    assert text.startswith("pbkdf2_wrapped$10$salt$")
    assert Wrapped().verify("lion", text)
    assert not Wrapped().verify("noil", text)


def test_subclass_with_another_digest_is_django_s() -> None:
    class Sha512(ours.PBKDF2PasswordHasher):
        algorithm = "pbkdf2_sha512"
        iterations = 10
        digest = hashlib.sha512

    class DjangoSha512(PBKDF2PasswordHasher):
        algorithm = "pbkdf2_sha512"
        iterations = 10
        digest = hashlib.sha512

    assert Sha512().encode("lion", "salt") == DjangoSha512().encode("lion", "salt")


def test_other_threads_run_while_one_hashes() -> None:
    """With a switch interval that never ends, only who lets go lets another thread run."""
    begin, ran = threading.Event(), threading.Event()

    def other() -> None:
        begin.wait()
        ran.set()

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=other)
    sys.setswitchinterval(100_000)
    try:
        # Returns once the thread has begun, and goes on once it waits for us.
        thread.start()
        begin.set()
        # The other thread wants to run now. Python alone does not let it, however long it takes.
        for _ in range(100_000):
            assert not ran.is_set()
        # The system decides when the other wakes; so hash until it has.
        hashes = 0
        while not ran.is_set() and hashes < 10_000:
            ours.hash_pbkdf2("pbkdf2_sha256", b"lion", "salt", 10_000)
            hashes += 1
        assert ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        thread.join()


SETTINGS = """
SECRET_KEY = "a-key-for-tests-alone-of-more-than-thirty-two-bytes"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
PASSWORD_HASHERS = ["yett.django.hashers.%s"]
"""
LOGIN = """
import sys
sys.modules["argon2"] = sys.modules["bcrypt"] = None  # as if they were not installed
import django; django.setup()
from django.contrib.auth import authenticate, get_user_model
from django.core.management import call_command
call_command("migrate", verbosity=0)
options = {"username": "ada", "email": "ada@example.com"}
call_command("createsuperuser", interactive=False, verbosity=0, **options)
user = get_user_model().objects.get()
print([
    user.password.split("$")[0], user.is_superuser,
    authenticate(username="ada", password="lion 🔑") == user,
    authenticate(username="ada", password="lamb"),
    authenticate(username="bob", password="lion 🔑"),
    get_user_model().objects.get().password == user.password,
])
"""


@pytest.mark.parametrize("name", NAMES)
def test_project_makes_a_superuser_who_logs_in(name: str, tmp_path: Path) -> None:
    (tmp_path / "site_settings.py").write_text(SETTINGS % name)
    ran = subprocess.run(
        [sys.executable, "-c", LOGIN],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
            "DJANGO_SETTINGS_MODULE": "site_settings",
            "DJANGO_SUPERUSER_PASSWORD": "lion 🔑",
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    algorithm = getattr(theirs, name).algorithm
    assert ast.literal_eval(ran.stdout) == [algorithm, True, True, None, None, True]
