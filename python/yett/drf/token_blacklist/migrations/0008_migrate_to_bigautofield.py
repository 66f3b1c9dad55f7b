from typing import Any

from django.db import migrations, models


def row_id() -> Any:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    dependencies = [("token_blacklist", "0007_auto_20171017_2214")]
    operations = [
        migrations.AlterField("blacklistedtoken", "id", row_id()),
        migrations.AlterField("outstandingtoken", "id", row_id()),
    ]
