"""Keys get an id that may be spoken of, words, and where they were last used from."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_project_ids_unique'),
    ]

    operations = [
        migrations.AddField('apikey', 'token_id', models.CharField(editable=False, max_length=24, null=True)),
        migrations.AddField('apikey', 'created_by', models.CharField(blank=True, editable=False, max_length=150, default=''), preserve_default=False),
        migrations.AddField('apikey', 'description', models.CharField(blank=True, max_length=500, default=''), preserve_default=False),
        migrations.AddField('apikey', 'last_used_from', models.CharField(blank=True, editable=False, max_length=45, default=''), preserve_default=False),
    ]
