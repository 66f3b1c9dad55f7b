"""The two tables. Abstract, so that importing does no harm, where the app is not installed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .apps import is_installed

#: Of a token's id, in characters; simplejwt's column.
LONGEST_ID = 255


class OutstandingToken(models.Model):
    """A token that was issued, until `flushexpiredtokens` after its end.

    `token` is the whole token, as simplejwt keeps it: who can read this table can use what is
    not yet revoked.
    """

    id: models.BigAutoField[Any, int] = models.BigAutoField(primary_key=True, serialize=False)
    # The row outlives its user, so that a revoked token stays revoked.
    user: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True
    )
    jti: models.CharField[Any, str] = models.CharField(unique=True, max_length=LONGEST_ID)
    token: models.TextField[Any, str] = models.TextField()
    created_at: models.DateTimeField[Any, Any] = models.DateTimeField(null=True, blank=True)
    expires_at: models.DateTimeField[Any, Any] = models.DateTimeField()

    class Meta:
        verbose_name = _("Outstanding Token")
        verbose_name_plural = _("Outstanding Tokens")
        abstract = not is_installed()
        ordering = ("user",)

    def __str__(self) -> str:
        return _("Token for %(user)s (%(jti)s)") % {"user": self.user, "jti": self.jti}


class BlacklistedToken(models.Model):
    """A token that was revoked before its end."""

    id: models.BigAutoField[Any, int] = models.BigAutoField(primary_key=True, serialize=False)
    token: models.OneToOneField[Any, OutstandingToken] = models.OneToOneField(
        OutstandingToken, on_delete=models.CASCADE
    )
    blacklisted_at: models.DateTimeField[Any, Any] = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Blacklisted Token")
        verbose_name_plural = _("Blacklisted Tokens")
        abstract = not is_installed()

    def __str__(self) -> str:
        return _("Blacklisted token for %(user)s") % {"user": self.token.user}
