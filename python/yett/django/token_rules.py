"""The project's token rules for the edge: key, algorithm and what a token must say.

They are read from the very backend that `yett.drf` verifies with, so the edge and the
project cannot disagree. The result holds the key: it goes to the server, nowhere else.
"""

import base64
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .originals import first_replaced

#: What the edge verifies: all but simplejwt's old name for ES512.
EDGE_ALGORITHMS = frozenset(
    f"{family}{bits}" for family in ("HS", "RS", "PS", "ES") for bits in (256, 384, 512)
) | {"ES256K", "EdDSA"}


class NotForTheEdge(Exception):
    """The edge cannot verify this project's tokens; the text is the reason for people."""


def token_rules() -> dict[str, Any]:
    """Return the rules as the manifest has them; raises `NotForTheEdge`."""
    if "yett.drf.authentication" not in sys.modules:
        raise NotForTheEdge("the project does not use yett.drf.authentication")
    try:
        return _rules()
    except ImproperlyConfigured as error:
        raise NotForTheEdge(str(error)) from error


def _rules() -> dict[str, Any]:
    from yett.drf import state
    from yett.drf.authentication import JWTAuthentication, header_types
    from yett.drf.backends import TokenBackend
    from yett.drf.settings import api_settings
    from yett.drf.tokens import AccessToken

    if tuple(api_settings.AUTH_TOKEN_CLASSES) != (AccessToken,):
        raise NotForTheEdge("AUTH_TOKEN_CLASSES is not AccessToken alone")
    if api_settings.AUTH_HEADER_NAME != "HTTP_AUTHORIZATION":
        raise NotForTheEdge(f"AUTH_HEADER_NAME is {api_settings.AUTH_HEADER_NAME}")
    if type(state.token_backend) is not TokenBackend:
        raise NotForTheEdge("the token backend is the project's own")
    if not header_types():
        raise NotForTheEdge("AUTH_HEADER_TYPES is empty")
    if not all(scheme.isascii() and scheme.isprintable() for scheme in header_types()):
        raise NotForTheEdge("AUTH_HEADER_TYPES has a name that no header can carry")

    backend = state.token_backend
    if replaced := first_replaced((JWTAuthentication, AccessToken, TokenBackend)):
        raise NotForTheEdge(replaced)
    if not JWTAuthentication()._rules_are_ordinary():
        raise NotForTheEdge("what proves a token was replaced at run time")
    if backend.algorithm not in EDGE_ALGORITHMS:
        raise NotForTheEdge(f"ALGORITHM is {backend.algorithm}")
    issuer = backend.checked_issuer()
    if isinstance(issuer, list):
        raise NotForTheEdge("ISSUER is a list")
    return {
        "algorithm": backend.algorithm,
        **_keys(backend),
        "leeway_seconds": backend.leeway_seconds(),
        "issuer": issuer,
        "audience": backend.audience_list(),
        "token_type_claim": api_settings.TOKEN_TYPE_CLAIM,
        "token_type": AccessToken.token_type,
        "jti_claim": api_settings.JTI_CLAIM,
        "header_types": list(header_types()),
    }


def _keys(backend: Any) -> dict[str, Any]:
    """What tokens are proven with: a key, or where an issuer publishes its keys."""
    client = backend.jwks_client
    if client is not None:
        from yett.jwt import PyJWKClient

        if type(client) is not PyJWKClient or client.headers:
            raise NotForTheEdge("the client for JWK_URL is the project's own")
        return {"jwk_url": client.uri}
    # An unusable key must be a sentence here, not a failure there.
    key = backend.own_verifying_key()
    return {
        # Of a key pair never the private half, also where VERIFYING_KEY holds it.
        "key": _in_base64(_secret(backend) if backend.is_symmetric else key.to_pem()),
        "danger_short_key": key.weakness is not None,
    }


def _secret(backend: Any) -> str | bytes:
    secret: str | bytes = backend.signing_key
    return secret


def _in_base64(key: str | bytes) -> str:
    return base64.b64encode(key.encode() if isinstance(key, str) else key).decode()
