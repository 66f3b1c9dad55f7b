"""The project's token rules for the edge: key, algorithm and what a token must say.

They are read from the very backend that `yett.drf` verifies with, so the edge and the
project cannot disagree. The result holds the key: it goes to the server, nowhere else.
"""

import base64
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured


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
    from yett.drf.authentication import header_types
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
    # Made and thrown away: an unusable key must be a sentence here, not a failure there.
    _ = backend.verifier
    key = backend.key_bytes()
    return {
        "algorithm": backend.algorithm,
        "key": base64.b64encode(key).decode(),
        "danger_short_key": backend.short_key_is_allowed(key),
        "leeway_seconds": backend.leeway_seconds(),
        "issuer": backend.checked_issuer(),
        "audience": backend.audience_list(),
        "token_type_claim": api_settings.TOKEN_TYPE_CLAIM,
        "token_type": AccessToken.token_type,
        "jti_claim": api_settings.JTI_CLAIM,
        "header_types": list(header_types()),
    }
