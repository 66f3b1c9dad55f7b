"""The environ that an application gets (PEP 3333), as `wsgiref.validate` and the tests see it.

Also: nothing that a client sends can stand under a name that Yett itself sets.
"""

import pytest

from .wire import HOST, chunked


@pytest.fixture
def mirror(serve):
    """Return a server that answers with the environ."""
    return serve("mirror:application", "--workers", "1")


def test_environ_says_what_was_asked(mirror):
    told = mirror.request("PUT", "/a/b?c=d&e", body=b"12345").json()
    assert told["REQUEST_METHOD"] == "PUT"
    assert told["SCRIPT_NAME"] == ""
    assert told["PATH_INFO"] == "/a/b"
    assert told["QUERY_STRING"] == "c=d&e"
    assert told["REQUEST_URI"] == "/a/b?c=d&e"
    assert told["CONTENT_LENGTH"] == "5"
    assert told["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert told["wsgi.url_scheme"] == "http"


def test_environ_says_who_asked_whom(mirror):
    with mirror.wire() as wire:
        told = wire.get("/").json()
        port = wire.socket.getsockname()[1]
    assert told["SERVER_NAME"] == "127.0.0.1"
    assert told["SERVER_PORT"] == str(mirror.port)
    assert told["REMOTE_ADDR"] == "127.0.0.1"
    assert told["REMOTE_PORT"] == str(port)
    assert told["HTTP_HOST"] == "127.0.0.1"


def test_environ_says_how_the_server_works(mirror):
    told = mirror.get("/").json()
    assert told["wsgi.version"] == "<tuple>"
    assert told["wsgi.multithread"] is True
    assert told["wsgi.multiprocess"] is True
    assert told["wsgi.run_once"] is False
    assert told["wsgi.input_terminated"] is True


def test_environ_of_one_thread_says_so(serve):
    server = serve("mirror:application", "--workers", "1", "--threads", "1")
    told = server.get("/").json()
    assert (told["wsgi.multithread"], told["wsgi.multiprocess"]) == (False, True)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/a%20b", "/a b"),
        ("/%C3%A4", "/Ã¤"),
        ("/%FF", "/ÿ"),
        ("/a%2Fb", "/a/b"),
        ("/a+b", "/a+b"),
        ("//a", "//a"),
        ("/%25", "/%"),
        ("/a;b", "/a;b"),
    ],
)
def test_path_is_decoded_once_into_latin_1(mirror, target, path):
    assert mirror.get(target).json()["PATH_INFO"] == path


def test_query_is_left_as_it_came(mirror):
    assert mirror.get("/?a=%20%ZZ&b=../x").json()["QUERY_STRING"] == "a=%20%ZZ&b=../x"
    assert mirror.get("/?").json()["QUERY_STRING"] == ""
    assert mirror.get("/").json()["QUERY_STRING"] == ""


def test_request_without_a_body_has_no_length(mirror):
    told = mirror.get("/").json()
    assert told.get("CONTENT_LENGTH") in (None, "")
    assert "HTTP_CONTENT_LENGTH" not in told


def test_chunked_body_has_its_true_length_and_no_transfer_encoding(mirror):
    with mirror.wire() as wire:
        wire.ask("POST", "/", "Transfer-Encoding: chunked")
        wire.send(chunked(b"12345", b"678"))
        told = wire.hear("POST").json()
    assert told["CONTENT_LENGTH"] == "8"
    assert "HTTP_TRANSFER_ENCODING" not in told


def test_content_type_stands_without_http(mirror):
    told = mirror.request("POST", "/", "Content-Type: text/x-test", body=b"1").json()
    assert told["CONTENT_TYPE"] == "text/x-test"
    assert "HTTP_CONTENT_TYPE" not in told


def test_repeated_headers_are_joined_by_commas(mirror):
    told = mirror.get("/", "X-A: 1", "Accept: b", "X-A: 2", "x-a: 3", "Accept: c").json()
    assert told["HTTP_X_A"] == "1,2,3"
    assert told["HTTP_ACCEPT"] == "b,c"


def test_repeated_cookies_are_joined_by_semicolons(mirror):
    assert mirror.get("/", "Cookie: a=1", "Cookie: b=2").json()["HTTP_COOKIE"] == "a=1; b=2"


def test_header_value_is_latin_1(mirror):
    assert mirror.get("/", "X-A: \xe4\xff").json()["HTTP_X_A"] == "\xe4\xff"


def test_header_value_has_no_blanks_around_it(mirror):
    assert mirror.get("/", "X-A: \t a b  ").json()["HTTP_X_A"] == "a b"


def test_header_name_with_an_underscore_is_dropped(mirror):
    told = mirror.get("/", "X_Token: forged", "X-Token: true").json()
    assert told["HTTP_X_TOKEN"] == "true"


def test_proxy_header_is_dropped(mirror):
    assert "HTTP_PROXY" not in mirror.get("/", "Proxy: http://evil.test/").json()


def test_headers_of_the_connection_are_dropped(mirror):
    told = mirror.get(
        "/", "Connection: keep-alive, X-Hop", "Keep-Alive: 5", "TE: trailers", "X-Hop: 1"
    ).json()
    names = ("HTTP_CONNECTION", "HTTP_KEEP_ALIVE", "HTTP_TE", "HTTP_X_HOP")
    assert not [name for name in names if name in told]


def test_connection_header_cannot_strip_what_the_app_relies_on(mirror):
    answer = mirror.get("/", "Connection: Authorization", "Authorization: Basic eDp5")
    assert answer.status == 400


FORGED = [
    "Yett-Identity",
    "yett-identity",
    "YETT-IDENTITY",
    "X-Yett-Identity",
    "x-yett-user",
    "Yett_Identity",
    "YETT_IDENTITY",
    "X_Yett_Identity",
    "HTTP_YETT_IDENTITY",
    "yett.identity",
    "Yett.Identity",
    "HTTP_YETT.IDENTITY",
]


@pytest.mark.parametrize("name", FORGED)
def test_forged_identity_header_never_stands_under_a_name_of_yett(mirror, name):
    told = mirror.get("/", f"{name}: forged").json()
    assert "yett.identity" not in told
    assert not [key for key in told if key.startswith(("HTTP_YETT_", "HTTP_X_YETT_", "yett"))]


def test_forged_identity_in_trailers_is_dropped(mirror):
    with mirror.wire() as wire:
        wire.ask("POST", "/", "Transfer-Encoding: chunked", "Trailer: Yett-Identity")
        wire.send(b"1\r\nx\r\n0\r\nYett-Identity: forged\r\nX-Trailer: 1\r\n\r\n")
        told = wire.hear("POST").json()
    assert not [key for key in told if "YETT" in key.upper() or "TRAILER" in key]


def test_forged_cgi_names_do_not_change_the_environ(mirror):
    forged = ["Remote-Addr", "Server-Name", "Script-Name", "Path-Info", "Wsgi.Input"]
    told = mirror.get("/", *(f"{name}: forged" for name in forged)).json()
    assert told["REMOTE_ADDR"] == "127.0.0.1"
    assert [key for key, value in told.items() if value == "forged"] == [
        "HTTP_" + name.upper().replace("-", "_") for name in forged
    ]


def test_client_cannot_say_what_a_proxy_says_of_its_identity(mirror):
    forged = ["Remote-User", "X-SSL-Client-Verify", "Client-Cert", "X-Auth-Request-User"]
    told = mirror.get("/", *(f"{name}: forged" for name in forged)).json()
    assert "forged" not in told.values()


def test_http_1_0_without_a_host_is_served(mirror):
    answer = mirror.raw(b"GET / HTTP/1.0\r\n\r\n")
    assert b'"SERVER_PROTOCOL": "HTTP/1.0"' in answer
    assert b"HTTP_HOST" not in answer


def test_environ_of_one_request_does_not_leak_into_the_next(mirror):
    with mirror.wire() as wire:
        wire.send(b"POST /a?b HTTP/1.1\r\n%sX-Once: 1\r\nContent-Length: 1\r\n\r\nx" % HOST)
        assert wire.hear().json()["HTTP_X_ONCE"] == "1"
        told = wire.get("/").json()
    assert "HTTP_X_ONCE" not in told
    assert "CONTENT_LENGTH" not in told
