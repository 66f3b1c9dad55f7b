"""`yett token` and `yett keys`: the real program, its files and exit codes; PyJWT is the judge."""

import json
import os
import pty
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import jwt
import pytest

from .conftest import PROGRAM, Finished

HMAC = ("HS256", "HS384", "HS512")
PAIRS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K")
ASYMMETRIC = (*PAIRS, "EdDSA")
# Members of private JWKs (RFC 7518 section 6, RFC 8037, RFC 9964).
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

Run = Callable[..., Finished]


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Run the program in the test's folder with this text on stdin."""

    def start(*words: str, stdin: str = "", env: dict[str, str] | None = None) -> Finished:
        done = subprocess.run(
            [PROGRAM, *words],
            cwd=tmp_path,
            env={**environment, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return start


def fine(done: Finished) -> str:
    """Return the stdout of a run that went well and had nothing to say on stderr."""
    assert (done.code, done.err) == (0, "")
    return done.out


@pytest.fixture
def generate(run: Run, tmp_path: Path) -> Callable[..., Path]:
    """Make a key and return its private file; the public one is beside it, as `.pub`."""

    def make(algorithm: str, *flags: str, name: str = "key") -> Path:
        public = () if algorithm in HMAC else ("--public-out", f"{name}.pub")
        bits = ("--bits", "2048") if algorithm[:2] in ("RS", "PS") else ()
        words = ("keys", "generate", "--alg", algorithm, "--out", name)
        assert fine(run(*words, *bits, *public, *flags)) == ""
        return tmp_path / name

    return make


@pytest.mark.parametrize("algorithm", HMAC)
def test_token_of_a_generated_secret_is_accepted_by_pyjwt(run, generate, algorithm):
    secret = generate(algorithm).read_text().removesuffix("\n")
    words = ("--alg", algorithm, "--subject", "42", "--expires-in", "5m", "--kid", "2026")
    token = fine(run("token", "issue", "--secret-file", "key", *words)).removesuffix("\n")
    claims = jwt.decode(token, secret, algorithms=[algorithm])
    assert claims["sub"] == "42"
    assert claims["exp"] - claims["iat"] == 300
    assert len(claims["jti"]) == 32
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "kid": "2026", "typ": "JWT"}


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_token_of_a_generated_pair_is_accepted_by_pyjwt(run, generate, tmp_path, algorithm):
    generate(algorithm)
    words = ("--key", "key", "--alg", algorithm, "--expires-in", "5m", "--claim", "a=b")
    token = fine(run("token", "issue", *words)).strip()
    public = (tmp_path / "key.pub").read_text()
    assert jwt.decode(token, public, algorithms=[algorithm])["a"] == "b"
    # And the other way round.
    theirs = jwt.encode({"sub": "1"}, (tmp_path / "key").read_text(), algorithm=algorithm)
    ours = run("token", "verify", "--key", "key.pub", "--alg", algorithm, "--json", stdin=theirs)
    assert json.loads(fine(ours))["claims"] == {"sub": "1"}


def test_jwk_set_is_read_by_pyjwt_and_has_no_private_member(run, generate):
    files = []
    for algorithm in ("RS256", "PS384", "ES256", "ES384", "ES512", "ES256K", "EdDSA"):
        generate(algorithm, "--format", "jwk", name=algorithm)
        files.append(algorithm)
    generate("ES256", name="pem")
    text = fine(run("keys", "jwks", *files, "named=pem"))
    keys = jwt.PyJWKSet.from_dict(json.loads(text))
    assert keys["named"].algorithm_name == "ES256"
    for member in json.loads(text)["keys"]:
        assert not PRIVATE & set(member)
    for algorithm in files:
        token = fine(
            run("token", "issue", "--key", algorithm, "--expires-in", "1m", "--claim", "a=b")
        ).strip()
        key = keys[jwt.get_unverified_header(token)["kid"]]
        assert jwt.decode(token, key, algorithms=[algorithm])["a"] == "b"


@pytest.mark.parametrize("form", ["pem", "jwk"])
@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_private_half_never_appears_in_jwks(run, generate, tmp_path, algorithm, form):
    generate(algorithm, "--format", form)
    text = fine(run("keys", "jwks", "--alg", algorithm, "key"))
    (member,) = json.loads(text)["keys"]
    assert not PRIVATE & set(member)
    assert member["kid"] == fine(run("keys", "thumbprint", "key")).strip()
    assert json.loads(fine(run("keys", "jwks", "--alg", algorithm, "key.pub"))) == json.loads(text)
    if form == "jwk":
        private = json.loads((tmp_path / "key").read_text())
        assert private["d"] not in text


def test_shared_secret_is_not_published(run, generate):
    generate("HS256", "--format", "jwk")
    done = run("keys", "jwks", "key")
    assert (done.code, done.out) == (2, "")
    assert "has no public half" in done.err


def test_private_file_is_its_owners_alone_whatever_the_umask(run, generate, tmp_path):
    before = os.umask(0)
    try:
        generate("ES256")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "key.pub").stat().st_mode) == 0o666


def test_files_are_not_overwritten_unless_asked_for(run, generate, tmp_path):
    old = generate("ES256").read_text()
    words = ("keys", "generate", "--alg", "ES256")
    for flags in (("--out", "key"), ("--out", "new", "--public-out", "key.pub")):
        done = run(*words, *flags)
        assert (done.code, done.out) == (1, "")
        assert "exists already" in done.err
    assert (tmp_path / "key").read_text() == old
    assert not (tmp_path / "new").exists()

    (tmp_path / "key").chmod(0o644)
    assert "PUBLIC KEY" in fine(run(*words, "--out", "key", "--force"))
    assert (tmp_path / "key").read_text() != old
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_without_a_file_the_private_key_is_for_the_pipe(run):
    text = fine(run("keys", "generate", "--alg", "ES256"))
    assert text.startswith("-----BEGIN PRIVATE KEY-----")
    assert text.count("BEGIN") == 1


def test_private_key_on_a_terminal_is_warned_of_and_colour_is_for_terminals_alone(environment):
    def shown(*words: str) -> tuple[str, str]:
        main, follower = pty.openpty()
        with subprocess.Popen(
            [PROGRAM, *words],
            env={**environment, "TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            stdout=follower,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            os.close(follower)
            out = b""
            try:
                while piece := os.read(main, 65536):
                    out += piece
            except OSError:
                pass  # The other end is closed.
            assert process.stderr is not None
            err = process.stderr.read()
        os.close(main)
        return out.decode(), err

    out, err = shown("keys", "generate", "--alg", "EdDSA")
    assert "PRIVATE KEY" in out
    assert err.startswith("warning: the private key is shown on this terminal")
    out, _ = shown("token", "inspect", "e30.e30.")
    assert "\x1b[" in out
    environment["NO_COLOR"] = "1"
    out, _ = shown("token", "inspect", "e30.e30.")
    assert "\x1b[" not in out


def test_secret_is_one_line_of_a_file_or_a_variable(run, tmp_path):
    secret = "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz"
    token = jwt.encode({"sub": "1"}, secret, algorithm="HS256")
    rules = ("--alg", "HS256")
    for end, code in (("", 0), ("\n", 0), ("\r\n", 0), ("\n\n", 1), (" ", 1)):
        (tmp_path / "secret").write_bytes((secret + end).encode())
        done = run("token", "verify", "--secret-file", "secret", *rules, stdin=token)
        assert done.code == code, (end, done)
    env = {"DJANGO_SECRET_KEY": secret}
    by_variable = ("token", "verify", "--secret-env", "DJANGO_SECRET_KEY", *rules)
    fine(run(*by_variable, stdin=token, env=env))
    unset = run(*by_variable, stdin=token)
    assert unset.code == 2
    assert "no such variable" in unset.err


def test_secret_is_no_word_of_the_command_line(run):
    for word in ("--secret", "--key-data", "--password"):
        for verb in ("verify", "issue"):
            done = run("token", verb, f"{word}=hunter2-hunter2-hunter2-hunter2", "--alg", "HS256")
            assert done.code == 2
            assert "unexpected argument" in done.err
            assert "hunter2" not in done.err + done.out


def test_short_secret_needs_a_word_of_danger(run):
    with pytest.warns(UserWarning):
        token = jwt.encode({"sub": "1"}, "short", algorithm="HS256")
    words = ("token", "verify", "--secret-env", "S", "--alg", "HS256")
    env = {"S": "short"}
    refused = run(*words, stdin=token, env=env)
    assert refused.code == 2
    assert "5 bytes, fewer than 32" in refused.err
    fine(run(*words, "--danger-short-secret", stdin=token, env=env))
    issued = run("token", "issue", *words[2:], "--expires-in", "5m", env=env)
    assert (issued.code, issued.out) == (2, "")


SECRET = "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz"
WITH_SECRET = ("--secret-env", "S", "--alg", "HS256")


@pytest.fixture
def verdict(run) -> Callable[..., tuple[int, str]]:
    """Verify a token of these claims; return the exit code, and the kind of refusal if any."""

    def judge(claims: dict[str, object], *flags: str, key: str = SECRET, **header: str):
        token = jwt.encode(claims, key, algorithm="HS256", headers=header)
        words = ("token", "verify", *WITH_SECRET, "--json", *flags)
        done = run(*words, stdin=token, env={"S": SECRET})
        assert done.err == ""
        answer = json.loads(done.out)
        assert answer["verified"] == (done.code == 0)
        return done.code, "" if done.code == 0 else answer["refusal"]["kind"]

    return judge


def test_verdict_is_the_exit_code_and_names_the_refusal(verdict):
    now = int(time.time())
    good = {"sub": "1", "exp": now + 300}
    assert verdict(good) == (0, "")
    assert verdict(good, key="x" * 40) == (1, "signature")
    assert verdict({"exp": now - 60}) == (1, "expired")
    assert verdict({"exp": now - 60}, "--leeway", "5m") == (0, "")
    assert verdict({"nbf": now + 60}) == (1, "immature")
    assert verdict({"sub": 7}) == (1, "invalid_claim")
    assert verdict({}, "--require", "exp") == (1, "missing_claim")
    assert verdict({"iss": "a"}, "--issuer", "b") == (1, "issuer")
    assert verdict({"iss": "a"}, "--issuer", "b", "--issuer", "a") == (0, "")
    assert verdict({"aud": "a"}) == (1, "audience")
    assert verdict({"aud": "a"}, "--audience", "b") == (1, "audience")
    assert verdict({"aud": ["a", "b"]}, "--audience", "b") == (0, "")
    assert verdict({"aud": "a"}, "--any-audience") == (0, "")
    assert verdict({}, typ="at+jwt") == (1, "malformed")
    assert verdict({}, "--type", "at+jwt", typ="at+jwt") == (0, "")
    assert verdict({}, "--type", "any", typ="other") == (0, "")
    assert verdict({"exp": 2_000_000_000}, "--at", "2033-05-18T03:33:20Z") == (1, "expired")
    assert verdict({"exp": 2_000_000_000}, "--at", "1999999999") == (0, "")


def test_wrong_usage_is_told_apart_from_a_refusal(run, generate, tmp_path):
    generate("ES256")
    (tmp_path / "junk").write_text("junk")
    token = "e30.e30."
    for words in (
        (),
        ("--key", "nowhere", "--alg", "ES256"),
        ("--key", "junk", "--alg", "ES256"),
        ("--key", "key.pub"),
        ("--key", "key.pub", "--alg", "RS256"),
        ("--key", "key.pub", "--alg", "es256"),
        ("--key", "key.pub", "--alg", "none"),
        ("--key", "key", "--alg", "ES256"),
        ("--jwks", "junk"),
        ("--secret-env", "S"),
        ("--jwks-url", "http://issuer.example/"),
        ("--jwks-url", "https://127.0.0.1/"),
    ):
        done = run("token", "verify", *words, stdin=token, env={"S": SECRET})
        assert (done.code, done.out) == (2, ""), (words, done)
    assert run("token", "verify", "--key", "key.pub", "--alg", "ES256").code == 2
    refused = run("token", "verify", "--key", "key.pub", "--alg", "ES256", stdin=token)
    assert refused.code == 1
    assert refused.err.startswith("error: the token is refused\n  because: ")


def test_public_key_is_no_secret(run, generate):
    generate("RS256")
    done = run("token", "verify", "--secret-file", "key.pub", "--alg", "HS256", stdin="e30.e30.")
    assert done.code == 2
    assert "a PEM text, not a shared secret" in done.err


def test_verifying_takes_the_token_alone(run):
    token = jwt.encode({"sub": "1"}, SECRET, algorithm="HS256")
    for text, code in (
        (token, 0),
        (f"{token}\n", 0),
        (f"{token}\n\n", 1),
        (f" {token}", 1),
        (f"Bearer {token}", 1),
        (f'"{token}"', 1),
    ):
        done = run("token", "verify", *WITH_SECRET, stdin=text, env={"S": SECRET})
        assert done.code == code, (text, done)
    word = run("token", "verify", token, *WITH_SECRET, env={"S": SECRET})
    assert word.out.startswith("VERIFIED. The signature (HS256)")


def test_proof_says_what_it_did_not_look_at(run):
    token = jwt.encode({"iss": "a", "aud": "b"}, SECRET, algorithm="HS256")
    words = ("token", "verify", *WITH_SECRET, "--any-audience")
    text = fine(run(*words, stdin=token, env={"S": SECRET}))
    assert "not checked: the issuer (iss)" in text
    assert "not checked: the audience (aud)" in text
    assert "not checked: the end" in text


def test_key_of_a_set_is_chosen_by_its_id(run, generate, tmp_path):
    for name in ("old", "new", "other"):
        generate("ES256", "--format", "jwk", "--kid", name, name=name)
    (tmp_path / "set").write_text(fine(run("keys", "jwks", "old", "new")))
    for name, code in (("old", 0), ("new", 0), ("other", 1)):
        token = fine(run("token", "issue", "--key", name, "--expires-in", "5m"))
        done = run("token", "verify", "--jwks", "set", stdin=token)
        assert done.code == code
    assert 'it names the key "other"; the set has "old", "new"' in done.err


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve the file `set` on this machine; return the address and what was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = (tmp_path / "set").read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_set_is_fetched_once_and_from_this_machine_only_if_allowed(run, generate, issuer, tmp_path):
    address, asked = issuer
    generate("ES256", "--format", "jwk")
    (tmp_path / "set").write_text(fine(run("keys", "jwks", "key")))
    token = fine(run("token", "issue", "--key", "key", "--expires-in", "5m"))
    words = ("token", "verify", "--jwks-url", f"{address}/jwks?code=hunter2")
    refused = run(*words, stdin=token)
    assert (refused.code, asked) == (2, [])
    fine(run(*words, "--allow-loopback", stdin=token))
    assert asked == ["/jwks?code=hunter2"]

    (tmp_path / "set").write_text("{}")
    failed = run(*words, "--allow-loopback", stdin=token)
    assert (failed.code, failed.out) == (1, "")
    assert "the key set was not fetched" in failed.err
    assert "hunter2" not in failed.err + refused.err


def test_inspecting_proves_nothing_and_takes_what_people_paste(run):
    token = jwt.encode({"exp": 1, "sub": 7}, SECRET, algorithm="HS256")
    forged = token[:-4] + "AAAA"
    for text in (forged, f"Bearer {forged}\n", f'"{forged}"', f"Authorization: Bearer {forged}"):
        out = fine(run("token", "inspect", stdin=text))
        assert out.startswith("NOTHING WAS VERIFIED.")
        assert "expired" in out
        assert "claim sub is not a string" in out
    assert fine(run("token", "inspect", "-", stdin=forged)) == fine(run("token", "inspect", forged))
    answer = json.loads(fine(run("token", "inspect", "--json", "--at", "61", stdin=forged)))
    assert answer["verified"] is False
    assert answer["times"]["exp"] == {
        "seconds": 1,
        "utc": "1970-01-01T00:00:01Z",
        "from_now": -60,
    }
    for text in ("e30", "a.b.c", "{}", "e30.e30.e30.e30"):
        done = run("token", "inspect", stdin=text)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("error: this is no token\n")


def test_input_without_end_is_cut_off(run, generate):
    generate("ES256")
    big = "a" * 1_000_000
    assert "longer than" in run("token", "inspect", stdin=big).err
    assert (
        "longer than" in run("token", "verify", "--key", "key.pub", "--alg", "ES256", stdin=big).err
    )
    endless = ("token", "verify", "--alg", "ES256", "--key", "/dev/zero")
    assert "longer than" in run(*endless, stdin="e30.e30.").err
    claims = ("token", "issue", "--alg", "ES256", "--key", "key", "--claims", "-")
    assert "longer than" in run(*claims, stdin=big).err


def test_claims_come_from_a_file_and_are_signed_as_they_are_written(run, generate):
    generate("ES256")
    words = ("token", "issue", "--key", "key", "--alg", "ES256", "--claims", "-", "--json")
    claims = '{"z": 123456789012345678901234567890, "a": 1.50, "jti": "x", "iat": 1, "exp": 2}'
    out = fine(run(*words, stdin=claims))
    token = json.loads(out)["token"]
    shown = fine(run("token", "inspect", token))
    assert "123456789012345678901234567890" in shown
    assert "1.50" in shown
    for wrong in ("[]", "{", '{"a":1,"a":2}', '{"sub":7,"exp":2}', '{"exp":"x"}'):
        done = run(*words, stdin=wrong)
        assert (done.code, done.out) == (2, ""), (wrong, done)


def test_a_lifetime_is_asked_for(run, generate):
    generate("ES256")
    words = ("token", "issue", "--key", "key", "--alg", "ES256")
    done = run(*words)
    assert (done.code, done.out) == (2, "")
    assert "--expires-in is needed" in done.err
    for wrong in ("5", "0s", "1500ms", "-5m"):
        assert run(*words, "--expires-in", wrong).code == 2
    endless = run(*words, "--danger-no-expiry")
    assert endless.code == 0
    assert endless.err == "warning: the token never expires; only another key ends it\n"


def test_help_says_that_a_token_on_the_command_line_is_seen(run):
    for verb in ("inspect", "verify"):
        text = " ".join(fine(run("token", verb, "--help")).split())
        assert "lands in the shell's history and is seen by every user" in text
