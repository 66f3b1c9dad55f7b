from typing import Any
from uuid import UUID

from django.db import migrations


def rows(apps: Any, schema_editor: Any) -> Any:
    model = apps.get_model("token_blacklist", "OutstandingToken")
    return model.objects.using(schema_editor.connection.alias).all()


def fill_hex(apps: Any, schema_editor: Any) -> None:
    for row in rows(apps, schema_editor):
        row.jti_hex = row.jti.hex
        row.save()


def fill_uuid(apps: Any, schema_editor: Any) -> None:
    for row in rows(apps, schema_editor):
        row.jti = UUID(hex=row.jti_hex)
        row.save()


class Migration(migrations.Migration):
    dependencies = [("token_blacklist", "0002_outstandingtoken_jti_hex")]
    operations = [migrations.RunPython(fill_hex, fill_uuid)]
