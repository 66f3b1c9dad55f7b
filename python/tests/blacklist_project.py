"""One small project with the blacklist app, asked and answered as JSON.

Run as a program, once with each package, so that neither sees the other:

    python blacklist_project.py yett.drf db.sqlite3 fill
"""

import io
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

KEY = "a-key-for-tests-alone-of-more-than-thirty-two-bytes"
urlpatterns: list[Any] = []


def configure(package: str, database: str) -> None:
    """Set Django up with the package's app."""
    settings.configure(
        SECRET_KEY=KEY,
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["testserver"],
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "rest_framework",
            f"{package}.token_blacklist",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        USE_TZ=True,
        STATIC_URL="static/",
        SIMPLE_JWT={"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True},
    )
    django.setup()


def output(*command: str) -> str:
    """Return what a command of `manage.py` prints; it must not fail."""
    printed = io.StringIO()
    call_command(*command, stdout=printed, no_color=True)
    return printed.getvalue()


def fill(package: str) -> dict[str, str]:
    """Migrate, and issue tokens: kept, revoked, and rotated by a refresh."""
    call_command("migrate", verbosity=0)
    from django.contrib.auth import get_user_model

    tokens = import_module(f"{package}.tokens")
    serializers = import_module(f"{package}.serializers")
    user = get_user_model().objects.create(username="ann")
    made = {
        name: tokens.RefreshToken.for_user(user) for name in ("kept", "revoked", "rotated", "gone")
    }
    made["sliding"] = tokens.SlidingToken.for_user(user)
    made["sliding, revoked"] = tokens.SlidingToken.for_user(user)
    for name in ("revoked", "sliding, revoked"):
        made[name].blacklist()
    rotation = serializers.TokenRefreshSerializer(data={"refresh": str(made["rotated"])})
    assert rotation.is_valid()
    leaver = get_user_model().objects.create(username="leaver")
    made["of a deleted user"] = tokens.RefreshToken.for_user(leaver)
    made["of a deleted user"].blacklist()
    leaver.delete()
    return {name: str(token) for name, token in made.items()} | {
        "successor": rotation.validated_data["refresh"]
    }


def look(package: str) -> dict[str, Any]:
    """Say which tokens count, and what Django would change in the database."""
    tokens = import_module(f"{package}.tokens")
    errors = import_module(f"{package}.exceptions")
    from django.contrib.auth.models import Permission
    from django.db import connection

    def accepted(name: str, token: str) -> bool:
        kind = tokens.SlidingToken if name.startswith("sliding") else tokens.RefreshToken
        try:
            kind(token)
        except errors.TokenError as error:
            assert str(error) == "Token is blacklisted"
            return False
        return True

    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master ORDER BY name")
        schema = cursor.fetchall()
    return {
        "accepted": [name for name, token in json.load(sys.stdin).items() if accepted(name, token)],
        "makemigrations": output("makemigrations", "--check", "--dry-run"),
        "migrate": output("migrate", "--check"),
        "plan": output("showmigrations", "--plan", "token_blacklist"),
        "permissions": [
            str(permission)
            for permission in Permission.objects.filter(content_type__app_label="token_blacklist")
        ],
        "schema": schema,
    }


def revoke(package: str) -> None:
    """Revoke the tokens on standard input."""
    tokens = import_module(f"{package}.tokens")
    for token in json.load(sys.stdin):
        tokens.RefreshToken(token).blacklist()


def sql(package: str) -> dict[str, str]:
    """Return the SQL of each migration."""
    folder = Path(import_module(f"{package}.token_blacklist.migrations").__path__[0])
    names = sorted(file.stem for file in folder.glob("0*.py"))
    # Not the command: it opens a transaction in which SQLite cannot alter tables.
    return {
        name: output("sqlmigrate", "token_blacklist", name) if name[:4] != "0003" else ""
        for name in names
    }


def admin(package: str) -> dict[str, Any]:
    """Return what a superuser meets in the admin."""
    from django.contrib import admin as site
    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.urls import path

    urlpatterns.append(path("admin/", site.site.urls))
    models = import_module(f"{package}.token_blacklist.models")
    user = get_user_model().objects.create(username="root", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user)
    base = "/admin/token_blacklist"
    outstanding = models.OutstandingToken.objects.get(
        blacklistedtoken=None,
        jti__isnull=False,
        user__username="ann",
        token=json.load(sys.stdin)["kept"],
    ).pk
    revoked = models.BlacklistedToken.objects.order_by("pk").first().pk
    answers = {
        target: client.get(base + target).status_code
        for target in (
            "/",
            "/outstandingtoken/",
            "/outstandingtoken/?q=ab",
            "/outstandingtoken/add/",
            f"/outstandingtoken/{outstanding}/change/",
            f"/outstandingtoken/{outstanding}/delete/",
            "/blacklistedtoken/",
            "/blacklistedtoken/?q=ab",
            "/blacklistedtoken/add/",
            f"/blacklistedtoken/{revoked}/change/",
        )
    }
    answers["post"] = client.post(f"{base}/outstandingtoken/{outstanding}/change/").status_code
    answers["revoked"] = client.post(
        f"{base}/blacklistedtoken/add/", {"token": outstanding}
    ).status_code
    answers["rows"] = models.BlacklistedToken.objects.count()
    return answers


def flush(package: str) -> int:
    """Let two tokens be over, flush, and return how many rows are left."""
    models = import_module(f"{package}.token_blacklist.models")
    tokens = import_module(f"{package}.tokens")
    command = import_module(f"{package}.token_blacklist.management.commands.flushexpiredtokens")
    # Ours goes in batches.
    assert getattr(command, "BATCH", 1000) == 1000
    command.BATCH = 1  # type: ignore[attr-defined]  # of simplejwt's it does nothing
    issued = json.load(sys.stdin)
    over = models.OutstandingToken.objects.filter(token__in=[issued["revoked"], issued["kept"]])
    assert over.update(expires_at=tokens.aware_utcnow()) == 2
    assert output("flushexpiredtokens") == ""
    assert not over.exists()
    return int(models.BlacklistedToken.objects.count())


if __name__ == "__main__":
    package, database, command = sys.argv[1:]
    configure(package, database)
    json.dump(globals()[command](package), sys.stdout)
