from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("token_blacklist", "0008_migrate_to_bigautofield")]
    operations = [
        migrations.AlterField(
            "blacklistedtoken", "id", models.BigAutoField(primary_key=True, serialize=False)
        ),
        migrations.AlterField(
            "outstandingtoken", "id", models.BigAutoField(primary_key=True, serialize=False)
        ),
    ]
