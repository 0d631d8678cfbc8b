"""From now on no key is without an id, and no two share one."""

from django.db import migrations, models

import alma.accounts.models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_api_key_ids_filled'),
    ]

    operations = [
        migrations.AlterField(
            model_name='apikey',
            name='token_id',
            field=models.CharField(default=alma.accounts.models.new_token_id, editable=False, max_length=24, unique=True),
        ),
    ]
