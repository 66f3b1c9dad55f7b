"""All that is written to and asked of the two tables: the one place where tokens are revoked.

Callers pass a token object whose signature is proved, or which is new. Nothing here judges
a token. Each row is fetched or made by itself; what must happen together is put into
`step.one_step()` by the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth import get_user_model
from django.db import IntegrityError, models, router, transaction
from django.utils.translation import gettext_lazy as _

from ..exceptions import TokenError
from ..settings import api_settings
from ..users import user_by
from ..utils import NO_ID_OF_THE_MODEL, datetime_from_epoch
from .models import LONGEST_ID, BlacklistedToken, OutstandingToken

if TYPE_CHECKING:
    from ..tokens import Token

M = TypeVar("M", bound=models.Model)


def token_id(token: Token) -> Any:
    """Return the claim that names a token; `TokenError` when there is none to look up."""
    try:
        return token.payload[api_settings.JTI_CLAIM]
    except KeyError as error:
        raise TokenError(_("Token has no id")) from error


def is_blacklisted(jti: Any) -> bool:
    """Return whether the token of an id was revoked; `TokenError` for an id that cannot be."""
    # PostgreSQL takes no NUL in a text, and fails on it.
    if isinstance(jti, str) and "\0" in jti:
        raise TokenError(_("Token is invalid"))
    return BlacklistedToken.objects.filter(token__jti=jti).exists()


def outstand(token: Token) -> tuple[OutstandingToken, bool]:
    """Return the row of a token, and whether it is new."""
    jti = token_id(token)
    # Databases other than SQLite fail on what their column cannot hold.
    if isinstance(jti, str) and (len(jti) > LONGEST_ID or "\0" in jti):
        raise TokenError(_("Token is invalid"))
    return _insert(OutstandingToken, {"jti": jti}, _columns(token, _user(token)))


def outstand_for(token: Token, user: Any) -> OutstandingToken:
    """Make the row of a token that was just issued to a user."""
    return OutstandingToken.objects.create(jti=token_id(token), **_columns(token, user))


def blacklist(token: Token) -> tuple[BlacklistedToken, bool]:
    """Revoke a token; return its row, and whether it is new: false when it was revoked before.

    Of any number of callers at the same moment exactly one gets a new row, if it commits: the
    column `token` is unique, and a second insert waits for the first one's transaction.
    """
    rows = OutstandingToken.objects.using(router.db_for_write(OutstandingToken))
    try:
        row = rows.get(jti=token_id(token))
    except OutstandingToken.DoesNotExist:
        row, _is_new = outstand(token)
    return _insert(BlacklistedToken, {"token": row}, {})


def _insert(model: type[M], key: dict[str, Any], columns: dict[str, Any]) -> tuple[M, bool]:
    """Insert the row of a unique key, or return the one that is there; whether it is new.

    `get_or_create` the other way round: callers expect no row, so asking first is in vain.
    """
    manager: Any = model._default_manager
    using = router.db_for_write(model)
    try:
        with transaction.atomic(using=using):
            return manager.using(using).create(**key, **columns), True
    except IntegrityError:
        try:
            return manager.using(using).get(**key), False
        except model.DoesNotExist:
            pass
        raise


def _columns(token: Token, user: Any) -> dict[str, Any]:
    return {
        "user": user,
        "created_at": token.current_time,
        "token": _text(token),
        "expires_at": datetime_from_epoch(token.payload["exp"]),
    }


def _text(token: Token) -> str:
    try:
        return str(token)
    except ValueError:
        # Of another issuer, who writes it shorter than we may. It can be revoked all the same.
        raw = token.token
        return raw.decode() if isinstance(raw, bytes) else raw or ""


def _user(token: Token) -> Any:
    user_id = token.payload.get(api_settings.USER_ID_CLAIM)
    known = token.known_user
    if known is not None and str(getattr(known, api_settings.USER_ID_FIELD)) == str(user_id):
        return known
    user_model = get_user_model()
    try:
        return user_by(user_model, api_settings.USER_ID_FIELD, user_id)
    except (user_model.DoesNotExist, *NO_ID_OF_THE_MODEL):
        # The token is revoked all the same.
        return None
