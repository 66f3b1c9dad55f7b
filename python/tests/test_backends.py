"""`TokenBackend` with every algorithm, beside the real simplejwt; keys of all forms."""

from __future__ import annotations

import datetime
import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt as pyjwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from django.core.exceptions import ImproperlyConfigured
from rest_framework_simplejwt.backends import TokenBackend as TheirBackend

from forge import read
from key_pairs import key_pair
from yett.drf.backends import ALLOWED_ALGORITHMS, TokenBackend
from yett.drf.exceptions import TokenBackendError, TokenBackendExpiredToken

PAIRS = sorted(name for name in ALLOWED_ALGORITHMS if not name.startswith("HS"))
SECRET = "a secret for tests alone, of more than the sixty-four bytes that HS512 needs"


def backends(algorithm: str, **rules: Any) -> tuple[Any, Any]:
    """Return a backend of each package under the same settings."""
    keys = (SECRET,) if algorithm.startswith("HS") else key_pair(algorithm)[:2]
    return TokenBackend(algorithm, *keys, **rules), TheirBackend(algorithm, *keys, **rules)


def test_the_algorithms_are_those_of_simplejwt() -> None:
    from rest_framework_simplejwt import backends as theirs

    # Ed448 aside, which EdDSA can be with PyJWT.
    assert ALLOWED_ALGORITHMS == theirs.ALLOWED_ALGORITHMS


@pytest.mark.parametrize("algorithm", sorted(ALLOWED_ALGORITHMS))
def test_tokens_of_each_are_good_in_the_other(algorithm: str) -> None:
    payload = {"exp": 4_000_000_000, "aud": "you", "iss": "me", "x": [1, None, "\u00e4"]}
    ours, theirs = backends(algorithm, audience="you", issuer="me")
    for one, other in ((ours, theirs), (theirs, ours), (ours, ours)):
        token = one.encode(payload)
        assert read(token)[0] == {"alg": algorithm, "typ": "JWT"}
        assert other.decode(token) == payload


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "EdDSA"])
def test_signatures_without_chance_are_the_same(algorithm: str) -> None:
    ours, theirs = backends(algorithm)
    assert ours.encode({"a": 1}) == theirs.encode({"a": 1})


@pytest.mark.parametrize("algorithm", sorted(ALLOWED_ALGORITHMS))
def test_bad_tokens_of_each_algorithm_are_refused(algorithm: str) -> None:
    ours, _ = backends(algorithm)
    good = ours.encode({"exp": 4_000_000_000})
    head, body, signature = good.split(".")
    changed = signature[:-8] + ("A" * 8 if signature[-8:] != "A" * 8 else "B" * 8)
    for bad in (f"{head}.{body}.{changed}", f"{head}.{body}.", good[:-4], "a.b.c", "", b"\xff"):
        with pytest.raises(TokenBackendError, match="Token is invalid"):
            ours.decode(bad)
    with pytest.raises(TokenBackendExpiredToken):
        ours.decode(ours.encode({"exp": int(time.time()) - 1}))


@pytest.mark.parametrize("algorithm", PAIRS)
def test_token_of_another_key_or_algorithm_is_refused(algorithm: str) -> None:
    ours, _ = backends(algorithm)
    stranger = key_pair(algorithm, 1)
    with pytest.raises(TokenBackendError, match="Token is invalid"):
        ours.decode(TokenBackend(algorithm, *stranger[:2]).encode({"a": 1}))
    with pytest.raises(TokenBackendError, match="Invalid algorithm specified"):
        ours.decode(backends("HS256")[0].encode({"a": 1}))


def test_public_key_is_no_secret() -> None:
    # What an attacker would sign with who knows the public key (RFC 8725 section 2.1).
    public = key_pair("RS256").public
    with pytest.raises(ImproperlyConfigured, match="SIGNING_KEY") as refused:
        TokenBackend("HS256", public).encode({"a": 1})
    assert public.splitlines()[1] not in str(refused.value)


def test_key_on_another_curve_is_told_at_its_use() -> None:
    private, public, _ = key_pair("ES256")
    backend = TokenBackend("ES384", private, public)
    with pytest.raises(ImproperlyConfigured, match="SIGNING_KEY"):
        backend.encode({})
    with pytest.raises(ImproperlyConfigured, match="VERIFYING_KEY"):
        backend.decode("a.b.c")


def test_service_that_only_verifies_needs_no_signing_key() -> None:
    private, public, _ = key_pair("RS256")
    token = TokenBackend("RS256", private).encode({"a": 1})
    backend = TokenBackend("RS256", "django's SECRET_KEY", public)
    assert backend.decode(token) == {"a": 1}
    with pytest.raises(ImproperlyConfigured, match="SIGNING_KEY") as refused:
        backend.encode({})
    assert "SECRET_KEY" not in str(refused.value)


def test_public_key_cannot_sign() -> None:
    public = key_pair("RS256").public
    with pytest.raises(ImproperlyConfigured, match="SIGNING_KEY"):
        TokenBackend("RS256", public, public).encode({})


def test_keys_may_be_bytes_objects_or_a_certificate() -> None:
    private, public, made = key_pair("RS256")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(made.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(made, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    token = TokenBackend("RS256", private).encode({"a": 1})
    for signing, verifying in (
        (private.encode(), public.encode()),
        (made, made.public_key()),
        (private, certificate.decode()),
        (private, private),
    ):
        backend = TokenBackend("RS256", signing, verifying)
        assert backend.encode({"a": 1}) == token
        assert backend.decode(token) == {"a": 1}


def test_key_of_a_changed_attribute_counts_at_once() -> None:
    one, two = key_pair("ES256"), key_pair("ES256", 1)
    backend = TokenBackend("ES256", one.private, one.public)
    token = backend.encode({"a": 1})
    backend.verifying_key = two.public
    with pytest.raises(TokenBackendError):
        backend.decode(token)


@pytest.mark.parametrize("length", [31, 32, 47, 48, 63, 64])
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_secret_shorter_than_the_hash_is_marked_and_works(algorithm: str, length: int) -> None:
    backend = TokenBackend(algorithm, "k" * length)
    is_short = length < int(algorithm[2:]) / 8
    assert (backend.own_verifying_key().weakness is not None) == is_short
    if is_short:
        with pytest.warns(UserWarning, match="HMAC key"):
            token = backend.encode({"a": 1})
            assert backend.decode(token) == {"a": 1}


# JWK_URL


class KeyServer(HTTPServer):
    """Serves one document, and counts how often."""

    document: Any = None
    asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/jwks.json"


class _Answer(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        self.server.asked += 1
        body = json.dumps(self.server.document).encode()
        self.send_response(200 if self.server.document is not None else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def keys() -> Iterator[KeyServer]:
    """Serve the public key of RS256 under the id "one"."""
    server = KeyServer(("127.0.0.1", 0), _Answer)
    jwk = pyjwt.algorithms.RSAAlgorithm.to_jwk(key_pair("RS256").made.public_key(), as_dict=True)
    server.document = {"keys": [{**jwk, "kid": "one", "use": "sig"}]}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def signed(kid: str, number: int = 0, **header: Any) -> str:
    """Return a token of PyJWT that names its key."""
    private = key_pair("RS256", number).private
    return pyjwt.encode({"a": 1}, private, "RS256", headers={"kid": kid, **header})


def test_key_set_verifies_and_is_fetched_once(keys: KeyServer) -> None:
    # The keys of the settings do not count beside it, as in simplejwt.
    backend = TokenBackend("RS256", None, key_pair("RS256", 1).public, jwk_url=keys.url)
    assert backend.decode(signed("one")) == {"a": 1}
    assert backend.decode(signed("one", typ="at+jwt")) == {"a": 1}
    assert keys.asked == 1


def test_unknown_key_and_foreign_signature_are_bad_tokens(keys: KeyServer) -> None:
    backend = TokenBackend("RS256", jwk_url=keys.url)
    for token in (signed("two"), signed("one", 1), "a.b.c", signed("two\nforged line")):
        with pytest.raises(TokenBackendError, match="Token is invalid"):
            backend.decode(token)


def test_key_for_another_algorithm_is_a_bad_token(keys: KeyServer) -> None:
    keys.document["keys"][0]["alg"] = "RS512"
    backend = TokenBackend("RS256", jwk_url=keys.url)
    with pytest.raises(TokenBackendError, match="Token is invalid"):
        backend.decode(signed("one"))


def test_outage_of_the_key_set_is_told_in_the_log(
    keys: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    keys.document = None
    backend = TokenBackend("RS256", jwk_url=keys.url)
    with pytest.raises(TokenBackendError, match="Token is invalid"):
        backend.decode(signed("one"))
    (record,) = [record for record in caplog.records if record.name == "yett.drf"]
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("JWK_URL: ")


def test_key_set_is_never_asked_for_a_shared_secret(keys: KeyServer) -> None:
    backend = TokenBackend("HS256", SECRET, jwk_url=keys.url)
    assert backend.decode(backend.encode({"a": 1})) == {"a": 1}
    assert (backend.jwks_client, keys.asked) == (None, 0)


def test_unverified_reading_asks_for_no_key(keys: KeyServer) -> None:
    backend = TokenBackend("RS256", jwk_url=keys.url)
    assert backend.decode(signed("two", 1), verify=False) == {"a": 1}
    assert keys.asked == 0


def test_key_set_over_http_from_elsewhere_must_be_called_a_danger() -> None:
    url = "http://keys.test/jwks.json"
    with pytest.raises(ImproperlyConfigured, match="SIMPLE_JWT: JWK_URL"):
        TokenBackend("RS256", jwk_url=url)
    assert TokenBackend("RS256", jwk_url=url, danger_jwk_url_over_http=True).jwks_client
