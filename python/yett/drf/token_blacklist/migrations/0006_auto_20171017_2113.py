from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("token_blacklist", "0005_remove_outstandingtoken_jti")]
    operations = [migrations.RenameField("outstandingtoken", "jti_hex", "jti")]
