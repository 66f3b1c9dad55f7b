"""All that is written to and asked of the two tables: the one place where tokens are revoked.

Callers pass a token object whose signature is proved, or which is new. Nothing here judges
a token. The steps are simplejwt's: each row is fetched or made by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ..exceptions import TokenError
from ..settings import api_settings
from ..utils import datetime_from_epoch
from .models import BlacklistedToken, OutstandingToken

if TYPE_CHECKING:
    from ..tokens import Token


def token_id(token: Token) -> Any:
    """Return the claim that names a token; `TokenError` when there is none to look up."""
    try:
        return token.payload[api_settings.JTI_CLAIM]
    except KeyError as error:
        raise TokenError(_("Token has no id")) from error


def is_blacklisted(jti: Any) -> bool:
    """Return whether the token of an id was revoked."""
    return BlacklistedToken.objects.filter(token__jti=jti).exists()


def outstand(token: Token) -> tuple[OutstandingToken, bool]:
    """Return the row of a token, and whether it is new."""
    user_id = token.payload.get(api_settings.USER_ID_CLAIM)
    return OutstandingToken.objects.get_or_create(
        jti=token_id(token), defaults=_columns(token, _user(user_id))
    )


def outstand_for(token: Token, user: Any) -> OutstandingToken:
    """Make the row of a token that was just issued to a user."""
    return OutstandingToken.objects.create(jti=token_id(token), **_columns(token, user))


def blacklist(token: Token) -> tuple[BlacklistedToken, bool]:
    """Revoke a token; return its row, and whether it is new: false when it was revoked before."""
    row, _is_new = outstand(token)
    return BlacklistedToken.objects.get_or_create(token=row)


def _columns(token: Token, user: Any) -> dict[str, Any]:
    return {
        "user": user,
        "created_at": token.current_time,
        "token": str(token),
        "expires_at": datetime_from_epoch(token.payload["exp"]),
    }


def _user(user_id: Any) -> Any:
    user_model = get_user_model()
    try:
        return user_model.objects.get(**{api_settings.USER_ID_FIELD: user_id})
    except (user_model.DoesNotExist, TypeError, ValueError, ValidationError):
        # The last three: no id of this model. The token is revoked all the same.
        return None
