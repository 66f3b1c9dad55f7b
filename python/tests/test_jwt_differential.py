"""`yett.jwt` and the real PyJWT on the same random tokens: the same claims, or the same exception.

Where they differ, `why_stricter` must know the reason. `yett.jwt` never accepts what PyJWT
refuses.
"""

import base64
import json
import random
import time
import warnings
from collections import Counter

import jwt as theirs
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from yett import jwt as ours

NOW = int(time.time())
SECRET = "a secret of more than thirty-two bytes"
PRIVATE = {
    "HS256": SECRET,
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
PUBLIC = {n: k if n == "HS256" else k.public_key() for n, k in PRIVATE.items()}

TIMES = [NOW - 1000, NOW + 1000, NOW - 5, NOW + 1000.5, -1, 0, 2**70, -(2**70)]
ODD = ["12", "", None, True, [], {}, "x", 5, 1.5, ["a", "b"], ["a", 1]]
TEXTS = ["a", "b", "", "é", "a\U0001f600"]
VALUES = {
    "exp": TIMES,
    "nbf": TIMES,
    "iat": TIMES,
    "iss": TEXTS,
    "sub": TEXTS,
    "jti": TEXTS,
    "aud": ["a", "b", ["a"], ["b", "a"], []],
    "other": [*ODD, 2**100, {"deep": [{"deeper": -0.0}]}, 1e300],
}
VERIFY = [f"verify_{name}" for name in VALUES if name != "other"]


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def signed(rng, algorithm, header, payload):
    """A well signed token over any bytes."""
    text = b64(header) + b"." + b64(payload)
    signer = theirs.algorithms.get_default_algorithms()[algorithm]
    return text + b"." + b64(signer.sign(text, signer.prepare_key(PRIVATE[algorithm])))


def random_token(rng):
    # Mostly HS256, because the others only differ in the signature.
    algorithm = rng.choice(["HS256"] * 12 + list(PRIVATE))
    names = rng.sample(list(VALUES), rng.randrange(len(VALUES)))
    claims = {n: rng.choice(ODD if rng.random() < 0.08 else VALUES[n]) for n in names}
    header = {"typ": "JWT", "alg": algorithm}
    if rng.random() < 0.2:
        header["kid"] = rng.choice(["1", "", "é" * 20, "k" * 300, 5, None])
    if rng.random() < 0.05:
        header["alg"] = rng.choice(["none", "HS512", "hs256", "", None, 5, "XX"])
    if rng.random() < 0.05:
        header[rng.choice(["crit", "b64"])] = rng.choice([["x"], [], "b64", ["b64"], True, False])
    if rng.random() < 0.1:
        header["typ"] = rng.choice(["at+jwt", "", 5, None])
    ascii_only = rng.random() < 0.5
    payload = json.dumps(claims, ensure_ascii=ascii_only).encode()
    if rng.random() < 0.06:
        payload = rng.choice(
            [
                b'{"sub":"a","sub":"b"}',
                b'{"a":{"b":1,"b":2}}',
                b'{"a":NaN}',
                b'{"a":-Infinity}',
                b'{"a":1e400}',
                b'{"a":"\\ud800"}',
                b'{"a":"\xff"}',
                b"[]",
                b"",
                b"null",
                b' {"a" : 1 } ',
                b'{"a":1}x',
                b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
                b'\xef\xbb\xbf{"a":1}',
            ]
        )
    return algorithm, signed(rng, algorithm, json.dumps(header).encode(), payload)


def mutated(rng, token):
    """One change in spelling or content, anywhere."""
    place = rng.randrange(len(token))
    return rng.choice(
        [
            lambda: token[:place] + bytes([rng.randrange(256)]) + token[place + 1 :],
            lambda: token[:place] + token[place + 1 :],
            lambda: token[:place] + rng.choice([b"=", b".", b" ", b"A", b"\n"]) + token[place:],
            lambda: token + rng.choice([b"=", b"==", b"A", b"\n", b".", b"AAAA"]),
            lambda: token.replace(b".", b"=.", rng.randrange(1, 3)),
            lambda: token[:place],
            lambda: rng.choice([b" ", b"."]) + token,
        ]
    )()


def random_arguments(rng):
    arguments = {}
    if rng.random() < 0.3:
        arguments["audience"] = rng.choice(["a", "b", "", ["b", "a"], [], {"a"}, ("c",)])
    if rng.random() < 0.2:
        arguments["issuer"] = rng.choice(["a", "b", "", ["b", "a"], [], {"a"}, ("c",), {"a": 1}])
    if rng.random() < 0.1:
        arguments["subject"] = rng.choice(["a", "b", ""])
    if rng.random() < 0.3:
        arguments["leeway"] = rng.choice([0, 10, 2000, 1.0])
    if rng.random() < 0.4:
        options = {name: rng.random() < 0.5 for name in rng.sample(VERIFY, 2)}
        if rng.random() < 0.5:
            options["require"] = rng.sample(list(VALUES), rng.randrange(3))
        if rng.random() < 0.2:
            options["strict_aud"] = True
        if rng.random() < 0.1:
            options["verify_signature"] = False
        arguments["options"] = options
    return arguments


def outcome(library, token, key, algorithms, arguments):
    try:
        return "ok", library.decode(token, key, algorithms=algorithms, **arguments)
    except (library.PyJWTError, TypeError) as error:
        return type(error).__name__, str(error)


def part(token, nth):
    try:
        return json.loads(theirs.utils.base64url_decode(token.split(b".")[nth]))
    except (ValueError, IndexError):
        return None


def why_stricter(token, arguments):
    """Reasons for which `yett.jwt` may refuse, or refuse otherwise, what PyJWT does not."""
    reasons = set()
    if b"=" in token:
        reasons.add("padding")
    header, claims = part(token, 0), part(token, 1)
    if isinstance(header, dict):
        if "crit" in header or "b64" in header:
            reasons.add("extensions")
        if not isinstance(header.get("typ", ""), str):
            reasons.add("typ is no string")
        if not isinstance(header.get("kid", ""), str):
            reasons.add("alg is judged before kid")
        if header.get("alg") == "HS512":
            reasons.add("the key is too short for it, or of another family")
        if len(str(header.get("kid", ""))) > 256:
            reasons.add("long kid")
        if not isinstance(header.get("alg"), str) or not header["alg"]:
            reasons.add("alg is no name")
    if isinstance(claims, dict):
        for name in ("exp", "nbf", "iat"):
            value = claims.get(name, 0)
            # Beyond 64 bits is out of range here, and only very late or early there.
            if type(value) not in (int, float) or abs(value) >= 2**63:
                reasons.add("registered claims have their type")
        for name in ("iss", "sub", "jti"):
            if not isinstance(claims.get(name, ""), str):
                reasons.add("registered claims have their type")
        audience = claims.get("aud", ["a"])
        if not audience or (
            not isinstance(audience, str)
            and not (isinstance(audience, list) and all(isinstance(a, str) for a in audience))
        ):
            reasons.add("an empty or wrong aud is no absent one")
        if arguments.get("subject") is not None and "sub" not in claims:
            reasons.add("an expected subject must be there")
    else:
        reasons.add("JSON")
    expected = arguments.get("audience", "one")
    is_one = isinstance(expected, str) and expected
    if arguments.get("options", {}).get("strict_aud") and not is_one:
        reasons.add("strict_aud with several audiences is the caller's mistake, said at once")
    if isinstance(arguments.get("issuer"), dict):
        reasons.add("a container of the caller's is asked last")
    text = theirs.utils.base64url_decode(token.split(b".")[1]) if claims else b""
    odd = (
        b"NaN",
        b"Infinity",
        b"1e400",
        b"\\ud800",
        b'"sub":"a","sub"',
        b'"b":1,"b"',
        b"[" * 33,
        b"\xef\xbb\xbf",
    )
    if any(mark in text for mark in odd):
        reasons.add("JSON")
    return reasons


def same_refusal(their, our):
    """PyJWT decodes all parts first; here the header is judged before the signature is decoded, and
    the signature before the payload."""
    undecoded = {"InvalidSignatureError", "InvalidAlgorithmError", "InvalidTokenError"}
    return their == our or (their == "DecodeError" and our in undecoded)


@pytest.mark.parametrize("seed", range(10))
def test_both_say_the_same_or_we_know_why(seed):
    rng = random.Random(seed)
    met = Counter()
    for _ in range(600):
        algorithm, token = random_token(rng)
        if rng.random() < 0.25:
            token = mutated(rng, token)
        arguments = random_arguments(rng)
        allowed = rng.choice([[algorithm], ["RS256", "HS256", "ES256", "EdDSA"]])
        if rng.random() < 0.05:
            allowed = ["HS512"]
        key = PUBLIC[algorithm]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            their = outcome(theirs, token, key, allowed, arguments)
            our = outcome(ours, token, key, allowed, arguments)
        what = (token, arguments, their, our)
        met[their[0], our[0]] += 1
        if our[0] == "ok":
            assert their == our, what
        elif not same_refusal(their[0], our[0]):
            assert why_stricter(token, arguments), what
    # The comparison is worth something only if there was something to accept and to refuse.
    assert met["ok", "ok"] > 30 and len(met) > 8, met
