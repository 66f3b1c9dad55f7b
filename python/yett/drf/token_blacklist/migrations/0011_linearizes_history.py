from django.db import migrations


class Migration(migrations.Migration):
    # Empty. In simplejwt it takes up a 0009 that projects had once made in their installed copy;
    # databases that know one keep its name, and nothing more is asked of it.
    dependencies = [("token_blacklist", "0010_fix_migrate_to_bigautofield")]
    operations = []
