"""Both tables in Django's admin. What was issued can be looked at; a token can be revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .models import BlacklistedToken, OutstandingToken

if TYPE_CHECKING:
    Outstanding = admin.ModelAdmin[OutstandingToken]
    Blacklisted = admin.ModelAdmin[BlacklistedToken]
else:
    # Only the stubs' class takes a parameter.
    Outstanding = Blacklisted = admin.ModelAdmin


@admin.register(OutstandingToken)
class OutstandingTokenAdmin(Outstanding):
    """Read-only: rows come from issuing tokens alone."""

    list_display = ("jti", "user", "created_at", "expires_at")
    search_fields = ("user__id", "jti")
    ordering = ("user",)
    # Django's own sign for "no actions".
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutstandingToken]:
        """Fetch the users with the rows."""
        rows: QuerySet[OutstandingToken] = super().get_queryset(request)
        return rows.select_related("user")  # type: ignore[no-any-return]  # of the stubs

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return every field."""
        return [field.name for field in self.model._meta.fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody may."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody may: a revoked token whose row is gone would be good again."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may change may look; nothing is written."""
        return request.method in ("GET", "HEAD") and super().has_change_permission(request, obj)


@admin.register(BlacklistedToken)
class BlacklistedTokenAdmin(Blacklisted):
    """Adding a row revokes a token, deleting one lets it in again."""

    list_display = (
        "token_jti",
        "token_user",
        "token_created_at",
        "token_expires_at",
        "blacklisted_at",
    )
    search_fields = ("token__user__id", "token__jti")
    ordering = ("token__user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BlacklistedToken]:
        """Fetch tokens and users with the rows."""
        rows: QuerySet[BlacklistedToken] = super().get_queryset(request)
        return rows.select_related("token__user")  # type: ignore[no-any-return]  # of the stubs

    @admin.display(description=_("jti"), ordering="token__jti")
    def token_jti(self, obj: BlacklistedToken) -> str:
        """Return the token's id."""
        return obj.token.jti

    @admin.display(description=_("user"), ordering="token__user")
    def token_user(self, obj: BlacklistedToken) -> Any:
        """Return whose token it was."""
        return obj.token.user

    @admin.display(description=_("created at"), ordering="token__created_at")
    def token_created_at(self, obj: BlacklistedToken) -> Any:
        """Return when it was issued."""
        return obj.token.created_at

    @admin.display(description=_("expires at"), ordering="token__expires_at")
    def token_expires_at(self, obj: BlacklistedToken) -> Any:
        """Return when it ends."""
        return obj.token.expires_at
