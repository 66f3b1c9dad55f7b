"""The identity that the server hands over: when it stands for a proof, and when not."""

import io
import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.handlers.asgi import ASGIRequest
from django.test import RequestFactory
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from answers import KEY
from forge import forge
from test_asgi_http import scope_of
from yett._yett import Identity as RealIdentity
from yett.drf import authentication, state, tokens
from yett.drf.authentication import IDENTITY_KEY, JWTAuthentication, JWTStatelessUserAuthentication
from yett.drf.backends import TokenBackend
from yett.drf.exceptions import InvalidToken
from yett.drf.tokens import AccessToken

FAR = 4_000_000_000
# Nobody here can verify this token, so whoever accepts it has taken the identity.
CLAIMS = {"token_type": "access", "exp": FAR, "iat": 1, "jti": "j", "user_id": "1"}
TOKEN = forge(CLAIMS, "the key of another project, known to the server alone")
GOOD = forge(CLAIMS, KEY)


class FakeIdentity:
    """What the server makes; the real class has no constructor for Python."""

    def __init__(self, token: str, claims: dict[str, Any]) -> None:
        self.token = token
        self._claims = claims

    @property
    def claims(self) -> dict[str, Any]:
        return dict(self._claims)


@pytest.fixture(autouse=True)
def _server(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(authentication, "Identity", FakeIdentity)
    get_user_model().objects.create(pk=1, username="ann")


def request_with(header: str, identity: Any = None, **more: Any) -> Request:
    """Return a request with a header and something under the identity's name."""
    request = RequestFactory().get("/", HTTP_AUTHORIZATION=header)
    request.META |= more if identity is None else {IDENTITY_KEY: identity, **more}
    return Request(request)


def username(header: str, identity: Any = None, by: Any = JWTAuthentication) -> str | None:
    """Return who came in, or `None` when the token was refused."""
    try:
        result = by().authenticate(request_with(header, identity))
    except AuthenticationFailed:
        return None
    assert result is not None
    return str(result[0].username)


def test_identity_of_the_same_token_is_used_without_another_proof() -> None:
    assert username(f"Bearer {TOKEN}") is None
    assert username(f"Bearer {TOKEN}", FakeIdentity(TOKEN, CLAIMS)) == "ann"


def test_token_object_is_the_ordinary_one() -> None:
    request = request_with(f"Bearer {GOOD}", FakeIdentity(GOOD, CLAIMS))
    handed = JWTAuthentication().authenticate(request)
    verified = JWTAuthentication().authenticate(request_with(f"Bearer {GOOD}"))
    assert handed is not None
    assert verified is not None
    assert type(handed[1]) is type(verified[1]) is AccessToken
    assert handed[1].payload == verified[1].payload
    assert handed[1].token == verified[1].token == GOOD.encode()
    assert str(handed[1]) == str(verified[1])


def test_other_token_in_the_header_is_verified_itself() -> None:
    # A middleware may put another token into the header.
    identity = FakeIdentity(TOKEN, {**CLAIMS, "user_id": "999"})
    assert username(f"Bearer {GOOD}", identity) == "ann"
    other = forge({**CLAIMS, "jti": "k"}, "another key of more than thirty-two bytes")
    assert username(f"Bearer {other}", FakeIdentity(TOKEN, CLAIMS)) is None


def test_no_header_is_no_credential_whatever_the_identity() -> None:
    request = request_with("", FakeIdentity(TOKEN, CLAIMS))
    del request.META["HTTP_AUTHORIZATION"]
    assert JWTAuthentication().authenticate(request) is None


@pytest.mark.parametrize(
    "planted",
    [
        TOKEN,
        {"token": TOKEN, "claims": CLAIMS},
        [TOKEN, CLAIMS],
        type("Identity", (), {"token": TOKEN, "claims": CLAIMS})(),
    ],
    ids=["text", "dict", "list", "object of the same shape"],
)
def test_what_only_looks_like_an_identity_is_nothing(planted: Any) -> None:
    assert username(f"Bearer {TOKEN}", planted) is None
    assert username(f"Bearer {GOOD}", planted) == "ann"


def test_header_named_like_the_identity_is_nothing() -> None:
    for name in ("HTTP_YETT_IDENTITY", "HTTP_YETT.IDENTITY", "yett_identity"):
        request = request_with(f"Bearer {TOKEN}", None, **{name: FakeIdentity(TOKEN, CLAIMS)})
        with pytest.raises(AuthenticationFailed):
            JWTAuthentication().authenticate(request)


def test_python_cannot_make_an_identity() -> None:
    with pytest.raises(TypeError):
        RealIdentity()
    with pytest.raises(TypeError):
        RealIdentity(TOKEN, CLAIMS)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"token_type": "refresh"},
        {"token_type": None},
    ],
)
def test_identity_must_still_be_a_good_access_token(changes: dict[str, Any]) -> None:
    # For one, the time may have run out while the request waited.
    claims = {**CLAIMS, **changes}
    token = forge(claims, KEY)
    assert username(f"Bearer {token}", FakeIdentity(token, claims)) is None


def test_user_of_the_identity_is_looked_up() -> None:
    claims = {**CLAIMS, "user_id": "999"}
    assert username(f"Bearer {TOKEN}", FakeIdentity(TOKEN, claims)) is None


def test_stateless_authentication_uses_it_too() -> None:
    identity = FakeIdentity(TOKEN, {**CLAIMS, "username": "from the claims"})
    who = username(f"Bearer {TOKEN}", identity, JWTStatelessUserAuthentication)
    assert who == "from the claims"


def test_asgi_scope_carries_it() -> None:
    request = request_with(f"Bearer {TOKEN}")
    request._request.scope = {IDENTITY_KEY: FakeIdentity(TOKEN, CLAIMS)}  # type: ignore[attr-defined]
    result = JWTAuthentication().authenticate(request)
    assert result is not None
    assert result[0].username == "ann"


def test_identity_of_a_worker_with_a_loop_reaches_authentication(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(authentication, "Identity", RealIdentity)
    proved = (TOKEN.encode(), json.dumps(CLAIMS).encode())
    headers = [(b"authorization", f"Bearer {TOKEN}".encode())]
    scope = scope_of({"headers": headers, "identity": proved})
    result = JWTAuthentication().authenticate(Request(ASGIRequest(scope, io.BytesIO())))
    assert result is not None
    assert result[0].username == "ann"
    # The same request without it, and with headers named like it.
    for name in (b"yett.identity", b"yett-identity", b"x-yett-identity"):
        scope = scope_of({"headers": [*headers, (name, TOKEN.encode())]})
        with pytest.raises(AuthenticationFailed):
            JWTAuthentication().authenticate(Request(ASGIRequest(scope, io.BytesIO())))


def test_own_validation_is_not_passed_over() -> None:
    class Own(JWTAuthentication):
        def get_validated_token(self, raw_token: bytes) -> Any:
            raise AuthenticationFailed("own rules")

    assert username(f"Bearer {TOKEN}", FakeIdentity(TOKEN, CLAIMS), Own) is None


def test_own_header_is_compared_too() -> None:
    class FromACookie(JWTAuthentication):
        def get_header(self, request: Request) -> bytes:
            return b"Bearer " + request.COOKIES["jwt"].encode()

    request = request_with(f"Bearer {TOKEN}", FakeIdentity(TOKEN, CLAIMS))
    request.COOKIES["jwt"] = GOOD.replace(".", ".x", 1)
    with pytest.raises(AuthenticationFailed):
        FromACookie().authenticate(request)


def test_own_token_classes_are_not_passed_over(settings: Any) -> None:
    settings.SIMPLE_JWT = {"AUTH_TOKEN_CLASSES": ("yett.drf.tokens.SlidingToken",)}
    assert username(f"Bearer {TOKEN}", FakeIdentity(TOKEN, CLAIMS)) is None


def test_own_backend_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(TokenBackend):
        pass

    monkeypatch.setattr(state, "token_backend", Own("HS256", KEY))
    assert username(f"Bearer {TOKEN}", FakeIdentity(TOKEN, CLAIMS)) is None


def test_claims_of_one_token_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    identity: Any = FakeIdentity(TOKEN, CLAIMS)
    first, second = tokens.AccessToken.from_identity(identity), AccessToken.from_identity(identity)
    first["role"] = "admin"
    assert "role" not in second


def _refuse(*_: Any, **__: Any) -> Any:
    raise InvalidToken()


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (JWTAuthentication, "get_validated_token", _refuse),
        (TokenBackend, "decode", _refuse),
        (TokenBackend, "get_verifying_key", _refuse),
        (AccessToken, "get_token_backend", _refuse),
        (AccessToken, "_token_backend", TokenBackend("HS256", "k" * 64)),
    ],
)
def test_code_put_in_place_of_our_proof_is_asked_for_every_token(
    owner: Any, name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    header, identity = f"Bearer {GOOD}", FakeIdentity(GOOD, CLAIMS)
    assert username(header, identity) == "ann"
    monkeypatch.setattr(owner, name, value)
    assert username(header, identity) is None


def test_code_put_on_the_backend_itself_is_asked_for_every_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(vars(state.token_backend), "decode", _refuse)
    assert username(f"Bearer {GOOD}", FakeIdentity(GOOD, CLAIMS)) is None
