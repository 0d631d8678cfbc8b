"""Every key that exists gets its id."""

import secrets

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """One random id each."""
    keys = apps.get_model('accounts', 'ApiKey').objects.using(schema_editor.connection.alias)
    for pk in keys.filter(token_id=None).values_list('pk', flat=True):
        keys.filter(pk=pk).update(token_id=f'tok_{secrets.token_hex(8)}')


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_api_key_details'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
