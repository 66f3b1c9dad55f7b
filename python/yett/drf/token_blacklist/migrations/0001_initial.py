from typing import Any

from django.conf import settings
from django.db import migrations, models


def row_id() -> Any:
    return models.AutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            "BlacklistedToken",
            [
                ("id", row_id()),
                ("blacklisted_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            "OutstandingToken",
            [
                ("id", row_id()),
                ("jti", models.UUIDField(unique=True)),
                ("token", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("user", models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)),
            ],
            options={"ordering": ("user",)},
        ),
        migrations.AddField(
            "blacklistedtoken",
            "token",
            models.OneToOneField("token_blacklist.OutstandingToken", models.CASCADE),
        ),
    ]
