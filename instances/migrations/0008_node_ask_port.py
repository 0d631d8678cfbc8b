

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('instances', '0007_samples'),
    ]

    operations = [
        migrations.AddField(
            model_name='node',
            name='ask_port',
            field=models.PositiveIntegerField(editable=False, help_text='Where its supervisor answers to other machines, while it does.', null=True),
        ),
    ]
