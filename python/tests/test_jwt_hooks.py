"""`yett.jwt`: what subclasses and own algorithms may change."""

import hashlib
import json
import time
import zlib
from collections import deque
from unittest import mock

import pytest

from yett import jwt
from yett.jwt.algorithms import Algorithm, HMACAlgorithm
from yett.jwt.utils import base64url_encode

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


class Expiry:
    """A mixin of somebody who knows how PyJWT works inside."""

    def _validate_exp(self, payload, now, leeway):
        raise jwt.ExpiredSignatureError("said the mixin")


def test_a_mixin_may_not_override_what_is_no_hook():
    with pytest.raises(TypeError, match="_validate_claims"):
        type("Mixed", (Expiry, jwt.PyJWT), {})


def test_what_stands_behind_pyjwt_overrides_nothing():
    one = type("Mixed", (jwt.PyJWT, Expiry), {})()
    assert one.decode(jwt.encode({}, SECRET), SECRET, algorithms=HS256) == {}


def test_own_names_beside_the_hooks_are_free():
    class Tenants(jwt.PyJWT):
        def _validate_tenant(self, payload):
            """Called by the program itself."""

    assert Tenants().decode(jwt.encode({}, SECRET), SECRET, algorithms=HS256) == {}


@pytest.mark.parametrize("name", ["_load", "_verify_signature", "_validate_kid"])
def test_a_pyjws_may_not_override_what_is_no_hook(name):
    with pytest.raises(TypeError, match="decode_complete"):
        type("Ignored", (jwt.PyJWS,), {name: lambda self, *arguments: None})


def test_what_is_no_hook_may_not_be_put_there_later():
    class Late(jwt.PyJWT):
        pass

    token, late = jwt.encode({}, SECRET), Late()
    assert late.decode(token, SECRET, algorithms=HS256) == {}
    Late._validate_exp = Expiry._validate_exp
    with pytest.raises(TypeError, match="_validate_claims"):
        late.decode(token, SECRET, algorithms=HS256)
    with pytest.raises(TypeError, match="_validate_claims"):
        jwt.PyJWT()._validate_exp = lambda *arguments: None
    with (
        mock.patch.object(jwt.PyJWT, "_validate_iss"),
        pytest.raises(TypeError, match="_validate_claims"),
    ):
        jwt.decode(token, SECRET, algorithms=HS256)


def deny(*arguments, **named):
    raise jwt.InvalidTokenError("revoked")


HOOKS = ["decode_complete", "_decode_payload", "_validate_claims"]


def assert_denied(decode):
    token = jwt.encode({}, SECRET)
    with pytest.raises(jwt.InvalidTokenError, match="revoked"):
        decode(token, SECRET, algorithms=HS256)
    with pytest.raises(jwt.InvalidTokenError, match="revoked"):
        decode(token, SECRET, algorithms=HS256, options={"verify_aud": False})


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_counts_that_is_put_into_a_class_later(name):
    class Late(jwt.PyJWT):
        pass

    one = Late()
    assert one.decode(jwt.encode({}, SECRET), SECRET, algorithms=HS256) == {}
    setattr(Late, name, deny)
    assert_denied(one.decode)
    if name != "decode_complete":
        assert_denied(one.decode_complete)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_counts_that_is_patched_into_pyjwt(name):
    with mock.patch.object(jwt.api_jwt.PyJWT, name, deny):
        assert_denied(jwt.decode)
        assert_denied(jwt.PyJWT().decode)
    assert jwt.decode(jwt.encode({}, SECRET), SECRET, algorithms=HS256) == {}


def test_a_proof_of_ones_own_counts():
    class Strict(jwt.PyJWS):
        decode_complete = deny

    replaced, patched = jwt.PyJWT(), jwt.PyJWT()
    replaced._jws = Strict()
    patched._jws.decode_complete = deny
    patched._jws.register_algorithm("BACK", Backwards())
    patched._jws.unregister_algorithm("BACK")
    assert_denied(replaced.decode)
    assert_denied(patched.decode)
    assert_denied(patched.decode_complete)
    with mock.patch.object(jwt.PyJWS, "decode_complete", deny):
        assert_denied(jwt.decode)


def check(self, *arguments, **named):
    """A hook that changes nothing."""
    return jwt.PyJWT._validate_claims(self, *arguments, **named)


@pytest.mark.parametrize("kind", [list, deque, set])
def test_required_claims_may_be_changed_in_place(kind):
    token, names = jwt.encode({"exp": time.time() + 60}, SECRET), kind(["exp"])
    one = jwt.PyJWT(options={"require": names})
    assert one.decode(token, SECRET, algorithms=HS256)
    add = names.add if kind is set else names.append
    add("jti")
    for decode in (one.decode, one.decode_complete):
        with pytest.raises(jwt.MissingRequiredClaimError):
            decode(token, SECRET, algorithms=HS256)
    names.remove("jti")
    assert one.decode(token, SECRET, algorithms=HS256)


@pytest.mark.parametrize(
    "kind", [jwt.PyJWT, type("Sub", (jwt.PyJWT,), {"_validate_claims": check})]
)
def test_required_claims_may_come_one_by_one(kind):
    token, one = jwt.encode({}, SECRET), kind(options={"require": iter(["exp"])})
    for options in (None, {"verify_aud": True}, {"require": iter(["exp"])}):
        with pytest.raises(jwt.MissingRequiredClaimError):
            one.decode(token, SECRET, algorithms=HS256, options=options)


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


@pytest.mark.parametrize(
    "members", [{"typ": 5}, {"kid": 5}, {"kid": "k" * 257}, {"kid": "é" * 129}]
)
def test_headers_are_judged_as_strictly_under_an_own_algorithm(backwards, members):
    with pytest.raises(jwt.InvalidTokenError, match=r"^(Type|Key ID)"):
        jwt.encode({}, SECRET, algorithm="BACK", headers=members)
    header = base64url_encode(json.dumps({"alg": "BACK", **members}).encode())
    signed = header + b".e30"
    signature = base64url_encode(Backwards().sign(signed, SECRET.encode()))
    with pytest.raises(jwt.InvalidTokenError, match=r"^(Type|Key ID)"):
        jwt.decode(signed + b"." + signature, SECRET, algorithms=["BACK"])


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
