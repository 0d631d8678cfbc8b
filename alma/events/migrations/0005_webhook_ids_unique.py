"""From now on no webhook is without an id, and no two share one."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0004_webhook_ids_filled'),
    ]

    operations = [
        migrations.AlterField(
            model_name='webhookendpoint',
            name='uid',
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
        ),
    ]
