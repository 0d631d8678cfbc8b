from django.db import migrations, models

import vms.models.clusters


class Migration(migrations.Migration):

    dependencies = [
        ('vms', '0010_figures_and_snapshots'),
    ]

    operations = [
        migrations.AddField(
            model_name='cluster',
            name='encrypting_storages',
            field=models.JSONField(blank=True, default=list, help_text='All storages that encrypt what lies on them; Proxmox cannot tell. Empty: not known of any.', validators=[vms.models.clusters.validate_names]),
        ),
    ]
