"""`yett.jwt`: what `decode` accepts and refuses, and what `encode` makes."""

import base64
import datetime
import hashlib
import hmac
import json
import time

import pytest

from yett import jwt

SECRET = "a secret of more than thirty-two bytes"
HS256 = ["HS256"]


def part(content):
    """A part of a token, from bytes or from what is to be JSON."""
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def forged(payload, header=None, secret=SECRET):
    """A well signed HS256 token with any header and payload, also ones that `encode` refuses."""
    signed = f"{part({'alg': 'HS256'} if header is None else header)}.{part(payload)}"
    mac = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{part(mac)}"


def decode(token, **arguments):
    return jwt.decode(token, SECRET, algorithms=HS256, **arguments)


def test_claims_come_back_as_they_went_in():
    claims = {
        "sub": "42",
        "big": 2**200,
        "negative": -(2**63),
        "unsigned": 2**64 - 1,
        "float": 1.5,
        "exponent": 1e300,
        "zero": -0.0,
        "text": 'ü "quoted" \\ \n \U0001f600',
        "nested": {"list": [1, None, True, False, {"deep": []}], "empty": {}},
    }
    found = decode(jwt.encode(claims, SECRET))
    assert found == claims
    assert list(found) == list(claims)
    assert type(found["big"]) is int and type(found["float"]) is float


def test_header_is_sorted_and_compact():
    header = jwt.encode({}, SECRET, headers={"kid": "1"}).split(".")[0]
    assert base64.urlsafe_b64decode(header + "==") == b'{"alg":"HS256","kid":"1","typ":"JWT"}'


def test_datetimes_become_whole_seconds():
    moment = datetime.datetime(2100, 1, 1, 0, 0, 0, 999_999, tzinfo=datetime.timezone.utc)
    token = jwt.encode({"exp": moment}, SECRET)
    assert decode(token) == {"exp": 4_102_444_800}


@pytest.mark.parametrize("algorithm", ["none", None])
def test_unsigned_tokens_are_not_made(algorithm):
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.encode({}, "", algorithm=algorithm)


@pytest.mark.parametrize("name", ["none", "None", "NONE"])
def test_unsigned_tokens_are_not_accepted(name):
    token = f"{part({'alg': name})}.{part({'sub': '1'})}."
    for allowed in ([name], ["HS256", name]):
        with pytest.raises(jwt.InvalidAlgorithmError):
            jwt.decode(token, SECRET, algorithms=allowed)
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.decode(token, "", algorithms=[name])


def test_unsigned_tokens_can_be_read_without_proof():
    token = f"{part({'alg': 'none'})}.{part({'sub': '1'})}."
    assert jwt.decode(token, options={"verify_signature": False}) == {"sub": "1"}


def test_algorithms_must_be_named():
    token = jwt.encode({}, SECRET)
    for nothing in (None, [], ()):
        with pytest.raises(jwt.DecodeError, match="algorithms"):
            jwt.decode(token, SECRET, algorithms=nothing)


def test_a_string_is_one_algorithm_not_a_text_to_search():
    token = jwt.encode({}, SECRET)
    assert jwt.decode(token, SECRET, algorithms="HS256") == {}
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.decode(token, SECRET, algorithms="HS256HS384")


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset, iter])
def test_algorithms_may_be_any_collection(kind):
    token = jwt.encode({}, SECRET)
    assert jwt.decode(token, SECRET, algorithms=kind(["HS384", "HS256"])) == {}


def test_the_header_chooses_within_the_list_alone():
    token = jwt.encode({}, "s" * 64, algorithm="HS512")
    assert jwt.decode(token, "s" * 64, algorithms=["HS256", "HS512"]) == {}
    for allowed in (["HS256"], ["HS256", "HS384"]):
        with pytest.raises(jwt.InvalidAlgorithmError):
            jwt.decode(token, "s" * 64, algorithms=allowed)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256", "crit": ["exp"], "exp": 1},
        {"alg": "HS256", "crit": []},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
        {"alg": "HS256", "b64": True},
    ],
)
def test_critical_extensions_are_refused(header):
    token = forged({}, header)
    with pytest.raises(jwt.InvalidTokenError, match="extension"):
        decode(token)
    with pytest.raises(jwt.InvalidTokenError, match="extension"):
        jwt.get_unverified_header(token)
    if header.get("b64") is not True:
        with pytest.raises(jwt.InvalidTokenError):
            jwt.encode({}, SECRET, headers=header)


def test_any_type_in_the_header_is_accepted_as_with_pyjwt():
    assert decode(forged({}, {"alg": "HS256", "typ": "at+jwt"})) == {}


@pytest.mark.parametrize(
    "payload",
    [
        b'{"sub":"1","sub":"2"}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"a":01}',
        b"{} {}",
        b"[]",
        b"1",
        b"",
        b"\xff",
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b'{"a":' + b"9" * 4301 + b"}",
    ],
)
def test_json_that_others_read_differently_is_refused(payload):
    with pytest.raises(jwt.DecodeError, match="payload"):
        decode(forged(payload))


@pytest.mark.parametrize(
    "claims",
    [
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": "\ud800"},
        {1: "a", "1": "b"},
    ],
)
def test_what_would_be_refused_is_not_signed(claims):
    with pytest.raises(ValueError):
        jwt.encode(claims, SECRET)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token + "=",
        lambda token: token + "==",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token.replace(".", ".=", 1),
        lambda token: token + ".",
        lambda token: token.rpartition(".")[0],
        lambda token: token[:-1] + chr(ord(token[-1]) + 1),
        lambda token: "",
        lambda token: "..",
        lambda token: token.encode() + b"\xff",
        lambda token: token + "\ud800",
    ],
)
def test_a_token_has_one_spelling(change):
    with pytest.raises(jwt.DecodeError):
        decode(change(jwt.encode({"sub": "1"}, SECRET)))


def test_long_tokens_are_neither_made_nor_read():
    with pytest.raises(jwt.InvalidTokenError, match="65536"):
        jwt.encode({"a": "x" * 49_100}, SECRET)
    with pytest.raises(jwt.DecodeError, match="65536"):
        decode(forged({"a": "x" * 49_100}))
    assert len(decode(jwt.encode({"a": "x" * 48_000}, SECRET))["a"]) == 48_000


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"exp": "99999999999"}, jwt.DecodeError),
        ({"exp": None}, jwt.DecodeError),
        ({"exp": True}, jwt.DecodeError),
        ({"nbf": "1"}, jwt.DecodeError),
        ({"iat": "1"}, jwt.InvalidIssuedAtError),
        ({"iss": 1}, jwt.InvalidIssuerError),
        ({"sub": 1}, jwt.InvalidSubjectError),
        ({"jti": 1}, jwt.InvalidJTIError),
        ({"aud": 1}, jwt.InvalidAudienceError),
        ({"aud": None}, jwt.InvalidAudienceError),
        ({"aud": ["a", 1]}, jwt.InvalidAudienceError),
    ],
)
def test_registered_claims_have_their_type(claims, error):
    with pytest.raises(error):
        decode(forged(claims))


@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "sub", "jti", "iss", "aud"])
def test_a_claim_that_is_not_verified_may_be_anything(name):
    token = forged({name: [{"not": "right"}]})
    with pytest.raises(jwt.InvalidTokenError):
        decode(token)
    assert name in decode(token, options={f"verify_{name}": False})


def test_skipping_one_claim_does_not_skip_another():
    token = forged({"exp": 1, "sub": 5})
    with pytest.raises(jwt.ExpiredSignatureError):
        decode(token, options={"verify_sub": False})
    with pytest.raises(jwt.InvalidSubjectError):
        decode(token, options={"verify_exp": False})


def test_required_claims_must_be_there():
    options = {"require": ["exp", "scope"]}
    later = int(time.time()) + 60
    assert decode(forged({"exp": later, "scope": ""}), options=options)
    for claims in ({"exp": later}, {"exp": later, "scope": None}):
        with pytest.raises(jwt.MissingRequiredClaimError) as caught:
            decode(forged(claims), options=options)
        assert caught.value.claim == "scope"


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("a", "a"),
        (["a", "b"], "b"),
        ("a", ["b", "a"]),
        ("a", {"a"}),
        ("a", (name for name in "ba")),
    ],
)
def test_audience_is_accepted(claim, expected):
    assert decode(forged({"aud": claim}), audience=expected)


@pytest.mark.parametrize("expected", ["", "A", "aa", [], ["b"], [b"a"], b"a", [1]])
def test_another_audience_is_refused(expected):
    with pytest.raises(jwt.InvalidAudienceError):
        decode(forged({"aud": "a"}), audience=expected)


def test_no_audience_at_all_is_accepted_by_an_empty_list():
    with pytest.raises(jwt.MissingRequiredClaimError):
        decode(forged({}), audience=[])


def test_an_audience_that_nobody_expected_is_refused():
    for claim in ("a", "", []):
        with pytest.raises(jwt.InvalidAudienceError):
            decode(forged({"aud": claim}))


def test_strict_audience_is_one_string():
    strict = {"strict_aud": True}
    assert decode(forged({"aud": "a"}), audience="a", options=strict)
    for claim, expected in ((["a"], "a"), ("a", ["a"]), ("a", "b")):
        with pytest.raises(jwt.InvalidAudienceError, match="strict"):
            decode(forged({"aud": claim}), audience=expected, options=strict)


class Domain:
    """A container that nobody has listed."""

    def __contains__(self, issuer):
        return issuer.endswith(".example")


@pytest.mark.parametrize(
    "expected",
    ["a.example", ["b", "a.example"], {"a.example"}, {"a.example": 1}, Domain()],
)
def test_issuer_is_accepted(expected):
    assert decode(forged({"iss": "a.example"}), issuer=expected)


@pytest.mark.parametrize("expected", ["", "a", "A.example", [], {}, ["b"], [1], Domain(), 5])
def test_another_issuer_is_refused(expected):
    with pytest.raises(jwt.InvalidIssuerError):
        decode(forged({"iss": "a.example."}), issuer=expected)
    with pytest.raises(jwt.MissingRequiredClaimError):
        decode(forged({}), issuer=expected)


def test_an_expected_subject_must_be_there():
    assert decode(forged({"sub": "1"}), subject="1")
    with pytest.raises(jwt.InvalidSubjectError):
        decode(forged({"sub": "2"}), subject="1")
    with pytest.raises(jwt.MissingRequiredClaimError):
        decode(forged({}), subject="1")


def test_options_are_not_changed_and_not_remembered():
    options = {"verify_exp": False}
    token = forged({"exp": 1})
    assert decode(token, options=options)
    assert options == {"verify_exp": False}
    with pytest.raises(jwt.ExpiredSignatureError):
        decode(token)


def test_options_of_an_instance_may_be_changed_at_any_time():
    one = jwt.PyJWT()
    token = forged({"exp": 1})
    with pytest.raises(jwt.ExpiredSignatureError):
        one.decode(token, SECRET, algorithms=HS256)
    one.options["verify_exp"] = False
    assert one.decode(token, SECRET, algorithms=HS256)
    one.options.update(verify_exp=True)
    with pytest.raises(jwt.ExpiredSignatureError):
        one.decode(token, SECRET, algorithms=HS256)
    one.options = {**one.options, "verify_exp": False}
    assert one.decode(token, SECRET, algorithms=HS256)


def test_claims_are_judged_without_proof_when_asked():
    token = forged({"exp": 1}, secret="whatever it is")
    assert jwt.decode(token, options={"verify_signature": False})
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(token, options={"verify_signature": False, "verify_exp": True})


def test_short_secrets_are_refused_unless_told_otherwise():
    with pytest.raises(jwt.InvalidKeyError, match="below the 32"):
        jwt.encode({}, "secret")
    lax = {"enforce_minimum_key_length": False}
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.PyJWT(lax).encode({}, "secret")
    with pytest.raises(jwt.InvalidKeyError, match="below the 32"):
        jwt.decode(token, "secret", algorithms=HS256)
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        assert jwt.decode(token, "secret", algorithms=HS256, options=lax) == {}


def test_nothing_of_token_or_key_is_in_an_error():
    token = jwt.encode({"sub": "private-claim"}, SECRET)
    for key, arguments in (
        ("another " + SECRET, {}),
        (SECRET, {"audience": "x"}),
        ("short-one", {}),
        (SECRET, {"issuer": "x"}),
    ):
        with pytest.raises(jwt.PyJWTError) as caught:
            jwt.decode(token, key, algorithms=HS256, **arguments)
        text = str(caught.value) + repr(caught.value)
        assert key not in text and "private-claim" not in text and token not in text


def test_a_number_in_the_header_that_python_would_not_convert_is_refused():
    header = b'{"alg":"HS256","x":' + b"9" * 5000 + b"}"
    token = forged({}, header)
    for read in (jwt.get_unverified_header, lambda t: jwt.decode_complete(t, SECRET, HS256)):
        with pytest.raises(jwt.DecodeError, match="header"):
            read(token)


@pytest.mark.parametrize("name", [["HS256"], 5, {"HS256": 1}, b"HS256"])
def test_an_algorithm_that_is_no_name_is_a_type_error(name):
    with pytest.raises(TypeError, match="alg"):
        jwt.encode({}, "k" * 32, headers={"alg": name})
    with pytest.raises(TypeError, match="alg"):
        jwt.encode({}, "k" * 32, algorithm=name)
