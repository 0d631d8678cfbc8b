"""The history of one machine reads an index, however long that of its cluster is."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0007_what_events_are_about_filled'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('about__isnull', False)), fields=['stream', 'about', '-at', '-id'], name='event_about'),
        ),
    ]
