"""From which snapshot a machine goes on."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('vms', '0015_images'),
    ]

    operations = [
        migrations.AddField(
            model_name='guestsnapshot',
            name='is_current',
            field=models.BooleanField(default=False, help_text='The guest goes on from it now.'),
        ),
    ]
