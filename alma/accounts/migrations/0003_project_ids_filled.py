"""Every project that exists gets its id."""

import uuid

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """One random id each."""
    projects = apps.get_model('accounts', 'Project').objects.using(schema_editor.connection.alias)
    for pk in projects.filter(public_id=None).values_list('pk', flat=True):
        projects.filter(pk=pk).update(public_id=uuid.uuid4())


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_project_details'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
