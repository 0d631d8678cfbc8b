

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('instances', '0008_node_ask_port'),
    ]

    operations = [
        migrations.AddField(
            model_name='download',
            name='node',
            field=models.CharField(default='main', help_text='The machine that it is fetched to.', max_length=64),
        ),
    ]
