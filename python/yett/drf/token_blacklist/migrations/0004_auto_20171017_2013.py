from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("token_blacklist", "0003_auto_20171017_2007")]
    operations = [
        migrations.AlterField(
            "outstandingtoken", "jti_hex", models.CharField(unique=True, max_length=255)
        ),
    ]
