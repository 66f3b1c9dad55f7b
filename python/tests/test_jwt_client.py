"""`yett.jwt.PyJWKClient`: where keys may come from, how much, and how often."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from yett import jwt
from yett.jwt import jwks_client
from yett.jwt.algorithms import ECAlgorithm

KEY = ec.generate_private_key(ec.SECP256R1())


def jwk_set(*kids):
    members = ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    return {"keys": [{**members, "alg": "ES256", "kid": kid} for kid in kids]}


class Endpoint(ThreadingHTTPServer):
    """Answers every request with `answer`, and counts."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.status, self.headers, self.answer, self.count = 200, {}, jwk_set("1"), 0
        self.gate = threading.Event()
        self.gate.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/keys"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.count += 1
        self.server.gate.wait(10)
        answer = self.server.answer
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Tests are quiet."""


@pytest.fixture
def endpoint():
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/keys",
        "http://127.0.0.1.example/keys",
        "http://localhost.example/keys",
        "http://10.0.0.1/keys",
        "http:///keys",
        "file:///etc/passwd",
        "ftp://127.0.0.1/keys",
        "data:application/json,{}",
        "",
    ],
)
def test_keys_come_from_https_alone(url):
    with pytest.raises(jwt.PyJWKClientError):
        jwt.PyJWKClient(url)


@pytest.mark.parametrize(
    "url", ["https://issuer.example/keys", "http://localhost/keys", "http://[::1]/keys"]
)
def test_this_machine_may_be_asked_without_tls(url):
    assert jwt.PyJWKClient(url).uri == url


def test_http_can_be_allowed():
    assert jwt.PyJWKClient("http://issuer.example/keys", danger_allow_http=True)


def test_a_token_finds_its_key(endpoint):
    client = jwt.PyJWKClient(endpoint.url)
    token = jwt.encode({"sub": "1"}, KEY, algorithm="ES256", headers={"kid": "1"})
    for _ in range(3):
        key = client.get_signing_key_from_jwt(token)
        assert jwt.decode(token, key) == {"sub": "1"}
        assert jwt.decode(token, key.key, algorithms=["ES256"]) == {"sub": "1"}
    assert endpoint.count == 1


def test_a_token_without_key_id_finds_none(endpoint):
    with pytest.raises(jwt.PyJWKClientError):
        jwt.PyJWKClient(endpoint.url).get_signing_key_from_jwt(
            jwt.encode({}, KEY, algorithm="ES256")
        )


def test_redirects_are_not_followed(endpoint):
    endpoint.status, endpoint.headers = 302, {"Location": endpoint.url}
    with pytest.raises(jwt.PyJWKClientConnectionError):
        jwt.PyJWKClient(endpoint.url).get_jwk_set()
    assert endpoint.count == 1


@pytest.mark.parametrize(
    "answer",
    [b"", b"no json", b"[]", b"[" * 100_000, b" " * (jwks_client.LONGEST_ANSWER + 1)],
)
def test_answers_that_are_no_set_are_errors(endpoint, answer):
    endpoint.answer = answer
    with pytest.raises(jwt.PyJWKClientError):
        jwt.PyJWKClient(endpoint.url).get_jwk_set()


def test_a_failed_refresh_leaves_the_keys(endpoint):
    client = jwt.PyJWKClient(endpoint.url)
    assert client.get_signing_key("1")
    endpoint.status = 500
    with pytest.raises(jwt.PyJWKClientConnectionError):
        client.get_jwk_set(refresh=True)
    assert client.get_signing_key("1")


def test_a_new_key_is_fetched_after_the_cooldown_alone(endpoint):
    patient = jwt.PyJWKClient(endpoint.url)
    eager = jwt.PyJWKClient(endpoint.url, cooldown_duration=0)
    for client in (patient, eager):
        assert client.get_signing_key("1")
    endpoint.answer = jwk_set("1", "2")
    with pytest.raises(jwt.PyJWKClientError):
        patient.get_signing_key("2")
    assert eager.get_signing_key("2")
    assert endpoint.count == 3


def test_many_threads_fetch_once(endpoint):
    client = jwt.PyJWKClient(endpoint.url)
    endpoint.gate.clear()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(client.get_signing_key("1"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    endpoint.gate.set()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and endpoint.count == 1


def test_members_that_are_no_keys_are_skipped(endpoint):
    endpoint.answer = jwk_set("1")
    endpoint.answer["keys"] += [None, 5, {}, {"kty": "RSA"}, {"kty": "new"}]
    assert [key.key_id for key in jwt.PyJWKClient(endpoint.url).get_signing_keys()] == ["1"]
