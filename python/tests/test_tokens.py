"""Tokens of both packages are good in both; what `yett.drf` adds is as it says."""

import copy
import json
import logging
import pickle
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from rest_framework_simplejwt import tokens as theirs
from rest_framework_simplejwt.backends import TokenBackend as TheirBackend

from answers import KEY
from forge import forge, read
from yett.drf import authentication, backends, state
from yett.drf import settings as drf_settings
from yett.drf import tokens as ours
from yett.drf.backends import TokenBackend
from yett.drf.exceptions import ExpiredTokenError, TokenBackendError, TokenError
from yett.drf.models import TokenUser
from yett.drf.settings import api_settings

CLASSES = ["AccessToken", "RefreshToken", "SlidingToken"]


def user(**fields: Any) -> Any:
    """Return a user that is in no database."""
    return get_user_model()(pk=7, username="ann", **fields)


@pytest.mark.parametrize("name", CLASSES)
def test_tokens_of_simplejwt_are_accepted(name: str) -> None:
    issued = getattr(theirs, name).for_user(user())
    accepted = getattr(ours, name)(str(issued))
    assert accepted.payload == issued.payload


@pytest.mark.parametrize("name", CLASSES)
def test_simplejwt_accepts_our_tokens(name: str) -> None:
    issued = getattr(ours, name).for_user(user())
    accepted = getattr(theirs, name)(str(issued))
    assert accepted.payload == issued.payload


@pytest.mark.parametrize("name", CLASSES)
def test_same_claims_give_the_same_token(name: str) -> None:
    issued = getattr(ours, name).for_user(user())
    again = getattr(theirs, name)()
    again.payload = issued.payload
    assert str(again) == str(issued)


def test_access_token_has_the_claims_in_simplejwts_order() -> None:
    header, claims = read(str(ours.AccessToken.for_user(user())))
    assert header == {"alg": "HS256", "typ": "JWT"}
    assert list(claims) == ["token_type", "exp", "iat", "jti", "user_id"]
    assert claims["user_id"] == "7"


@pytest.mark.parametrize(
    "rules",
    [
        {"audience": "notes"},
        {"audience": ["notes", "mail"]},
        {"issuer": "https://issuer.test"},
        {"leeway": 30},
        {"leeway": timedelta(seconds=30)},
        {"leeway": 0.5},
        {},
    ],
    ids=str,
)
def test_backends_understand_each_other(rules: dict[str, Any]) -> None:
    payload = {"exp": 4_000_000_000, "x": [1, 2.5, None, True, "\u00e4\u2028"], "n": 10**30}
    our: Any = TokenBackend("HS256", KEY, **rules)
    their: Any = TheirBackend("HS256", KEY, **rules)
    assert our.encode(payload) == their.encode(payload)
    assert our.decode(their.encode(payload)) == their.decode(our.encode(payload))


def test_access_token_of_a_refresh_token_carries_its_claims_alone() -> None:
    refresh = ours.RefreshToken.for_user(user())
    refresh["role"] = "editor"
    access = refresh.access_token
    assert (access["role"], access["user_id"], access["token_type"]) == ("editor", "7", "access")
    assert access["jti"] != refresh["jti"]
    assert access["exp"] - access["iat"] == 300


def test_dates_in_claims_become_numbers() -> None:
    at = datetime(2030, 1, 1, tzinfo=timezone.utc)
    _, claims = read(TokenBackend("HS256", KEY).encode({"exp": at, "nbf": at}))
    assert claims == {"exp": 1893456000, "nbf": 1893456000}


def test_json_encoder_is_used() -> None:
    class Encoder(json.JSONEncoder):
        def default(self, o: Any) -> Any:
            return repr(o)

    token = TokenBackend("HS256", KEY, json_encoder=Encoder).encode({"x": {1}})
    assert read(token)[1] == {"x": "{1}"}


def test_payload_is_not_changed_by_signing() -> None:
    payload = {"a": 1}
    TokenBackend("HS256", KEY, issuer="me", audience="you").encode(payload)
    assert payload == {"a": 1}


@pytest.mark.parametrize("token", [b"\xff.a.b", "\ud800.a.b", "", "a", "a.b.c", "\u00e9.a.b"])
@pytest.mark.parametrize("verify", [True, False])
def test_what_is_no_token_is_refused(token: Any, verify: bool) -> None:
    with pytest.raises(TokenBackendError):
        TokenBackend("HS256", KEY).decode(token, verify=verify)


def test_unverified_token_can_be_read() -> None:
    token = forge({"exp": 1, "token_type": "other"}, "some other key")
    assert ours.AccessToken(token, verify=False).payload == {"exp": 1, "token_type": "other"}


def test_several_issuers_can_be_accepted_but_not_written() -> None:
    backend = TokenBackend("HS256", KEY, issuer=["a", "b"])
    assert backend.decode(forge({"iss": "b"}, KEY)) == {"iss": "b"}
    with pytest.raises(TokenBackendError):
        backend.decode(forge({"iss": "c"}, KEY))
    with pytest.raises(ImproperlyConfigured, match="ISSUER must be one text"):
        backend.encode({})


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "other"])
def test_typ_is_not_looked_at(typ: str) -> None:
    assert TokenBackend("HS256", KEY).decode(forge({"a": 1}, KEY, typ=typ)) == {"a": 1}


def test_token_that_no_server_would_take_is_neither_made_nor_read() -> None:
    backend = TokenBackend("HS256", KEY)
    with pytest.raises(ValueError, match="8192"):
        backend.encode({"a": "x" * 8192})
    with pytest.raises(TokenBackendError):
        backend.decode(forge({"a": "x" * 8192}, KEY))


def test_number_too_long_to_read_is_a_bad_token() -> None:
    with pytest.raises(TokenBackendError):
        TokenBackend("HS256", KEY).decode(forge('{"a": ' + "1" * 5000 + "}", KEY))


def test_expired_token_is_told_from_an_invalid_one() -> None:
    with pytest.raises(ExpiredTokenError):
        ours.AccessToken(forge({"exp": 1}, KEY))
    with pytest.raises(TokenError) as refused:
        ours.AccessToken(forge({"exp": 1}, "another key of more than thirty-two bytes"))
    assert not isinstance(refused.value, ExpiredTokenError)


@pytest.mark.parametrize("algorithm", ["none", "hs256", "", "HS1"])
def test_what_is_no_algorithm_is_refused(algorithm: str) -> None:
    with pytest.raises(TokenBackendError, match="Unrecognized algorithm"):
        TokenBackend(algorithm, KEY)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"signing_key": None}, "SIGNING_KEY"),
        ({"signing_key": ""}, "SIGNING_KEY"),
        ({"signing_key": "-----BEGIN PUBLIC KEY-----\n" + "A" * 64}, "SIGNING_KEY"),
        ({"signing_key": KEY, "audience": []}, "AUDIENCE"),
        ({"signing_key": KEY, "audience": [1]}, "AUDIENCE"),
        ({"signing_key": KEY, "issuer": 7}, "ISSUER"),
        ({"signing_key": KEY, "issuer": [7]}, "ISSUER"),
        ({"signing_key": KEY, "leeway": -5}, "LEEWAY"),
    ],
)
def test_unusable_settings_are_told_by_name(arguments: dict[str, Any], sentence: str) -> None:
    backend = TokenBackend("HS256", **arguments)
    with pytest.raises(ImproperlyConfigured, match=f"SIMPLE_JWT: {sentence}"):
        backend.decode("a.b.c")


def test_short_key_works_and_is_warned_of_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "_warned_of_short_key", False)
    for _ in range(2):
        backend = TokenBackend("HS256", "short")
        assert backend.decode(backend.encode({"a": 1})) == {"a": 1}
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("yett.drf", logging.WARNING)
    assert "danger_short_key" in record.getMessage()
    assert "short" not in record.getMessage().replace("danger_short_key", "")


def test_changed_attribute_counts_at_once() -> None:
    backend = TokenBackend("HS256", KEY)
    token = backend.encode({"exp": 4_000_000_000})
    assert backend.decode(token)
    backend.issuer = "me"
    with pytest.raises(TokenBackendError):
        backend.decode(token)


# Settings


def test_settings_are_followed_at_once(settings: Any) -> None:
    settings.SIMPLE_JWT = {
        "ACCESS_TOKEN_LIFETIME": timedelta(hours=2),
        "SIGNING_KEY": "another key of more than thirty-two bytes",
        "AUTH_HEADER_TYPES": "JWT",
    }
    token = ours.AccessToken()
    assert token["exp"] - token["iat"] == 7200
    assert state.token_backend.signing_key == "another key of more than thirty-two bytes"
    assert list(authentication.AUTH_HEADER_TYPES) == ["JWT"]
    assert set(authentication.AUTH_HEADER_TYPE_BYTES) == {b"JWT"}
    del settings.SIMPLE_JWT
    settings.SECRET_KEY = "a new secret key of more than thirty-two bytes"
    assert state.token_backend.signing_key == "a new secret key of more than thirty-two bytes"


@pytest.mark.parametrize(
    "name", ["AUTH_HEADER_TYPE", "AUTH_TOKEN_CLASS", "SECRET_KEY", "TOKEN_BACKEND_CLASS"]
)
def test_removed_setting_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Not through pytest-django's fixture: simplejwt would be told first, and has its own words.
    monkeypatch.setattr(django_settings, "SIMPLE_JWT", {name: "x"}, raising=False)
    fresh = drf_settings.APISettings(None, drf_settings.DEFAULTS, drf_settings.IMPORT_STRINGS)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=f"'{name}' was removed"):
        _ = fresh.user_settings


def test_paths_into_simplejwt_name_our_classes(settings: Any) -> None:
    settings.SIMPLE_JWT = {
        "AUTH_TOKEN_CLASSES": ("rest_framework_simplejwt.tokens.SlidingToken",),
        "TOKEN_USER_CLASS": "rest_framework_simplejwt.models.TokenUser",
        "TOKEN_OBTAIN_SERIALIZER": "rest_framework_simplejwt.serializers.TokenVerifySerializer",
    }
    assert list(api_settings.AUTH_TOKEN_CLASSES) == [ours.SlidingToken]
    assert api_settings.TOKEN_USER_CLASS is TokenUser
    assert api_settings.TOKEN_OBTAIN_SERIALIZER == "yett.drf.serializers.TokenVerifySerializer"


def test_every_setting_of_simplejwt_is_known() -> None:
    from rest_framework_simplejwt import settings as their_settings

    ours_alone = drf_settings.DEFAULTS.keys() - their_settings.DEFAULTS.keys()
    # The two of simplejwt's next release, and what is spelt as a danger.
    assert ours_alone == {"ON_LOGIN_SUCCESS", "ON_LOGIN_FAILED", "DANGER_JWK_URL_OVER_HTTP"}
    for name, default in their_settings.DEFAULTS.items():
        ours_is = drf_settings.DEFAULTS[name]
        if not isinstance(default, (str, tuple)):
            assert ours_is == default, name


# The user made of claims


def test_token_user_answers_from_the_claims() -> None:
    token = ours.AccessToken()
    token.payload |= {"user_id": "7", "username": "ann", "is_staff": True, "tenant": "acme"}
    who = TokenUser(token)
    assert (who.pk, who.username, who.is_staff, who.is_superuser) == ("7", "ann", True, False)
    assert (who.tenant, who.unknown, str(who)) == ("acme", None, "TokenUser 7")
    assert who.is_authenticated
    assert not who.is_anonymous
    assert who == TokenUser(token)
    assert who != "7"
    assert len({who, TokenUser(token)}) == 1
    assert not who.has_perm("x.y")
    assert list(who.groups.all()) == []
    for method in (who.save, who.delete, who.set_password, who.check_password):
        with pytest.raises(NotImplementedError):
            method("x")


def test_token_user_can_be_copied_and_pickled() -> None:
    token = ours.AccessToken()
    token["user_id"] = "7"
    assert copy.deepcopy(TokenUser(token)).id == "7"
    assert pickle.loads(pickle.dumps(TokenUser(token))).id == "7"


def test_inactive_user_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    ours.AccessToken.for_user(user(is_active=False))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
