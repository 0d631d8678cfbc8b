import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('vms', '0005_guest_organizations_filled'),
    ]

    operations = [
        migrations.AlterField(
            model_name='guest',
            name='organization',
            field=models.ForeignKey(help_text="Its cluster's.", on_delete=django.db.models.deletion.CASCADE, related_name='guests', to='accounts.organization'),
        ),
        migrations.AddIndex(
            model_name='guest',
            index=models.Index(condition=models.Q(('is_template', False), ('missing_since', None)), fields=['organization', 'name', 'id', 'status', 'environment', 'lock', 'cluster'], name='guest_by_name'),
        ),
        migrations.AddIndex(
            model_name='guest',
            index=models.Index(condition=models.Q(('is_template', False), ('missing_since', None)), fields=['organization', 'created_at', 'id', 'status', 'environment', 'lock', 'cluster'], name='guest_by_created'),
        ),
        migrations.AddIndex(
            model_name='guest',
            index=models.Index(condition=models.Q(('is_template', False), ('missing_since', None)), fields=['organization', 'status', 'id', 'environment', 'lock', 'cluster'], name='guest_by_status'),
        ),
    ]
