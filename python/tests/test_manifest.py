"""What the manifest lets the edge answer, and what it leaves to the project and why."""

import base64
import json
import logging
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import signals
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, connections
from django.test import Client
from django.urls import get_script_prefix, get_urlconf, path, reverse
from django.utils.module_loading import import_string
from django.utils.translation import trans_real
from rest_framework.views import APIView

from key_pairs import key_pair
from sample_urls import Plain
from yett.django import views
from yett.django.manifest import manifest
from yett.django.middleware import Layers
from yett.django.probe import Prober, Unfit, bad_credentials
from yett.django.url_table import Row
from yett.drf.authentication import JWTAuthentication
from yett.drf.backends import TokenBackend
from yett.drf.tokens import AccessToken

EVERY_KIND = {
    *("missing", "malformed", "invalid", "expired"),
    *("wrong_type", "no_type", "no_id", "no_exp"),
}
#: Guarded whether a token is bad or missing.
GUARDED = [
    *("plain", "plain-detail", "function", "generic", "throttled", "only-json", "staff", "kwargs"),
    "exempt-again",
    *("api:user-list", "api:user-detail", "inside", "here"),
    *("path-converter-last", "regex", "alternatives-in-a-group"),
]
#: Guarded against bad tokens; without one the permissions decide.
GUARDED_AGAINST_BAD = [
    *("open", "open-function", "read-only", "combined", "api:user-public"),
    *("second-permission-is-made", "first-is-a-subclass"),
]
LEFT_TO_THE_APP = {
    "api:user-by-session": "its authentication is by SessionAuthentication",
    "own-initial": "OwnInitial has its own initial",
    "from-a-mixin": "CookieMixin has its own get_authenticators",
    "from-a-mixin-behind": "CookieMixin has its own get_authenticators",
    "own-attributes": "OwnAttributes has its own __getattr__",
    "own-headers": "OwnHeaders has its own default_response_headers",
    "request-is-a-property": "RequestIsAProperty has its own request",
    "own-handler": "OwnHandler has its own handle_exception",
    "own-challenge": "OwnChallenge has its own get_authenticate_header",
    "decorated-dispatch": "DecoratedDispatch has its own dispatch",
    "own-metaclass": "OwnMetaclass has the metaclass Meta",
    "settings-given": "as_view() was given settings",
    "cached": "something stands around what as_view() made",
    "counted": "something stands around what as_view() made",
    "by-cookie": "its authentication is by CookieAuthentication",
    "by-token-or-session": "its authentication is by JWTAuthentication, SessionAuthentication",
    "authentication-given": "it asks for no authentication",
    "stateless": "its authentication is by JWTStatelessUserAuthentication",
    "no-authentication": "it asks for no authentication",
    "computed-authentication": "its authentication classes are not a plain list",
    "html-first": "its first renderer is not JSONRenderer",
    "html-only": "its first renderer is not JSONRenderer",
    "own-renderer": "its first renderer is not JSONRenderer",
    "versioned": "versioning looks at the request first",
    "own-negotiation": "its content negotiation is not DRF's",
    "token": "TokenViewBase has its own get_authenticate_header",
    "format-given": "the URL can choose the renderer",
    "format-in-the-url": "the URL can choose the renderer",
    "django-view": "it is no view of Django REST framework",
    "async-view": "it is no view of Django REST framework",
    "plain-function": "it is no view of Django REST framework",
    "own-converter": "the converter YearConverter of <year> is the project's own",
    "alternatives-at-the-top": "the expression has alternatives at its top",
    "not-anchored": "the expression is not anchored at its start",
    "lookahead": "the expression uses assert_not",
    "escaped-dollar": "the expression ends in an escaped dollar sign",
    "translated": "the URL is translated",
    "deep:end": "a piece before the last may match a slash",
    "lazy:end": "a piece before the last repeats more than one character",
}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """Return the manifest of the sample project."""
    return manifest()


@pytest.fixture(scope="module")
def table(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the rows by the names of their URLs."""
    return {row["name"]: row for row in described["url_table"]}


@pytest.mark.parametrize("name", GUARDED)
def test_view_that_needs_a_token_is_guarded(name: str, table: dict[str, dict[str, Any]]) -> None:
    row = table[name]
    assert row["guard"] == "token", row["why"]
    assert not row["opaque"]
    assert {scheme: kinds.keys() for scheme, kinds in row["answers"].items()} == {
        "http": EVERY_KIND,
        "https": EVERY_KIND,
    }


@pytest.mark.parametrize("name", GUARDED_AGAINST_BAD)
def test_view_that_may_do_without_is_guarded_against_bad_tokens(
    name: str, table: dict[str, dict[str, Any]]
) -> None:
    row = table[name]
    assert row["guard"] == "token", row["why"]
    assert {scheme: kinds.keys() for scheme, kinds in row["answers"].items()} == {
        "http": EVERY_KIND - {"missing"},
        "https": EVERY_KIND - {"missing"},
    }


@pytest.mark.parametrize("name", LEFT_TO_THE_APP)
def test_uncertain_view_is_left_to_the_app(name: str, table: dict[str, dict[str, Any]]) -> None:
    row = table[name]
    assert (row["guard"], row["answers"]) == ("app", None)
    assert row["why"].startswith(LEFT_TO_THE_APP[name])


def test_every_named_view_of_the_sample_has_a_verdict_here(
    table: dict[str, dict[str, Any]],
) -> None:
    assert table.keys() - {""} == {*GUARDED, *GUARDED_AGAINST_BAD, *LEFT_TO_THE_APP}


def test_patterns_of_unknown_classes_are_opaque(described: dict[str, Any]) -> None:
    unknown = [row for row in described["url_table"] if not row["name"]]
    assert [row["why"] for row in unknown] == [
        "OwnPattern resolves its URLs in its own way",
        "OwnResolver resolves its URLs in its own way",
    ]
    assert all(row["opaque"] and row["literal_prefix"] == "" for row in unknown)


def test_converter_of_the_projects_own_may_refuse_what_it_matches(
    table: dict[str, dict[str, Any]],
) -> None:
    row = table["own-converter"]
    assert (row["opaque"], row["perhaps"]) == (False, True)
    assert not any(other["perhaps"] for name, other in table.items() if name != "own-converter")


ARGUMENTS: dict[str, dict[str, Any]] = {
    "plain-detail": {"pk": 1},
    "api:user-detail": {"pk": 1},
    "inside": {"tenant": "acme"},
    "here": {"tenant": "acme"},
    "path-converter-last": {"rest": "a/b"},
    "regex": {"slug": "a-b"},
}


@pytest.mark.parametrize("name", [*GUARDED, *GUARDED_AGAINST_BAD])
def test_answers_of_the_manifest_are_the_projects_own(
    name: str, described: dict[str, Any], table: dict[str, dict[str, Any]]
) -> None:
    where = (
        "/one/" if name.startswith("alternatives") else reverse(name, kwargs=ARGUMENTS.get(name))
    )
    client = Client()
    credentials = bad_credentials()
    asked = [
        (scheme, kind, position)
        for scheme, kinds in table[name]["answers"].items()
        for kind, position in kinds.items()
    ]
    for scheme, kind, position in asked:
        authorization = credentials[kind]
        extra: Any = {} if authorization is None else {"HTTP_AUTHORIZATION": authorization}
        for method in ("GET", "POST", "DELETE"):
            answer = client.generic(method, where, secure=scheme == "https", **extra)
            assert described["answers"][position] == {
                "status": answer.status_code,
                "headers": [list(header) for header in answer.headers.items()],
                "body": answer.content.decode(),
            }, (scheme, kind, method)


def test_each_kind_says_what_is_wrong(
    described: dict[str, Any], table: dict[str, dict[str, Any]]
) -> None:
    said = {}
    for kind, position in table["plain"]["answers"]["http"].items():
        body = json.loads(described["answers"][position]["body"])
        said[kind] = body["messages"][0]["message"] if "messages" in body else body["detail"]
    assert said == {
        "missing": "Authentication credentials were not provided.",
        "malformed": "Authorization header must contain two space-delimited values",
        "invalid": "Token is invalid",
        "expired": "Token is expired",
        "wrong_type": "Token has wrong type",
        "no_type": "Token has no type",
        "no_id": "Token has no id",
        "no_exp": "Token has no 'exp' claim",
    }


def test_equal_answers_are_kept_once(described: dict[str, Any]) -> None:
    texts = [json.dumps(answer) for answer in described["answers"]]
    assert len(texts) == len(set(texts))


def test_manifest_can_be_written_as_json(described: dict[str, Any]) -> None:
    assert json.loads(json.dumps(described)) == described


def test_row_tells_people_what_the_view_is(table: dict[str, dict[str, Any]]) -> None:
    row = table["api:user-detail"]
    assert row["pieces"] == ["^api/", "^users/(?P<pk>[^/.]+)/$"]
    assert row["route"] == "api/users/(?P<pk>[^/.]+)/$"
    assert row["view"] == "sample_urls.Users"
    assert row["methods"] == ["GET", "PUT", "PATCH", "DELETE"]
    assert (row["authentication"], row["permission"]) == ("JWTAuthentication", "IsAuthenticated")
    assert table["combined"]["permission"] == "(IsAuthenticated & IsAdminUser)"


def test_literal_prefix_ends_where_the_first_variable_begins(
    table: dict[str, dict[str, Any]],
) -> None:
    prefixes = {name: row["literal_prefix"] for name, row in table.items()}
    assert prefixes["plain"] == "plain/"
    assert prefixes["plain-detail"] == "plain/"
    assert prefixes["api:user-detail"] == "api/users/"
    assert prefixes["inside"] == ""
    assert prefixes["lookahead"] == "ahead/"
    assert prefixes["not-anchored"] == prefixes["alternatives-at-the-top"] == ""


# Whole projects that are left alone


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"SECURE_PROXY_SSL_HEADER": ("REQUEST_SCHEME", "https")},
            "SECURE_PROXY_SSL_HEADER takes the scheme from something that is no header",
        ),
        ({"SESSION_SAVE_EVERY_REQUEST": True}, "SESSION_SAVE_EVERY_REQUEST writes the session"),
        ({"SESSION_ENGINE": "sample_sessions"}, "SESSION_ENGINE sample_sessions is not one"),
        ({"DISALLOWED_USER_AGENTS": ["x"]}, "DISALLOWED_USER_AGENTS refuses some clients"),
        ({"PREPEND_WWW": True}, "PREPEND_WWW redirects before the view"),
        ({"USE_X_FORWARDED_HOST": True}, "USE_X_FORWARDED_HOST takes the host from another"),
        ({"CSRF_USE_SESSIONS": True}, "CSRF_USE_SESSIONS reads the session"),
        ({"MESSAGE_STORAGE": "sample.Storage"}, "MESSAGE_STORAGE sample.Storage is not one"),
        ({"ALLOWED_HOSTS": []}, "ALLOWED_HOSTS is empty"),
        ({"SIMPLE_JWT": {"AUTH_HEADER_NAME": "HTTP_X_TOKEN"}}, "AUTH_HEADER_NAME is HTTP_X_TOKEN"),
        (
            {"SIMPLE_JWT": {"AUTH_TOKEN_CLASSES": ("yett.drf.tokens.SlidingToken",)}},
            "AUTH_TOKEN_CLASSES is not AccessToken alone",
        ),
        ({"SIMPLE_JWT": {"AUTH_HEADER_TYPES": ()}}, "AUTH_HEADER_TYPES is empty"),
        (
            {"SIMPLE_JWT": {"SIGNING_KEY": "-----BEGIN PUBLIC KEY-----\n" + "x" * 64}},
            "SIMPLE_JWT: SIGNING_KEY",
        ),
        (
            {"REST_FRAMEWORK": {"EXCEPTION_HANDLER": "sample_urls.plain_function"}},
            "EXCEPTION_HANDLER is the project's own",
        ),
        (
            {"REST_FRAMEWORK": {"UNAUTHENTICATED_USER": "sample_urls.Plain"}},
            "UNAUTHENTICATED_USER is the project's own",
        ),
        (
            {"REST_FRAMEWORK": {"URL_FORMAT_OVERRIDE": "as"}},
            "URL_FORMAT_OVERRIDE lets another query parameter",
        ),
        *(
            ({"MIDDLEWARE": [path]}, f"the middleware {path} may answer first")
            for path in (
                "django.middleware.http.ConditionalGetMiddleware",
                "django.middleware.cache.UpdateCacheMiddleware",
                "django.contrib.sites.middleware.CurrentSiteMiddleware",
                "sample_urls.counted",
            )
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_whole_project_is_left_alone(changes: dict[str, Any], reason: str, settings: Any) -> None:
    (added,) = changes.get("MIDDLEWARE", [None])
    if added is not None:
        try:
            import_string(added)
        except ImportError:
            pytest.skip(f"this Django has no {added}")
        except RuntimeError:
            settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.contrib.sites"]
        changes = {"MIDDLEWARE": [*settings.MIDDLEWARE, added]}
    for name, value in changes.items():
        setattr(settings, name, value)
    # Only the handler's class matters; its middleware need not load.
    described = manifest(WSGIHandler.__new__(WSGIHandler))
    assert described["url_table"], "the rows are for people too"
    assert {row["guard"] for row in described["url_table"]} == {"app"}
    for row in described["url_table"]:
        assert row["why"].startswith(reason)


CORS = "corsheaders.middleware.CorsMiddleware"
WHITENOISE = "whitenoise.middleware.WhiteNoiseMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"


def beside(settings: Any, *added: str, **changes: Any) -> dict[str, dict[str, Any]]:
    """Return the rows by name when such middleware stands in front."""
    settings.MIDDLEWARE = [*added, *settings.MIDDLEWARE]
    for name, value in changes.items():
        setattr(settings, name, value)
    described = manifest(WSGIHandler())
    rows = {row["name"]: row for row in described["url_table"]}
    return {**rows, "answers": described["answers"], "scheme": described["scheme_header"]}


def test_redirect_to_https_leaves_http_to_the_app(settings: Any) -> None:
    row = beside(settings, SECURE_SSL_REDIRECT=True)["plain"]
    assert list(row["answers"]) == ["https"]
    assert row["why"].endswith("over http SECURE_SSL_REDIRECT answers first")


def test_hsts_is_in_the_answers_over_https_alone(settings: Any) -> None:
    rows = beside(
        settings,
        SECURE_HSTS_SECONDS=60,
        SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    )
    assert rows["scheme"] == {"name": "x-forwarded-proto", "secure": "https"}
    for scheme, positions in rows["plain"]["answers"].items():
        for position in positions.values():
            headers = dict(rows["answers"][position]["headers"])
            assert ("Strict-Transport-Security" in headers) is (scheme == "https")


def test_cors_headers_are_left_to_requests_with_an_origin(settings: Any) -> None:
    rows = beside(settings, CORS, CORS_ALLOW_ALL_ORIGINS=True)
    headers = dict(rows["answers"][rows["plain"]["answers"]["http"]["missing"]]["headers"])
    assert "origin" in headers["Vary"]


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        (r"^/plain/.*$", {"plain": "token", "open": "token", "inside": "app"}),
        (r"^/plain/[0-9]+/$", {"plain": "app", "open": "app", "inside": "app"}),
        (r"^/plain/x", {"plain": "app", "open": "token", "inside": "app"}),
    ],
)
def test_cors_for_some_urls_is_judged_by_their_literal_start(
    regex: str, expected: dict[str, str], settings: Any
) -> None:
    rows = beside(settings, CORS, CORS_URLS_REGEX=regex)
    assert {name: rows[name]["guard"] for name in expected} == expected


def test_cors_signal_with_receivers_leaves_the_project_alone(settings: Any) -> None:
    from corsheaders.signals import check_request_enabled

    def receiver(**kwargs: Any) -> bool:
        return True

    check_request_enabled.connect(receiver)
    try:
        row = beside(settings, CORS)["plain"]
    finally:
        check_request_enabled.disconnect(receiver)
    assert row["why"].startswith("check_request_enabled has receivers")


def test_files_of_whitenoise_come_before_the_views(settings: Any, tmp_path: Any) -> None:
    (tmp_path / "robots.txt").write_text("")
    settings.WHITENOISE_ROOT = tmp_path
    settings.MIDDLEWARE = [WHITENOISE, *settings.MIDDLEWARE]
    first, second, *rest = manifest(WSGIHandler())["url_table"]
    assert (first["literal_prefix"], first["opaque"]) == ("static/", True)
    assert (second["pieces"], second["perhaps"]) == (["^robots\\.txt\\Z"], True)
    assert {first["guard"], second["guard"]} == {"app"}
    assert "token" in {row["guard"] for row in rest}


def test_whitenoise_that_looks_anew_at_each_request_is_not_understood(
    settings: Any, tmp_path: Any
) -> None:
    row = beside(settings, WHITENOISE, WHITENOISE_ROOT=tmp_path, WHITENOISE_AUTOREFRESH=True)
    assert row["plain"]["why"].startswith("WhiteNoise looks for files of WHITENOISE_ROOT")


def test_unknown_version_of_a_package_is_a_stranger(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "99.0")
    row = beside(settings, CORS)["plain"]
    assert row["why"] == "django-cors-headers 99.0 is not a version that the edge knows"


def test_subclass_of_an_understood_middleware_is_a_stranger(settings: Any) -> None:
    row = beside(settings, "sample_urls.OwnSecurity")["plain"]
    assert row["why"].startswith("the middleware sample_urls.OwnSecurity may answer first")


def test_language_of_the_headers_varies_the_answers(settings: Any) -> None:
    rows = beside(settings, LOCALE)
    headers = dict(rows["answers"][rows["plain"]["answers"]["http"]["missing"]]["headers"])
    assert "Accept-Language" in headers["Vary"]
    assert headers["Content-Language"] == "en"


def test_login_required_spares_views_of_rest_framework(settings: Any) -> None:
    pytest.importorskip("django", minversion="5.1")
    added = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, added]
    rows = {row["name"]: row for row in manifest(WSGIHandler())["url_table"]}
    assert rows["plain"]["guard"] == "token"


@pytest.mark.parametrize("package", ["sentry_sdk.integrations.django", "newcomer.tracing"])
def test_handler_wrapped_by_a_known_watcher_is_let_pass(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = compile("def __call__(self, environ, start_response): ...", "wrapper", "exec")
    scope: dict[str, Any] = {"__name__": package}
    exec(code, scope)
    monkeypatch.setattr(WSGIHandler, "__call__", scope["__call__"])
    guards = {row["guard"] for row in manifest()["url_table"]}
    assert guards == ({"app", "token"} if package.startswith("sentry_sdk") else {"app"})


def test_wsgi_callable_around_django_is_left_alone() -> None:
    inner = WSGIHandler()

    class Around:
        def __call__(self, environ: Any, start_response: Any) -> Any:
            return inner(environ, start_response)

    assert {row["guard"] for row in manifest(Around())["url_table"]} == {"app"}


def channels_router(monkeypatch: pytest.MonkeyPatch, inner: Any) -> Any:
    """Return a router by protocol as Channels has it."""
    module = ModuleType("channels.routing")
    code = (
        "class ProtocolTypeRouter:\n"
        "    def __init__(self, application_mapping):\n"
        "        self.application_mapping = application_mapping\n"
    )
    exec(code, vars(module))
    monkeypatch.setitem(sys.modules, "channels.routing", module)
    return module.ProtocolTypeRouter({"http": inner, "websocket": object()})


def test_project_under_asgi_is_described_as_under_wsgi(
    described: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert manifest(ASGIHandler()) == described
    assert manifest(channels_router(monkeypatch, ASGIHandler())) == described


def test_what_stands_around_django_under_asgi_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Own(ASGIHandler):
        pass

    router = channels_router(monkeypatch, ASGIHandler())
    changed = channels_router(monkeypatch, ASGIHandler())
    type(changed).__call__ = lambda *_: None
    for application in (Own(), channels_router(monkeypatch, object()), changed):
        assert {row["guard"] for row in manifest(application)["url_table"]} == {"app"}
    # Its class is no longer the one of that name.
    assert {row["guard"] for row in manifest(router)["url_table"]} == {"app"}


def test_forced_script_name_leaves_a_project_under_asgi_alone(settings: Any) -> None:
    # There Django takes the prefix off the path before it matches.
    settings.FORCE_SCRIPT_NAME = "/shop"
    assert {row["guard"] for row in manifest(ASGIHandler())["url_table"]} == {"app"}


def test_asgi_handler_that_was_changed_at_run_time_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ASGIHandler, "handle", lambda *_: None)
    assert {row["guard"] for row in manifest(ASGIHandler())["url_table"]} == {"app"}


def test_forced_script_name_changes_no_url(described: dict[str, Any], settings: Any) -> None:
    # Django forces the prefix of the URLs that it writes, and matches `PATH_INFO` as it is.
    settings.FORCE_SCRIPT_NAME = "/shop"
    forced = manifest()
    assert forced["url_table"] == described["url_table"]
    assert Client().get("/plain/").status_code == 401


@pytest.mark.parametrize("owner", [APIView, JWTAuthentication])
def test_method_replaced_at_run_time_is_noticed(
    owner: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "initial" if owner is APIView else "authenticate"
    original: Callable[..., Any] = getattr(owner, name)

    def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original(self, *args, **kwargs)

    patched.__module__ = original.__module__
    monkeypatch.setattr(owner, name, patched)
    described = manifest()
    assert {row["guard"] for row in described["url_table"]} == {"app"}
    (row,) = (row for row in described["url_table"] if row["name"] == "plain")
    assert row["why"] == f"{owner.__name__}.{name} was replaced at run time"


def test_stranger_at_request_started_is_noticed() -> None:
    def listener(**kwargs: Any) -> None:
        kwargs["environ"]["HTTP_AUTHORIZATION"] = "Bearer x"

    signals.request_started.connect(listener)
    try:
        whys = {row["why"] for row in manifest()["url_table"]}
    finally:
        signals.request_started.disconnect(listener)
    assert whys == {f"{__name__} receives request_started and may change the request"}


# Facts about the project


def test_token_rules_are_those_of_the_settings(settings: Any) -> None:
    settings.SIMPLE_JWT = {
        "SIGNING_KEY": "k" * 32,
        "LEEWAY": 7.9,
        "ISSUER": "me",
        "AUDIENCE": "you",
        "JTI_CLAIM": None,
        "TOKEN_TYPE_CLAIM": None,
        "AUTH_HEADER_TYPES": ("JWT", "Bearer"),
    }
    described = manifest()
    assert described["token_rules"] == {
        "algorithm": "HS256",
        "key": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
        "danger_short_key": False,
        # Rounded up: what the edge lets through, the project's class judges to the microsecond.
        "leeway_seconds": 8,
        "issuer": "me",
        "audience": ["you"],
        "token_type_claim": None,
        "token_type": "access",
        "jti_claim": None,
        "header_types": ["JWT", "Bearer"],
    }
    # Kinds that these rules do not know have no answer.
    guarded = [row["answers"] for row in described["url_table"] if row["name"] == "plain"]
    assert guarded[0]["http"].keys() == EVERY_KIND - {"no_id", "wrong_type", "no_type"}


@pytest.mark.parametrize("given", ["public", "private"])
def test_key_of_a_key_pair_is_handed_over_without_its_private_half(
    given: str, settings: Any
) -> None:
    pair = key_pair("ES256")
    settings.SIMPLE_JWT = {
        "ALGORITHM": "ES256",
        "SIGNING_KEY": pair.private,
        # simplejwt takes the private key here as well.
        "VERIFYING_KEY": getattr(pair, given),
    }
    described = manifest()
    rules = described["token_rules"]
    assert (rules["algorithm"], rules["danger_short_key"]) == ("ES256", False)
    assert base64.b64decode(rules["key"]).decode() == pair.public
    assert "PRIVATE" not in str(described)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"ISSUER": ["a", "b"]}, "ISSUER is a list"),
        ({"VERIFYING_KEY": ""}, "SIMPLE_JWT: VERIFYING_KEY must not be empty."),
    ],
)
def test_key_pair_that_the_edge_cannot_verify_with_is_left_to_the_project(
    changed: dict[str, Any], why: str, settings: Any
) -> None:
    pair = key_pair("ES256")
    settings.SIMPLE_JWT = {
        "ALGORITHM": "ES256",
        "SIGNING_KEY": pair.private,
        "VERIFYING_KEY": pair.public,
        **changed,
    }
    described = manifest()
    assert (described["token_rules"], described["token_rules_why_not"]) == (None, why)


def test_address_of_an_issuers_keys_is_handed_over_without_any_key(settings: Any) -> None:
    pair = key_pair("ES256")
    settings.SIMPLE_JWT = {
        "ALGORITHM": "ES256",
        "SIGNING_KEY": pair.private,
        "JWK_URL": "https://issuer.test/jwks",
    }
    described = manifest()
    rules = described["token_rules"]
    assert (rules["algorithm"], rules["jwk_url"]) == ("ES256", "https://issuer.test/jwks")
    assert "key" not in rules
    assert "PRIVATE" not in str(described)


def test_old_name_of_es512_is_left_to_the_project(settings: Any) -> None:
    pair = key_pair("ES521")
    settings.SIMPLE_JWT = {"ALGORITHM": "ES521", "VERIFYING_KEY": pair.public}
    assert manifest()["token_rules_why_not"] == "ALGORITHM is ES521"


def test_short_key_is_marked(settings: Any) -> None:
    settings.SIMPLE_JWT = {"SIGNING_KEY": "short"}
    rules = manifest()["token_rules"]
    assert (rules["key"], rules["danger_short_key"]) == ("c2hvcnQ=", True)


@pytest.mark.parametrize(
    ("debug", "hosts", "expected"),
    [
        (False, ["a.test"], ["a.test"]),
        (True, [], [".localhost", "127.0.0.1", "[::1]"]),
        (True, ["*"], ["*"]),
    ],
)
def test_allowed_hosts_are_djangos(
    debug: bool, hosts: list[str], expected: list[str], settings: Any
) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS = debug, hosts
    described = manifest()
    assert described["allowed_hosts"] == expected
    assert {row["guard"] for row in described["url_table"]} == {"app", "token"}


@pytest.mark.parametrize(
    ("url", "root", "expected"),
    [
        ("static/", "/srv/static", {"url": "/static/", "root": "/srv/static"}),
        ("/static/", None, {"url": "/static/", "root": None}),
        ("https://cdn.test/s/", "/srv/static", {"url": "https://cdn.test/s/", "root": None}),
        (None, "/srv/static", {"url": "", "root": None}),
    ],
)
def test_static_files_are_described(
    url: str | None, root: str | None, expected: dict[str, Any], settings: Any
) -> None:
    settings.STATIC_URL, settings.STATIC_ROOT = url, root
    described = manifest()["static"]
    assert {name: described[name] for name in ("url", "root")} == expected


# Probing


class NeedsTheDatabase(Plain):
    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Exception:
            logging.getLogger("sample").error("no database")
        super().initial(request, *args, **kwargs)


class AnswersByMethod(Plain):
    def handle_exception(self, exc: Exception) -> Any:
        answer = super().handle_exception(exc)
        answer.headers["X-Method"] = str(self.request.method)
        return answer


class SetsACookie(Plain):
    def handle_exception(self, exc: Exception) -> Any:
        answer = super().handle_exception(exc)
        answer.set_cookie("a", "b")
        return answer


class Raises(Plain):
    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("view_class", "reason"),
    [
        (NeedsTheDatabase, "it needs the database before it refuses"),
        (AnswersByMethod, "depends on the request"),
        (SetsACookie, "is not a plain 401"),
        (Raises, "is not a plain 401"),
    ],
)
def test_probe_finds_what_reading_did_not(view_class: Any, reason: str) -> None:
    # These would be stopped by reading their classes; here the second line stands alone.
    row = Row(callback=view_class.as_view())
    view = views.rest_view(row.callback)
    assert view is not None
    with Prober("testserver", Layers()) as prober, pytest.raises(Unfit, match=reason):
        prober.answers(row, view)


def test_atomic_requests_do_not_stand_in_the_way(settings: Any) -> None:
    database = connections.settings["default"]
    database["ATOMIC_REQUESTS"] = True
    try:
        described = manifest()
        assert database["ATOMIC_REQUESTS"] is True
    finally:
        database["ATOMIC_REQUESTS"] = False
    assert "token" in {row["guard"] for row in described["url_table"]}


def test_nothing_stays_behind(caplog: pytest.LogCaptureFixture) -> None:
    before = {
        "threads": threading.enumerate(),
        "connections": [c.alias for c in connections.all(initialized_only=True)],
        "prefix": get_script_prefix(),
        "language": getattr(trans_real._active, "value", None),  # type: ignore[attr-defined]
        "urlconf": get_urlconf(),
        "disabled": logging.root.manager.disable,
        "settings": dict(connections.settings["default"]),
    }
    heard: list[str] = []

    def hear(sender: Any, signal: Any, **kwargs: Any) -> None:
        heard.append(repr(signal))

    watched = (
        signals.request_started,
        signals.request_finished,
        signals.got_request_exception,
    )
    hear.__module__ = "django.test"  # else its mere presence would stop the guard
    for signal in watched:
        signal.connect(hear)
    try:
        described = manifest()
        with Prober("testserver", Layers()) as prober, pytest.raises(Unfit):
            row = Row(callback=Raises.as_view())
            view = views.rest_view(row.callback)
            assert view is not None
            prober.answers(row, view)
    finally:
        for signal in watched:
            signal.disconnect(hear)
    assert "token" in {row["guard"] for row in described["url_table"]}
    after = {
        "threads": threading.enumerate(),
        "connections": [c.alias for c in connections.all(initialized_only=True)],
        "prefix": get_script_prefix(),
        "language": getattr(trans_real._active, "value", None),  # type: ignore[attr-defined]
        "urlconf": get_urlconf(),
        "disabled": logging.root.manager.disable,
        "settings": dict(connections.settings["default"]),
    }
    assert after == before
    assert (heard, caplog.records) == ([], [])
    for made in connections.all(initialized_only=True):
        assert not {"connect", "ensure_connection"} & vars(made).keys()
        assert not made.execute_wrappers


def test_views_that_are_alike_are_not_asked_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = Prober._answer

    def counting(self: Prober, row: Row, kind: str, *rest: Any) -> Any:
        asked.append(kind)
        return original(self, row, kind, *rest)

    monkeypatch.setattr(Prober, "_answer", counting)
    urls = [
        path(f"{n}/", type(f"View{n}", (Plain,), more).as_view())  # type: ignore[attr-defined]
        # Other methods are no other answer, but for naming them.
        for n, more in enumerate([{}, {"delete": Plain.get}] * 50)
    ]
    monkeypatch.setattr("sample_urls.urlpatterns", urls)
    from django.urls import clear_url_caches

    clear_url_caches()
    try:
        described = manifest()
    finally:
        monkeypatch.undo()
        clear_url_caches()
    assert {row["guard"] for row in described["url_table"]} == {"token"}
    assert len(asked) == 2 * 2 * len(EVERY_KIND) + 2 * 99
    named = {dict(answer["headers"])["Allow"] for answer in described["answers"]}
    assert named == {"GET, HEAD, OPTIONS", "GET, DELETE, HEAD, OPTIONS"}


def test_settings_module_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    described = manifest()
    assert described["settings"] == "shop.settings"
    assert described["debug"] is django_settings.DEBUG


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (JWTAuthentication, "get_validated_token", lambda self, raw_token: None),
        (TokenBackend, "decode", lambda self, token, verify=True: {}),
        (AccessToken, "_token_backend", TokenBackend("HS256", "k" * 64)),
    ],
)
def test_project_that_replaced_what_proves_its_tokens_gives_no_rules(
    owner: Any, name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, value)
    described = manifest()
    assert described["token_rules"] is None
    assert "replaced at run time" in described["token_rules_why_not"]
