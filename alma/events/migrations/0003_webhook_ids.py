"""Webhooks get an id that is good beyond one installation, and can be deleted without being forgotten."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0002_webhooks'),
    ]

    operations = [
        migrations.AddField('webhookendpoint', 'uid', models.UUIDField(editable=False, null=True)),
        migrations.AddField('webhookendpoint', 'deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
    ]
