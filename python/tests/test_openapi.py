"""drf-spectacular describes tokens and their views, with nothing set up for that.

The judge is what it says of the same project under the real simplejwt, for which it has
extensions of its own.
"""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
TOKEN_VIEWS = ("/token/", "/refresh/", "/verify/", "/sliding/", "/sliding/refresh/", "/blacklist/")


def run(*arguments: str, stdin: str = "") -> Any:
    """Return what `openapi_project.py` printed; a process of its own for settings of its own."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / "openapi_project.py"), *arguments],
        env=dict(os.environ),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-5000:]
    return json.loads(ran.stdout)


@cache
def made(package: str, variant: str = "plain") -> Any:
    """Return the document of the project, which drf-spectacular has checked, and complaints."""
    return run(package, variant, ":memory:", "document")


def ours(variant: str = "plain") -> dict[str, Any]:
    """Return the document under `yett.drf`."""
    return made("yett.drf", variant)["document"]  # type: ignore[no-any-return]


def schemes(variant: str) -> Any:
    """Return the security schemes under `yett.drf`."""
    return ours(variant)["components"]["securitySchemes"]


def body(document: dict[str, Any], path: str, status: int) -> Any:
    """Return the schema of an answer."""
    answer = document["paths"][path]["post"]["responses"][str(status)]
    schema = answer["content"]["application/json"]["schema"]
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    return document["components"]["schemas"][name] if name else schema


def without_words(value: Any) -> Any:
    """Return a document without descriptions: our docstrings are our own."""
    if isinstance(value, dict):
        return {k: without_words(v) for k, v in value.items() if k != "description"}
    return [without_words(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("variant", ["plain", "rotating"])
def test_all_that_it_says_under_simplejwt_it_says_here(variant: str) -> None:
    theirs = without_words(made("rest_framework_simplejwt", variant)["document"])
    here = without_words(ours(variant))

    # Better here, one: simplejwt's views are described without their refusals.
    for path in (*TOKEN_VIEWS, "/own/token/"):
        responses = here["paths"][path]["post"]["responses"]
        assert responses.pop("400") and responses.pop("401")
    del here["components"]["schemas"]["RefusedToken"]
    # Two: these answer an empty object. There, one repeats the request, one has no body.
    for path in ("/verify/", "/blacklist/"):
        empty = here["paths"][path]["post"]["responses"].pop("200")
        assert empty["content"]["application/json"]["schema"] == {
            "type": "object",
            "maxProperties": 0,
        }
        del theirs["paths"][path]["post"]["responses"]["200"]
    # Three: a project's own authentication class is known by the class it is made from.
    assert here["paths"]["/own/"]["get"].pop("security") == [{"jwtAuth": []}]
    # Four: so is a serializer; the tokens in its answer are not forgotten.
    role = here["components"]["schemas"]["WithRole"]
    assert set(role["properties"]) == {"username", "password", "role", "access", "refresh"}
    for document in (here, theirs):
        del document["components"]["schemas"]["WithRole"]

    assert here == theirs


def test_nothing_is_complained_of() -> None:
    # Under simplejwt: the stateless class, as its scheme has the same name, and the project's own.
    assert len(made("rest_framework_simplejwt")["complaints"]) == 2
    assert made("yett.drf")["complaints"] == []


@pytest.mark.parametrize("path", TOKEN_VIEWS)
def test_refusals_have_their_bodies(path: str) -> None:
    refused = body(ours(), path, 401)
    assert set(refused["properties"]) == {"detail", "code"}
    assert refused["required"] == ["detail"]
    mistakes = body(ours(), path, 400)
    asked = ours()["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    fields = ours()["components"]["schemas"][asked["$ref"].rpartition("/")[2]]["properties"]
    sent = {name for name, field in fields.items() if not field.get("readOnly")}
    assert set(mistakes["properties"]) == {"detail", "non_field_errors"} | sent


def test_bodies_of_a_handler_of_the_project_are_left_open() -> None:
    for path in TOKEN_VIEWS:
        responses = ours("own_handler")["paths"][path]["post"]["responses"]
        assert "content" not in responses["400"] and "content" not in responses["401"]


def test_a_refresh_token_comes_back_where_it_is_rotated() -> None:
    def refresh(variant: str) -> Any:
        return ours(variant)["components"]["schemas"]["TokenRefresh"]["properties"]["refresh"]

    assert refresh("plain") == {"type": "string", "writeOnly": True}
    assert refresh("rotating") == {"type": "string"}


def test_the_scheme_is_bearer() -> None:
    bearer = {"jwtAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    assert schemes("plain") == bearer
    # Where bearer is one of several; the case of a scheme's name says nothing (RFC 9110).
    assert schemes("many_schemes") == bearer


@pytest.mark.parametrize(
    ("variant", "header"), [("other_scheme", "Authorization"), ("other_header", "X-Access-Token")]
)
def test_another_scheme_or_header_is_described(variant: str, header: str) -> None:
    scheme = schemes(variant)["jwtAuth"]
    word = "JWT" if variant == "other_scheme" else "Bearer"
    assert scheme.pop("description") == f'Token-based authentication with required prefix "{word}"'
    assert scheme == {"type": "apiKey", "in": "header", "name": header}


def test_what_the_project_says_of_a_view_wins() -> None:
    post = ours()["paths"]["/own/verify/"]["post"]
    assert post["summary"] == "Described by the project"
    assert post["responses"] == {"204": {"description": "No response body"}}


def test_views_are_described_by_what_they_say_of_themselves() -> None:
    assert ours()["paths"]["/token/"]["post"]["description"] == (
        "Takes credentials and returns an access and a refresh token."
    )


def test_drf_spectacular_is_not_imported_unless_it_is_used() -> None:
    program = (
        "import sys; from django.conf import settings; settings.configure(SECRET_KEY='k' * 32,"
        "INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes'],"
        "REST_FRAMEWORK={'DEFAULT_AUTHENTICATION_CLASSES':"
        "['yett.drf.authentication.JWTAuthentication']});"
        "import django; django.setup();"
        "from yett.drf import authentication, views;"
        "authentication.JWTAuthentication(); views.TokenVerifyView().schema;"
        "print([name for name in sys.modules if name.startswith('drf_spectacular')"
        " or name == 'yett.drf.openapi'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")
