"""`yett.jwt.PyJWKClient`: where keys may come from, how much, and how often."""

import datetime
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
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


SECRET_JWK = {"kty": "oct", "k": "A" * 43, "kid": "leak"}


class Given(jwt.PyJWKClient):
    """Gets its sets elsewhere."""

    def __init__(self, answer, **named):
        super().__init__("https://issuer.example/keys", **named)
        self.answer = answer

    def fetch_data(self):
        return self.answer() if callable(self.answer) else self.answer


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"keys": [*jwk_set("1")["keys"], SECRET_JWK]}, "shared secret"),
        ({"keys": [SECRET_JWK]}, "shared secret"),
        ({"keys": [*jwk_set("1")["keys"], {"kty": "oct"}]}, "shared secret"),
        (jwk_set("1", "2", "1"), "same id"),
        (jwk_set(*map(str, range(129))), "more than 128"),
        ({"keys": 5}, "Invalid"),
        ([], "object"),
    ],
)
def test_a_published_set_is_judged_strictly(endpoint, answer, sentence):
    endpoint.answer = answer
    for client in (jwt.PyJWKClient(endpoint.url), Given(answer)):
        with pytest.raises((jwt.PyJWKClientError, jwt.PyJWKSetError), match=sentence):
            client.get_signing_key("1")
        assert client.jwk_set_cache.get() is None and not client._is_cooling_down()


def test_a_set_that_is_read_already_is_judged_too():
    for members in ([SECRET_JWK], jwk_set("1", "1")["keys"]):
        with pytest.raises(jwt.PyJWKClientError):
            Given(jwt.PyJWKSet(members)).get_jwk_set()


def test_names_that_occur_twice_are_refused(endpoint):
    endpoint.answer = b'{"keys": [], ' + json.dumps(jwk_set("1")).encode()[1:]
    with pytest.raises(jwt.PyJWKClientError, match="twice"):
        jwt.PyJWKClient(endpoint.url).get_jwk_set()


def test_nobody_sees_a_set_before_an_overriding_fetch_has_changed_it(endpoint):
    seen = []

    class Filtering(jwt.PyJWKClient):
        def fetch_data(self):
            data = super().fetch_data()
            seen.append(self.jwk_set_cache.get())
            return {"keys": data["keys"][:1]}

    endpoint.answer = jwk_set("1", "2")
    client = Filtering(endpoint.url)
    assert [key.key_id for key in client.get_signing_keys()] == ["1"]
    assert seen == [None]


def test_a_failure_is_shared_and_stands_for_a_while(endpoint, monkeypatch):
    client, errors = jwt.PyJWKClient(endpoint.url), []
    endpoint.status = 500
    endpoint.gate.clear()

    def ask():
        try:
            client.get_signing_key("1")
        except jwt.PyJWKClientConnectionError as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    endpoint.gate.set()
    for thread in threads:
        thread.join()
    assert len({id(error) for error in errors}) == 8 and endpoint.count == 1
    endpoint.status = 200
    with pytest.raises(jwt.PyJWKClientConnectionError):
        client.get_signing_key("1")
    monkeypatch.setattr(jwks_client, "FAILURE_COUNTS", 0.0)
    assert client.get_signing_key("1") and endpoint.count == 2


def test_after_a_failure_the_keys_at_hand_are_found_at_once(endpoint):
    client = jwt.PyJWKClient(endpoint.url, cooldown_duration=0)
    assert client.get_signing_key("1")
    endpoint.status = 500
    for _ in range(3):
        with pytest.raises(jwt.PyJWKClientConnectionError):
            client.get_signing_key("2")
        assert client.get_signing_key("1")
    assert endpoint.count == 2


def test_errors_of_an_overriding_fetch_are_its_own_threads():
    def broken():
        raise LookupError("a password")

    client = Given(broken)
    with pytest.raises(LookupError):
        client.get_jwk_set()
    with pytest.raises(jwt.PyJWKClientConnectionError, match=r"LookupError$"):
        client.get_jwk_set()


def test_nobody_waits_longer_for_another_thread_than_for_a_fetch():
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        begun.set()
        go_on.wait(10)
        return jwk_set("1")

    client = Given(slow, timeout=0.05)
    thread = threading.Thread(target=client.get_jwk_set)
    thread.start()
    begun.wait()
    with pytest.raises(jwt.PyJWKClientConnectionError, match="too long"):
        client.get_jwk_set()
    go_on.set()
    thread.join()
    assert client.get_signing_key("1")


def test_a_fetch_that_asks_for_its_own_set_is_an_error():
    client = Given(lambda: client.get_jwk_set())
    with pytest.raises(jwt.PyJWKClientError, match="fetch_data"):
        client.get_jwk_set()


def test_a_fetch_that_was_on_at_a_fork_is_not_waited_for(endpoint):
    client = jwt.PyJWKClient(endpoint.url)
    client._flight = jwks_client._Flight()
    client._flight.process = 0
    assert client.get_signing_key("1")


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_the_timeout_is_for_the_fetch_as_a_whole(head):
    is_cut = threading.Event()

    def drip(listener):
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(head)
            for _ in range(500):
                # A pause between two bytes, shorter than the timeout.
                if is_cut.wait(0.02):
                    return
                try:
                    connection.sendall(b"1")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        client = jwt.PyJWKClient(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=0.2)
        with pytest.raises(jwt.PyJWKClientConnectionError, match="timed out"):
            client.get_jwk_set()
        assert thread.is_alive()
        is_cut.set()
        thread.join()


def test_a_handshake_that_is_not_answered_is_cut():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/keys"
        with pytest.raises(jwt.PyJWKClientConnectionError, match="timed out"):
            jwt.PyJWKClient(url, timeout=0.2).get_jwk_set()


def test_keys_come_over_tls_from_whom_the_context_trusts(endpoint, tmp_path):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, KEY.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(KEY, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "both.pem").write_bytes(certificate + private)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(tmp_path / "both.pem")
    endpoint.socket = own.wrap_socket(endpoint.socket, server_side=True)
    trusts = ssl.create_default_context(cadata=certificate.decode())
    url = f"https://localhost:{endpoint.server_port}/keys"
    assert jwt.PyJWKClient(url, ssl_context=trusts).get_signing_key("1")
    with pytest.raises(jwt.PyJWKClientConnectionError, match="CERTIFICATE"):
        jwt.PyJWKClient(url).get_jwk_set()


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_a_timeout_without_an_end_is_an_error(timeout):
    with pytest.raises(jwt.PyJWKClientError, match="Timeout"):
        jwt.PyJWKClient("https://issuer.example/keys", timeout=timeout)
