from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('iprs', '0005_operations'),
    ]

    operations = [
        migrations.AddField(
            model_name='ipr',
            name='has_safety_snapshots',
            field=models.BooleanField(default=False, help_text='A snapshot is taken of each guest before it is changed.'),
        ),
    ]
