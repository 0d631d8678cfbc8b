"""Events are found by what they are about, where their stream is about more."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0005_webhook_ids_unique'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='about',
            field=models.CharField(editable=False, help_text='The `id` in its data: one thing of many on its stream.', max_length=80, null=True),
        ),
    ]
