"""Events of before are found as well."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Left


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What they are about stands in their data; one statement."""
    events = apps.get_model('events', 'Event').objects.using(schema_editor.connection.alias)
    events.filter(data__has_key='id', about=None).update(about=Left(KeyTextTransform('id', 'data'), 80))


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0006_what_events_are_about'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
