"""`yett.jwt`: what subclasses and own algorithms may change."""

import hashlib
import json
import time
import zlib

import pytest

from yett import jwt
from yett.jwt.algorithms import Algorithm, HMACAlgorithm

SECRET = "a secret of more than thirty-two bytes"
HS256 = ["HS256"]


class Compressed(jwt.PyJWT):
    def _encode_payload(self, payload, headers=None, json_encoder=None):
        return zlib.compress(json.dumps(payload).encode())

    def _decode_payload(self, decoded):
        return json.loads(zlib.decompress(decoded["payload"]))


def test_a_subclass_may_encode_payloads_its_own_way():
    one = Compressed()
    claims = {"sub": "1", "exp": int(time.time()) + 60, "other": [1, 2]}
    token = one.encode(claims, SECRET)
    assert one.decode(token, SECRET, algorithms=HS256) == claims
    with pytest.raises(jwt.DecodeError, match="payload"):
        jwt.decode(token, SECRET, algorithms=HS256)


@pytest.mark.parametrize(
    ("claims", "arguments", "error"),
    [
        ({"exp": 1}, {}, jwt.ExpiredSignatureError),
        ({"sub": 1}, {}, jwt.InvalidSubjectError),
        ({"aud": "a"}, {"audience": "b"}, jwt.InvalidAudienceError),
        ({}, {"issuer": "a"}, jwt.MissingRequiredClaimError),
        ({}, {"options": {"require": ["scope"]}}, jwt.MissingRequiredClaimError),
        ({"exp": object()}, {}, jwt.DecodeError),
    ],
)
def test_the_rules_count_for_what_a_hook_gives(claims, arguments, error):
    class Replaced(jwt.PyJWT):
        def _decode_payload(self, decoded):
            return claims

    token = jwt.encode({}, SECRET)
    with pytest.raises(error):
        Replaced().decode(token, SECRET, algorithms=HS256, **arguments)


def test_a_hook_runs_only_after_the_proof():
    class Watching(jwt.PyJWT):
        def _decode_payload(self, decoded):
            raise AssertionError("the signature was wrong")

    token = jwt.encode({}, SECRET)
    with pytest.raises(jwt.InvalidSignatureError):
        Watching().decode(token, SECRET + "!", algorithms=HS256)


def test_a_hook_may_give_values_that_are_no_json():
    class Typed(jwt.PyJWT):
        def _decode_payload(self, decoded):
            return {**super()._decode_payload(decoded), "role": {"a", "b"}}

    token = jwt.encode({"sub": "1"}, SECRET)
    options = {"require": ["role"]}
    found = Typed().decode(token, SECRET, algorithms=HS256, options=options)
    assert found == {"sub": "1", "role": {"a", "b"}}


def test_a_subclass_may_validate_more():
    class Picky(jwt.PyJWT):
        def _validate_claims(self, payload, options, **arguments):
            super()._validate_claims(payload, options, **arguments)
            if payload.get("role") != "admin":
                raise jwt.InvalidTokenError("no admin")

    one = Picky()
    assert one.decode(jwt.encode({"role": "admin"}, SECRET), SECRET, algorithms=HS256)
    with pytest.raises(jwt.InvalidTokenError, match="no admin"):
        one.decode(jwt.encode({}, SECRET), SECRET, algorithms=HS256)
    with pytest.raises(jwt.ExpiredSignatureError):
        one.decode(jwt.encode({"role": "admin", "exp": 1}, SECRET), SECRET, algorithms=HS256)


def test_a_subclass_may_wrap_decode_complete():
    class Wrapped(jwt.PyJWT):
        def decode_complete(self, *arguments, **named):
            found = super().decode_complete(*arguments, **named)
            found["payload"]["seen"] = True
            return found

    token = jwt.encode({}, SECRET)
    assert Wrapped().decode(token, SECRET, algorithms=HS256) == {"seen": True}


def test_an_instance_may_have_a_hook_of_its_own():
    one = jwt.PyJWT()
    one._decode_payload = lambda decoded: {"replaced": True}
    token = jwt.encode({}, SECRET)
    assert one.decode(token, SECRET, algorithms=HS256) == {"replaced": True}
    assert jwt.decode(token, SECRET, algorithms=HS256) == {}


def test_overriding_what_is_no_hook_is_an_error():
    with pytest.raises(TypeError, match="_validate_claims"):

        class Ignored(jwt.PyJWT):
            def _validate_exp(self, payload, now, leeway):
                """It would never be called."""


class Backwards(Algorithm):
    """An algorithm of somebody's own."""

    def prepare_key(self, key):
        if not key:
            raise jwt.InvalidKeyError("no key")
        return key.encode() if isinstance(key, str) else key

    def sign(self, msg, key):
        return hashlib.sha256(key + msg[::-1]).digest()

    def verify(self, msg, key, sig):
        return self.sign(msg, key) == sig

    @staticmethod
    def to_jwk(key_obj, as_dict=False):
        raise NotImplementedError

    @staticmethod
    def from_jwk(jwk):
        raise NotImplementedError


@pytest.fixture
def backwards():
    jwt.register_algorithm("BACK", Backwards())
    yield
    jwt.unregister_algorithm("BACK")


def test_an_own_algorithm_signs_and_proves(backwards):
    token = jwt.encode({"sub": "1"}, SECRET, algorithm="BACK")
    assert jwt.decode(token, SECRET, algorithms=["BACK"]) == {"sub": "1"}
    assert jwt.decode_complete(token, SECRET, algorithms=["BACK"])["header"]["alg"] == "BACK"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, SECRET + "!", algorithms=["BACK"])
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.decode(token, SECRET, algorithms=HS256)
    with pytest.raises(jwt.InvalidKeyError):
        jwt.decode(token, "", algorithms=["BACK"])


def test_the_rules_count_under_an_own_algorithm(backwards):
    token = jwt.encode({"exp": 1}, SECRET, algorithm="BACK")
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(token, SECRET, algorithms=["BACK"])


def test_built_in_algorithms_go_on_beside_an_own_one(backwards):
    token = jwt.encode({"sub": "1"}, SECRET)
    assert jwt.decode(token, SECRET, algorithms=["HS256", "BACK"]) == {"sub": "1"}


def test_without_it_the_algorithm_is_unknown():
    with pytest.raises(NotImplementedError):
        jwt.encode({}, SECRET, algorithm="BACK")


def test_an_algorithm_that_was_taken_away_is_unknown():
    one = jwt.PyJWS()
    token = one.encode(b"payload", SECRET)
    one.unregister_algorithm("HS256")
    with pytest.raises(NotImplementedError):
        one.encode(b"payload", SECRET)
    with pytest.raises(jwt.InvalidAlgorithmError):
        one.decode(token, SECRET, algorithms=HS256)
    one.register_algorithm("HS256", HMACAlgorithm(HMACAlgorithm.SHA256))
    assert one.decode(token, SECRET, algorithms=HS256) == b"payload"


def test_any_payload_is_signed_and_proved():
    one = jwt.PyJWS()
    for payload in (b"", b"\x00\xff", b"{", b"x" * 1000):
        assert one.decode(one.encode(payload, SECRET), SECRET, algorithms=HS256) == payload
