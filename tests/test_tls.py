"""HTTPS by the program itself: certificates, clients' certificates, reloads, clear text."""

import hashlib
import http.client
import json
import re
import signal
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .server import Server, eventually


@dataclass(frozen=True)
class House:
    """An authority, and what it signs, as files in a folder."""

    folder: Path

    def openssl(self, *words: str) -> None:
        """Run openssl in the folder."""
        subprocess.run(
            ["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=60
        )

    def sign(self, name: str, subject: str, extensions: str) -> None:
        """Make NAME.pem and NAME.key."""
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        names = ("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        self.openssl("req", "-new", *curve, *names)
        (self.folder / f"{name}.ext").write_text(extensions)
        ours = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30")
        files = ("-in", f"{name}.csr", "-out", f"{name}.new", "-extfile", f"{name}.ext")
        self.openssl("x509", "-req", *ours, *files)
        (self.folder / f"{name}.new").rename(self.folder / f"{name}.pem")

    def server(self, name: str = "own") -> tuple[str, ...]:
        """Make a server's certificate; return the flags that name it."""
        self.sign(name, "/CN=server", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        return (
            "--tls-cert",
            str(self.folder / f"{name}.pem"),
            "--tls-key",
            str(self.folder / f"{name}.key"),
        )

    def context(self, client: str | None = None) -> ssl.SSLContext:
        """Return a client's context, with the client's own certificate."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        if client:
            context.load_cert_chain(self.folder / f"{client}.pem", self.folder / f"{client}.key")
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return a house with nothing but its authority."""
    house = House(tmp_path_factory.mktemp("pki"))
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key")
    # Without it Python 3.13 believes no authority.
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    made = ("-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "30")
    house.openssl("req", "-x509", *key, *made, *usage)
    house.sign("alice", "/O=Fish, Chips/CN=alice", "extendedKeyUsage=clientAuth")
    return house


def connect(server: Server, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    """Return a connection to a server's port by the name of this machine."""
    return http.client.HTTPSConnection("localhost", server.port, context=context, timeout=20)


def ask(server: Server, context: ssl.SSLContext, target: str = "/", **how: Any) -> Any:
    """Return the JSON that one request is answered with."""
    connection = connect(server, context)
    try:
        connection.request("GET", target, **how)
        answer = connection.getresponse()
        assert answer.status == 200
        return json.loads(answer.read())
    finally:
        connection.close()


def test_certificate_for_development_is_the_one_that_the_banner_shows(serve):
    server = serve("hello:application", "--tls-self-signed", "--workers", "1")
    assert server.address.startswith("https://127.0.0.1:")
    shown = re.search(r"SHA-256 ([0-9A-F:]+)", server.stderr)
    assert shown and "for development" in server.stderr
    certificate = ssl.get_server_certificate(("127.0.0.1", server.port))
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest().upper()
    assert shown[1].replace(":", "") == digest


def test_wsgi_application_hears_who_the_client_is(serve, authority):
    flags = (
        *authority.server(),
        *("--tls-client-auth", "optional", "--tls-client-ca", str(authority.folder / "ca.pem")),
    )
    server = serve("tls_mirror:wsgi", *flags, "--workers", "1")
    forged = {"SSL_CLIENT_VERIFY": "SUCCESS", "Ssl-Client-S-Dn": "CN=root", "HTTPS": "off"}
    told = ask(server, authority.context(), headers=forged)
    assert told["HTTPS"] == "on"
    assert told["wsgi.url_scheme"] == "https"
    assert told["SSL_PROTOCOL"] == "TLSv1.3"
    assert told["SSL_CLIENT_VERIFY"] == "NONE"
    assert told["SSL_TLS_SNI"] == "localhost"
    assert "SSL_CLIENT_S_DN" not in told
    told = ask(server, authority.context("alice"))
    assert told["SSL_CLIENT_VERIFY"] == "SUCCESS"
    assert told["SSL_CLIENT_S_DN"] == "CN=alice,O=Fish\\, Chips"
    assert told["SSL_CLIENT_I_DN"] == "CN=Test CA"
    assert told["SSL_CLIENT_CERT"].strip() in (authority.folder / "alice.pem").read_text()


def test_asgi_application_gets_the_tls_extension(serve, authority):
    flags = (
        *authority.server(),
        *("--tls-client-auth", "required", "--tls-client-ca", str(authority.folder / "ca.pem")),
    )
    server = serve("tls_mirror:asgi", *flags, "--workers", "1")
    told = ask(server, authority.context("alice"))
    assert told["scheme"] == "https"
    tls = told["tls"]
    assert tls["tls_version"] == 0x0304
    assert tls["cipher_suite"] in (0x1301, 0x1302, 0x1303)
    assert tls["client_cert_name"] == "CN=alice,O=Fish\\, Chips"
    assert tls["client_cert_error"] is None
    # Python's client sends the authority along.
    assert tls["client_cert_chain"][0] == (authority.folder / "alice.pem").read_text()
    assert tls["client_cert_chain"][1:] == [(authority.folder / "ca.pem").read_text()]
    assert tls["server_cert"] == (authority.folder / "own.pem").read_text()
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        ask(server, authority.context())


def test_asgi_application_in_clear_text_gets_no_tls_extension(serve):
    server = serve("tls_mirror:asgi", "--workers", "1")
    assert server.get("/").json() == {"scheme": "http", "tls": None}


def test_renewed_certificate_is_used_and_open_connections_go_on(serve, authority):
    server = serve("hello:application", *authority.server("renewed"), "--workers", "1")
    context = authority.context()
    with_old = connect(server, context)
    with_old.request("GET", "/")
    with_old.getresponse().read()
    old = with_old.sock.getpeercert(True)
    authority.server("renewed")
    server.send_signal(signal.SIGHUP)
    eventually(lambda: "certificate loaded" in server.stderr)
    with_new = connect(server, context)
    with_new.request("GET", "/")
    assert with_new.getresponse().read()
    assert with_new.sock.getpeercert(True) != old
    with_new.close()
    with_old.request("GET", "/")
    assert with_old.getresponse().status == 200
    assert with_old.sock.getpeercert(True) == old
    with_old.close()
    # A broken pair changes nothing, and is said.
    (authority.folder / "renewed.key").write_text("nothing")
    server.send_signal(signal.SIGHUP)
    eventually(lambda: "those from before stay in use" in server.stderr)
    told = server.command("reload")
    assert told.returncode == 1
    assert f"there is no private key in {authority.folder}/renewed.key" in told.stderr
    certificates = server.status()["tls"]["certificates"]
    assert [each["names"] for each in certificates] == [["localhost", "127.0.0.1"]]


def test_clear_text_is_told_so_and_sent_to_https(serve, authority):
    flags = (*authority.server(), "--redirect-http", "127.0.0.1:0", "--hsts", "1h")
    server = serve("hello:application", *flags, "--workers", "1")
    context = authority.context()
    plain = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    plain.request("GET", "/")
    answer = plain.getresponse()
    assert (answer.status, b"https://" in answer.read()) == (400, True)
    sends = re.search(r"http://127\.0\.0\.1:(\d+), to https", server.stderr)
    assert sends
    plain = http.client.HTTPConnection("127.0.0.1", int(sends[1]), timeout=20)
    plain.request("POST", "/a?b", headers={"Host": "localhost:80"})
    answer = plain.getresponse()
    assert answer.status == 308
    assert answer.headers["Location"] == f"https://localhost:{server.port}/a?b"
    assert answer.headers["Strict-Transport-Security"] is None
    connection = connect(server, context)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert answer.headers["Strict-Transport-Security"] == "max-age=3600"
    connection.close()


def test_listeners_that_are_bound_alike_speak_what_each_of_them_says(serve, tmp_path):
    ways = ("", "tls = false", "tls = true")
    listeners = [f'[[listener]]\nbind = "127.0.0.1:0"\n{way}\n' for way in ways]
    (tmp_path / "yett.toml").write_text("".join(listeners))
    config = ("--config", str(tmp_path / "yett.toml"), "--tls-self-signed")
    server = serve("hello:application", *config, bind=())
    schemes = [address.partition(":")[0] for address in server.addresses]
    assert schemes == ["https", "http", "https"]
    for address, scheme in zip(server.addresses, schemes, strict=True):
        port = int(address.rpartition(":")[2])
        plain = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        plain.request("GET", "/")
        assert plain.getresponse().status == (200 if scheme == "http" else 400)


def test_mistakes_are_said_before_anything_is_bound(
    yett: Callable[..., Any], authority: House, tmp_path: Path
) -> None:
    flags = authority.server("mistaken")
    (authority.folder / "mistaken.key").write_text("nothing")
    done = yett(
        "serve", "hello:application", *flags, "--tls-cert", "gone.pem", "--tls-key", "gone.key"
    )
    assert done.code == 2
    assert "3 mistakes in what TLS needs" in done.err
    assert f"no private key in {authority.folder}/mistaken.key" in done.err
    assert f"cannot read {tmp_path}/gone.pem" in done.err


def test_check_says_until_when_a_certificate_holds(yett, authority):
    apps = Path(__file__).parent / "apps"
    done = yett("check", "hello:application", "--chdir", str(apps), *authority.server())
    assert done.code == 0, done.out
    assert re.search(r"ok +certificate +localhost, 127\.0\.0\.1 until 20\d\d-", done.out)
