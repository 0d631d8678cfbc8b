from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('iprs', '0003_drift_answer'),
    ]

    operations = [
        migrations.AddField(
            model_name='ipr',
            name='claimed_author',
            field=models.CharField(blank=True, help_text='Who a caller without a key says they are.', max_length=150),
        ),
    ]
