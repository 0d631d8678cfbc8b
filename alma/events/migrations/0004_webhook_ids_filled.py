"""Every webhook that exists gets its id."""

import uuid

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """One random id each."""
    webhooks = apps.get_model('events', 'WebhookEndpoint').objects.using(schema_editor.connection.alias)
    for pk in webhooks.filter(uid=None).values_list('pk', flat=True):
        webhooks.filter(pk=pk).update(uid=uuid.uuid4())


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0003_webhook_ids'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
