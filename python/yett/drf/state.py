"""The one `TokenBackend` of the project's settings, rebuilt when they change.

Use it as `state.token_backend`; a name imported from here stays what it was.
"""

from typing import Any

from django.core.signals import setting_changed

from .backends import TokenBackend
from .settings import api_settings


def backend_from_settings() -> TokenBackend:
    """Build a backend from `SIMPLE_JWT` as it is now."""
    return TokenBackend(
        api_settings.ALGORITHM,
        api_settings.SIGNING_KEY,
        api_settings.VERIFYING_KEY,
        api_settings.AUDIENCE,
        api_settings.ISSUER,
        api_settings.JWK_URL,
        api_settings.LEEWAY,
        api_settings.JSON_ENCODER,
        danger_jwk_url_over_http=api_settings.DANGER_JWK_URL_OVER_HTTP,
    )


token_backend = backend_from_settings()


def rebuild_token_backend(*, setting: str, **_kwargs: Any) -> None:
    """Receive Django's `setting_changed`, after `settings.py` has (it connected first)."""
    global token_backend
    if setting in ("SECRET_KEY", "SIMPLE_JWT"):
        token_backend = backend_from_settings()


setting_changed.connect(rebuild_token_backend)
