"""Bytes, and what Yett must make of them.

Written from RFC 9110 and RFC 9112 and from published advisories and techniques; a case's name says
what it is about. Behind each case stands the probe, a good request that asks to close: whoever is
in step afterwards answers it, whoever is not shows what became of the bytes in between.

An outcome is the statuses in their order, each 200 with what the application saw, for example
`200 POST / b'hello', 200 GET /probe b''`; `400` alone means that nothing behind it was read.
"""

from typing import Final

PROBE: Final = b"GET /probe HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"

#: What answers the probe.
PROBED: Final = "200 GET /probe b''"

HOST: Final = b"Host: a.test\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
#: `hello` in chunks.
HELLO: Final = b"5\r\nhello\r\n0\r\n\r\n"
#: What a smuggler hopes is taken for a request of its own.
HIDDEN: Final = b"GET /hidden HTTP/1.1\r\nHost: a.test\r\n\r\n"

TAKEN: Final = f"200 POST / b'hello', {PROBED}"
SEEN: Final = f"200 GET / b'', {PROBED}"


def get(*lines: bytes) -> bytes:
    """Return a GET with these header lines, and a Host."""
    return b"GET / HTTP/1.1\r\n" + HOST + b"".join(lines) + b"\r\n"


def post(*lines: bytes, body: bytes = b"") -> bytes:
    """Return a POST with these header lines, and a Host."""
    return b"POST / HTTP/1.1\r\n" + HOST + b"".join(lines) + b"\r\n" + body


def length(value: bytes) -> bytes:
    """Return a POST of `hello` whose Content-Length has this value."""
    return post(b"Content-Length: " + value + b"\r\n", body=b"hello")


def coding(line: bytes) -> bytes:
    """Return a POST of `hello` in chunks under this header line."""
    return post(line + b"\r\n", body=HELLO)


def chunks(body: bytes) -> bytes:
    """Return a POST in chunks with this body."""
    return post(CHUNKED, body=body)


def line(request_line: bytes) -> bytes:
    """Return a request with this request line, and a Host."""
    return request_line + b"\r\n" + HOST + b"\r\n"


#: Content-Length: RFC 9110 section 8.6, RFC 9112 section 6.3.
LENGTHS: Final[dict[str, tuple[bytes, str]]] = {
    "length, plain": (length(b"5"), TAKEN),
    "length, blanks around": (length(b" \t5\t "), TAKEN),
    "length, leading zeros": (length(b"005"), TAKEN),
    "length, plus sign": (length(b"+5"), "400"),
    "length, minus sign": (length(b"-5"), "400"),
    "length, minus zero": (length(b"-0"), "400"),
    "length, list of equals": (length(b"5, 5"), "400"),
    "length, list without blank": (length(b"5,5"), "400"),
    "length, list of different ones": (length(b"5, 6"), "400"),
    "length, list with an empty member": (length(b"5,"), "400"),
    "length, two numbers": (length(b"5 5"), "400"),
    "length, hexadecimal": (length(b"0x5"), "400"),
    "length, exponent": (length(b"5e0"), "400"),
    "length, decimal point": (length(b"5.0"), "400"),
    "length, underscore": (length(b"0_5"), "400"),
    "length, letter behind": (length(b"5a"), "400"),
    "length, quotes": (length(b'"5"'), "400"),
    "length, vertical tab": (length(b"\x0b5"), "400"),
    "length, form feed": (length(b"5\x0c"), "400"),
    "length, no-break space": (length(b"\xa05"), "400"),
    "length, NUL": (length(b"5\x00"), "400"),
    "length, digits of another script": (length("\u0665".encode()), "400"),
    "length, empty": (length(b""), "400"),
    "length, beyond 64 bits": (length(b"18446744073709551621"), "400"),
    "length, beyond 63 bits": (length(b"9223372036854775813"), "400"),
    "length, twice the same": (
        post(b"Content-Length: 5\r\nContent-Length: 5\r\n", body=b"hello"),
        "400",
    ),
    "length, twice": (post(b"Content-Length: 5\r\nContent-Length: 6\r\n", body=b"hello"), "400"),
    "length, twice in two cases": (
        post(b"Content-Length: 5\r\nCONTENT-LENGTH: 6\r\n", body=b"hello"),
        "400",
    ),
    "length, second one with an underscore": (
        post(b"Content-Length: 5\r\nContent_Length: 0\r\n", body=b"hello"),
        TAKEN,
    ),
    "length, underscore alone": (
        post(b"Content_Length: 5\r\n", body=b"GET /hidden HTTP/1.1\r\nX: "),
        # Without a length there is no body; what follows is a request, which swallows the probe.
        "200 POST / b'', 200 GET /hidden b''",
    ),
    "length, blank before the colon": (post(b"Content-Length : 5\r\n", body=b"hello"), "400"),
    "length, tab before the colon": (post(b"Content-Length\t: 5\r\n", body=b"hello"), "400"),
    "length, folded": (post(b"Content-Length:\r\n 5\r\n", body=b"hello"), "400"),
    "length, behind a bare CR": (post(b"X: 1\rContent-Length: 5\r\n", body=b"hello"), "400"),
    "length, behind a bare LF": (post(b"X: 1\nContent-Length: 5\r\n", body=b"hello"), "400"),
    "length, behind a NUL": (post(b"X: 1\x00Content-Length: 5\r\n", body=b"hello"), "400"),
    "length, of a GET": (
        get(b"Content-Length: 39\r\n") + HIDDEN + b"x",
        f"200 GET / {(HIDDEN + b'x')!r}, {PROBED}",
    ),
    "length, of a HEAD": (
        b"HEAD / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello",
        f"200, {PROBED}",
    ),
    "length, zero of a GET with a request behind": (
        get(b"Content-Length: 0\r\n") + HIDDEN,
        f"200 GET / b'', 200 GET /hidden b'', {PROBED}",
    ),
    "length, nominated by Connection": (
        post(b"Connection: Content-Length\r\nContent-Length: 5\r\n", body=b"hello"),
        "400",
    ),
}

#: Transfer-Encoding beside Content-Length (CL.TE, TE.CL): RFC 9112 section 6.3; CVE-2024-1135,
#: CVE-2024-6827 and their like.
BOTH: Final[dict[str, tuple[bytes, str]]] = {
    "CL.TE": (post(b"Content-Length: 6\r\n", CHUNKED, body=b"0\r\n\r\nG"), "400"),
    "TE.CL": (
        post(CHUNKED, b"Content-Length: 4\r\n", body=b"26\r\n" + HIDDEN + b"\r\n0\r\n\r\n"),
        "400",
    ),
    "both, agreeing": (post(b"Content-Length: 15\r\n", CHUNKED, body=HELLO), "400"),
    "both, length zero": (post(b"Content-Length: 0\r\n", CHUNKED, body=HELLO), "400"),
    "both, coding identity": (
        post(b"Content-Length: 5\r\nTransfer-Encoding: identity\r\n", body=b"hello"),
        "400",
    ),
    "both, coding empty": (
        post(b"Content-Length: 5\r\nTransfer-Encoding:\r\n", body=b"hello"),
        "400",
    ),
    "both, coding with an underscore": (
        post(b"Content-Length: 5\r\nTransfer_Encoding: chunked\r\n", body=b"hello"),
        TAKEN,
    ),
    "both, coding nominated by Connection": (
        post(
            b"Connection: Transfer-Encoding\r\nContent-Length: 5\r\n",
            CHUNKED,
            body=HELLO,
        ),
        "400",
    ),
    "both, coding in the trailers": (
        chunks(b"5\r\nhello\r\n0\r\nContent-Length: 50\r\nTransfer-Encoding: gzip\r\n\r\n"),
        "400",
    ),
}

#: Transfer-Encoding in odd spellings (TE.TE): RFC 9112 sections 6.1 and 7.
CODINGS: Final[dict[str, tuple[bytes, str]]] = {
    "coding, plain": (coding(b"Transfer-Encoding: chunked"), TAKEN),
    "coding, capitals": (coding(b"TRANSFER-ENCODING: CHUNKED"), TAKEN),
    "coding, no blank": (coding(b"Transfer-Encoding:chunked"), TAKEN),
    "coding, tab before": (coding(b"Transfer-Encoding:\tchunked"), TAKEN),
    "coding, blank behind": (coding(b"Transfer-Encoding: chunked "), TAKEN),
    "coding, twice": (post(CHUNKED, CHUNKED, body=HELLO), "400"),
    "coding, chunked twice in a list": (coding(b"Transfer-Encoding: chunked, chunked"), "400"),
    "coding, then another": (coding(b"Transfer-Encoding: chunked, identity"), "400"),
    "coding, another before": (coding(b"Transfer-Encoding: gzip, chunked"), "400"),
    "coding, two lines with another first": (
        post(b"Transfer-Encoding: identity\r\n", CHUNKED, body=HELLO),
        "400",
    ),
    "coding, two lines with another last": (
        post(CHUNKED, b"Transfer-Encoding: x\r\n", body=HELLO),
        "400",
    ),
    "coding, empty member before": (coding(b"Transfer-Encoding: ,chunked"), "400"),
    "coding, empty member behind": (coding(b"Transfer-Encoding: chunked,"), "400"),
    "coding, parameter": (coding(b"Transfer-Encoding: chunked;q=1"), "400"),
    "coding, quotes": (coding(b'Transfer-Encoding: "chunked"'), "400"),
    "coding, letter before": (coding(b"Transfer-Encoding: xchunked"), "400"),
    "coding, letter behind": (coding(b"Transfer-Encoding: chunkedx"), "400"),
    "coding, cut": (coding(b"Transfer-Encoding: chunke"), "501"),
    "coding, unknown": (coding(b"Transfer-Encoding: cow"), "501"),
    "coding, identity": (coding(b"Transfer-Encoding: identity"), "501"),
    "coding, gzip": (coding(b"Transfer-Encoding: gzip"), "501"),
    "coding, empty": (coding(b"Transfer-Encoding:"), "501"),
    "coding, vertical tab": (coding(b"Transfer-Encoding: \x0bchunked"), "400"),
    "coding, form feed": (coding(b"Transfer-Encoding: chunked\x0c"), "400"),
    "coding, NUL": (coding(b"Transfer-Encoding: chunked\x00"), "400"),
    "coding, no-break space": (coding(b"Transfer-Encoding: \xa0chunked"), "400"),
    "coding, blank before the colon": (coding(b"Transfer-Encoding : chunked"), "400"),
    "coding, blank in front of the name": (coding(b" Transfer-Encoding: chunked"), "400"),
    "coding, folded": (coding(b"Transfer-Encoding:\r\n chunked"), "400"),
    "coding, folded at its end": (coding(b"Transfer-Encoding: chunked\r\n "), "400"),
    "coding, behind a bare CR": (coding(b"X: 1\rTransfer-Encoding: chunked"), "400"),
    "coding, behind a bare LF": (coding(b"X: 1\nTransfer-Encoding: chunked"), "400"),
    "coding, name with a long s": (coding("Tran\u017ffer-Encoding: chunked".encode()), "400"),
    "coding, of HTTP/1.0": (
        b"POST / HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n" + HELLO,
        "400",
    ),
    "coding, of HTTP/1.0 kept alive": (
        b"POST / HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n" + CHUNKED + b"\r\n" + HELLO,
        "400",
    ),
    "coding, of a GET": (
        get(CHUNKED) + HELLO,
        f"200 GET / b'hello', {PROBED}",
    ),
}

#: Chunks: RFC 9112 section 7.1.
CHUNKS: Final[dict[str, tuple[bytes, str]]] = {
    "chunk, capitals": (
        chunks(b"A\r\n0123456789\r\n0\r\n\r\n"),
        f"200 POST / b'0123456789', {PROBED}",
    ),
    "chunk, leading zeros": (chunks(b"0005\r\nhello\r\n0\r\n\r\n"), TAKEN),
    "chunk, last one of several zeros": (chunks(b"5\r\nhello\r\n000\r\n\r\n"), TAKEN),
    "chunk, zeros without end": (chunks(b"0" * 300 + b"5\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, 0x": (chunks(b"0x5\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, plus sign": (chunks(b"+5\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, minus sign": (chunks(b"-5\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, underscore": (chunks(b"0_5\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, beyond 64 bits": (chunks(b"10000000000000005\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, beyond 32 bits": (
        # Nothing cuts the number: the rest of four gigabytes is waited for.
        chunks(b"100000005\r\nhello\r\n0\r\n\r\n"),
        "400",
    ),
    "chunk, blank before": (chunks(b" 5\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, blank behind": (chunks(b"5 \r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, tab behind": (chunks(b"5\t\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, blank before the extension": (chunks(b"5 ;a\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, no size": (chunks(b"\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, extension": (chunks(b"5;a=b\r\nhello\r\n0;c\r\n\r\n"), TAKEN),
    "chunk, extension in quotes": (chunks(b'5;a="b;c"\r\nhello\r\n0\r\n\r\n'), TAKEN),
    "chunk, extension that is long": (
        chunks(b"5;" + b"a" * 4096 + b"\r\nhello\r\n0\r\n\r\n"),
        "400",
    ),
    "chunk, extension with a bare LF": (
        chunks(b"5;a\nhello\r\n0\r\n\r\n"),
        "400",
    ),
    "chunk, extension with a bare CR": (chunks(b"5;a\rb\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, extension with a NUL": (chunks(b"5;a\x00\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, size ended by LF": (chunks(b"5\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, size ended by CR": (chunks(b"5\rhello\r\n0\r\n\r\n"), "400"),
    "chunk, data ended by LF": (chunks(b"5\r\nhello\n0\r\n\r\n"), "400"),
    "chunk, data not ended": (chunks(b"5\r\nhello0\r\n\r\n"), "400"),
    "chunk, data longer than said": (chunks(b"4\r\nhello\r\n0\r\n\r\n"), "400"),
    "chunk, data ended by two other bytes": (chunks(b"5\r\nhelloXX0\r\n\r\n"), "400"),
    "chunk, last one ended by LF": (chunks(b"5\r\nhello\r\n0\n\r\n"), "400"),
    "chunk, trailers ended by LF": (chunks(b"5\r\nhello\r\n0\r\n\n"), "400"),
    "chunk, no empty line behind the last": (chunks(b"5\r\nhello\r\n0\r\n"), "400"),
    "trailer": (chunks(b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"), TAKEN),
    "trailer, names that matter": (
        chunks(b"5\r\nhello\r\n0\r\nAuthorization: x\r\nHost: b.test\r\n\r\n"),
        "400",
    ),
    "trailer, blank before the colon": (chunks(b"5\r\nhello\r\n0\r\nX : 1\r\n\r\n"), "400"),
    "trailer, no colon": (chunks(b"5\r\nhello\r\n0\r\nX\r\n\r\n"), "400"),
    "trailer, folded": (chunks(b"5\r\nhello\r\n0\r\nX: 1\r\n 2\r\n\r\n"), "400"),
    "trailer, bare LF": (chunks(b"5\r\nhello\r\n0\r\nX: 1\n\r\n"), "400"),
    "trailer, too many": (
        chunks(b"5\r\nhello\r\n0\r\n" + b"X: 1\r\n" * 3000 + b"\r\n"),
        "400",
    ),
}

#: Lines and names: RFC 9112 sections 2.2 and 5.
HEADERS: Final[dict[str, tuple[bytes, str]]] = {
    "header, blank before the colon": (get(b"X : 1\r\n"), "400"),
    "header, tab before the colon": (get(b"X\t: 1\r\n"), "400"),
    "header, blank in the name": (get(b"X Y: 1\r\n"), "400"),
    "header, no name": (get(b": 1\r\n"), "400"),
    "header, no colon": (get(b"X\r\n"), "400"),
    "header, empty value": (get(b"X:\r\n"), SEEN),
    "header, name of other bytes": (get(b"X\xe9: 1\r\n"), "400"),
    "header, name with a bracket": (get(b"X(: 1\r\n"), "400"),
    "header, name with a NUL": (get(b"X\x00: 1\r\n"), "400"),
    "header, value of other bytes": (get(b"X: \xe9\xff\r\n"), SEEN),
    "header, value with a NUL": (get(b"X: a\x00b\r\n"), "400"),
    "header, value with a control character": (get(b"X: a\x01b\r\n"), "400"),
    "header, value with a bare CR": (get(b"X: a\rb\r\n"), "400"),
    "header, folded": (get(b"X: a\r\n b\r\n"), "400"),
    "header, folded with a tab": (get(b"X: a\r\n\tb\r\n"), "400"),
    "header, first one folded": (b"GET / HTTP/1.1\r\n X: a\r\n" + HOST + b"\r\n", "400"),
    "header, ended by LF": (get(b"X: a\n"), "400"),
    "header, ended by CR CR LF": (get(b"X: a\r\r\n"), "400"),
    "header, all lines ended by LF": (b"GET / HTTP/1.1\nHost: a.test\n\n", "400"),
    "header, end of the head is LF CR": (b"GET / HTTP/1.1\r\n" + HOST + b"\n\r", "400"),
    "header, request behind a bare CR": (
        get(b"X: 1\r\r" + HIDDEN[:-4] + b"\r\n"),
        "400",
    ),
    "header, line that is long": (get(b"X: " + b"a" * 100_000 + b"\r\n"), "431"),
    "header, very many": (get(*[b"X-%d: 1\r\n" % n for n in range(300)]), "431"),
}

#: Request lines: RFC 9112 section 3, RFC 9110 section 2.5.
LINES: Final[dict[str, tuple[bytes, str]]] = {
    "line, two blanks": (line(b"GET  / HTTP/1.1"), "400"),
    "line, tab": (line(b"GET\t/ HTTP/1.1"), "400"),
    "line, tab before the version": (line(b"GET /\tHTTP/1.1"), "400"),
    "line, two blanks before the version": (line(b"GET /  HTTP/1.1"), "505"),
    "line, blank behind": (line(b"GET / HTTP/1.1 "), "400"),
    "line, blank in front": (line(b" GET / HTTP/1.1"), "400"),
    "line, blank in the target": (line(b"GET /a b HTTP/1.1"), "505"),
    "line, bytes in the target": (line(b"GET /\xe9 HTTP/1.1"), "400"),
    "line, NUL in the target": (line(b"GET /\x00 HTTP/1.1"), "400"),
    "line, no version": (b"GET /\r\n", "400"),
    "line, HTTP/0.9": (line(b"GET / HTTP/0.9"), "505"),
    "line, HTTP/1.2": (line(b"GET / HTTP/1.2"), "505"),
    "line, HTTP/2.0": (line(b"GET / HTTP/2.0"), "505"),
    "line, HTTP/1.10": (line(b"GET / HTTP/1.10"), "400"),
    "line, HTTP/01.1": (line(b"GET / HTTP/01.1"), "505"),
    "line, lower case version": (line(b"GET / http/1.1"), "505"),
    "line, another protocol": (line(b"GET / ICAP/1.1"), "505"),
    "line, method in lower case": (line(b"get / HTTP/1.1"), "400"),
    "line, method with a bracket": (line(b"G(ET / HTTP/1.1"), "400"),
    "line, empty one in front": (b"\r\n" + get(), SEEN),
    "line, two empty ones in front": (b"\r\n\r\n" + get(), "400"),
    "line, LF in front": (b"\n" + get(), "400"),
    "line, ended by LF": (b"GET / HTTP/1.1\n" + HOST + b"\r\n", "400"),
    "line, dots": (line(b"GET /a/../b HTTP/1.1"), "400"),
    "line, encoded dots": (line(b"GET /a/%2e%2e/b HTTP/1.1"), "400"),
    "line, fragment": (line(b"GET /#a HTTP/1.1"), "400"),
    "line, encoded line end": (
        line(b"GET /a%0d%0aX:%201 HTTP/1.1"),
        f"200 GET /a\r\nX: 1 b'', {PROBED}",
    ),
    "line, absolute": (line(b"GET http://a.test/ HTTP/1.1"), SEEN),
    "line, absolute of another host": (line(b"GET http://b.test/ HTTP/1.1"), "400"),
    "line, absolute with a user": (line(b"GET http://u@a.test/ HTTP/1.1"), "400"),
    "line, absolute of another scheme": (line(b"GET ftp://a.test/ HTTP/1.1"), "400"),
    "line, authority alone": (line(b"GET a.test:80 HTTP/1.1"), "400"),
    "line, CONNECT": (line(b"CONNECT a.test:80 HTTP/1.1"), "501"),
    "line, asterisk of a GET": (line(b"GET * HTTP/1.1"), "400"),
    "line, asterisk of OPTIONS": (line(b"OPTIONS * HTTP/1.1"), f"200, {PROBED}"),
    "line, no slash": (line(b"GET a HTTP/1.1"), "400"),
    # It is one: what follows is read as frames of HTTP/2, and is none.
    "line, preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "no HTTP"),
    "line, preface of HTTP/2 behind a request": (
        get() + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "200 GET / b'', 505",
    ),
}

#: Hosts: RFC 9112 section 3.2.
HOSTS: Final[dict[str, tuple[bytes, str]]] = {
    "host, none": (b"GET / HTTP/1.1\r\n\r\n", "400"),
    "host, none in HTTP/1.0": (b"GET / HTTP/1.0\r\n\r\n", "200 GET / b''"),
    "host, two": (get(b"Host: b.test\r\n"), "400"),
    "host, two equal": (get(HOST), "400"),
    "host, list": (b"GET / HTTP/1.1\r\nHost: a.test, b.test\r\n\r\n", "400"),
    "host, empty": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", "400"),
    "host, with a user": (b"GET / HTTP/1.1\r\nHost: u@a.test\r\n\r\n", "400"),
    "host, with a path": (b"GET / HTTP/1.1\r\nHost: a.test/x\r\n\r\n", "400"),
    "host, with a blank": (b"GET / HTTP/1.1\r\nHost: a.test b\r\n\r\n", "400"),
    "host, port that is none": (b"GET / HTTP/1.1\r\nHost: a.test:x\r\n\r\n", "400"),
    "host, second one behind a blank": (get(b" Host: b.test\r\n"), "400"),
    "host, second one with a blank before the colon": (get(b"Host : b.test\r\n"), "400"),
}

#: Connections: RFC 9112 section 9, RFC 9110 sections 7.6 to 7.8 and 10.1.1.
CONNECTIONS: Final[dict[str, tuple[bytes, str]]] = {
    "connection, close with a request behind": (
        get(b"Connection: close\r\n") + HIDDEN,
        "200 GET / b''",
    ),
    "connection, close among others": (get(b"Connection: x, Close\r\n") + HIDDEN, "200 GET / b''"),
    "connection, nominates Host": (get(b"Connection: Host\r\n"), "400"),
    "connection, nominates a forwarding header": (
        get(b"Connection: X-Forwarded-For\r\nX-Forwarded-For: 1.2.3.4\r\n"),
        "400",
    ),
    "connection, nominates its own": (get(b"Connection: X-Own\r\nX-Own: 1\r\n"), SEEN),
    "connection, HTTP/1.0 with a request behind": (
        b"GET / HTTP/1.0\r\n\r\n" + HIDDEN,
        "200 GET / b''",
    ),
    "connection, HTTP/1.0 kept alive": (
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        SEEN,
    ),
    "connection, both words": (get(b"Connection: keep-alive, close\r\n") + HIDDEN, "200 GET / b''"),
    "upgrade, h2c": (
        get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
        SEEN,
    ),
    "upgrade, h2c with a request behind": (
        get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")
        + HIDDEN,
        f"200 GET / b'', 200 GET /hidden b'', {PROBED}",
    ),
    "upgrade, WebSocket to an app that has none": (
        get(
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        )
        + HIDDEN,
        f"200 GET / b'', 200 GET /hidden b'', {PROBED}",
    ),
    "expect, 100-continue": (
        post(b"Expect: 100-continue\r\nContent-Length: 5\r\n", body=b"hello"),
        TAKEN,
    ),
    "expect, capitals": (
        post(b"Expect: 100-Continue\r\nContent-Length: 5\r\n", body=b"hello"),
        TAKEN,
    ),
    "expect, unknown": (post(b"Expect: x\r\nContent-Length: 5\r\n", body=b"hello"), "417"),
    "expect, twice": (
        post(
            b"Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n", body=b"hello"
        ),
        "417",
    ),
    "expect, folded": (
        post(b"Expect:\r\n 100-continue\r\nContent-Length: 5\r\n", body=b"hello"),
        "400",
    ),
    "expect, of a GET without a body": (get(b"Expect: 100-continue\r\n"), SEEN),
    "pipelined, bytes behind a body": (length(b"5") + b"xyz\r\n", "200 POST / b'hello', 400"),
    "pipelined, request behind a body": (
        length(b"5") + HIDDEN,
        f"200 POST / b'hello', 200 GET /hidden b'', {PROBED}",
    ),
    "pipelined, request in a body": (
        post(b"Content-Length: 38\r\n", body=HIDDEN),
        f"200 POST / {HIDDEN!r}, {PROBED}",
    ),
    "pipelined, empty lines between": (get() + b"\r\n", SEEN),
    "pipelined, TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"),
}

#: Every case: bytes, and what Yett must make of them.
CASES: Final[dict[str, tuple[bytes, str]]] = {
    **LENGTHS,
    **BOTH,
    **CODINGS,
    **CHUNKS,
    **HEADERS,
    **LINES,
    **HOSTS,
    **CONNECTIONS,
}
