"""Guests that are known already get the organization of their cluster, and the environment of their claim."""

import re

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery

_OWNER = re.compile(r"env:(\d{1,18})(?:/|\Z)", re.ASCII)


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Organizations in one statement, environments guest by guest: only those that were declared have one."""
    alias = schema_editor.connection.alias
    guests = apps.get_model('vms', 'Guest').objects.using(alias)
    clusters = apps.get_model('vms', 'Cluster').objects.using(alias).filter(pk=OuterRef('cluster_id'))
    guests.filter(organization=None).update(organization_id=Subquery(clusters.values('organization_id')[:1]))
    known = set(apps.get_model('accounts', 'Environment').objects.using(alias).values_list('pk', flat=True))
    for pk, owner in guests.exclude(claim=None).values_list('pk', 'claim__owner'):
        match = _OWNER.match(owner)
        if match and int(match[1]) in known:
            guests.filter(pk=pk).update(environment_id=int(match[1]))


class Migration(migrations.Migration):

    dependencies = [
        ('vms', '0004_guest_details'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
