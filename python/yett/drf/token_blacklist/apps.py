"""The app's place in Django's registry."""

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _

#: The label that simplejwt's app has: migrations, permissions and tables are kept under it.
LABEL = "token_blacklist"
NAME = "yett.drf.token_blacklist"
SIMPLEJWT = "rest_framework_simplejwt.token_blacklist"


class TokenBlacklistConfig(AppConfig):
    """Label and primary keys as in simplejwt."""

    name = NAME
    label = LABEL
    verbose_name = _("Token Blacklist")
    default_auto_field = "django.db.models.BigAutoField"


def is_installed() -> bool:
    """Whether the project takes this app, as it is or by a configuration of its own."""
    return apps.is_installed(NAME)


def other_blacklist() -> str | None:
    """The app that stands in the place of this one: simplejwt's, or one with this one's label."""
    for app in apps.app_configs.values():
        if app.name == SIMPLEJWT or (app.label == LABEL and app.name != NAME):
            return app.name
    return None
