"""Assistants, and the conversations that people have with them."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_sign_in_attempts'),
        ('blueprints', '0002_removals'),
    ]

    operations = [
        migrations.CreateModel(
            name='Assistant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=100)),
                ('description', models.TextField(blank=True, max_length=2000)),
                ('model', models.CharField(blank=True, help_text='Name of an instance that runs a model.', max_length=100)),
                ('endpoint', models.CharField(blank=True, help_text='URL of an OpenAI-compatible server elsewhere.', max_length=2000)),
                ('tools', models.JSONField(blank=True, default=list, help_text='Names of the tools that it may use.')),
                ('instructions', models.TextField(blank=True, max_length=8000)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('created_by', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assistants', to='accounts.organization')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Conversation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('title', models.CharField(blank=True, max_length=200)),
                ('status', models.CharField(choices=[('open', 'Open'), ('archived', 'Archived')], default='open', editable=False, max_length=12)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('message_count', models.PositiveIntegerField(default=0, editable=False)),
                ('created_by', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('assistant', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='conversations', to='blueprints.assistant')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='conversations', to='accounts.organization')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('number', models.PositiveIntegerField(help_text='From 1, without gaps.')),
                ('role', models.CharField(choices=[('user', 'User'), ('assistant', 'Assistant')], max_length=12)),
                ('author', models.CharField(max_length=150)),
                ('content', models.TextField()),
                ('draft', models.JSONField(blank=True, help_text='The blueprint that an answer proposes.', null=True)),
                ('wish', models.TextField(blank=True, help_text='The words that an answer understood, with those it asked about.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('conversation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='blueprints.conversation')),
            ],
            options={
                'ordering': ['conversation_id', 'number'],
            },
        ),
        migrations.AddIndex(
            model_name='assistant',
            index=models.Index(fields=['organization', 'deleted_at', 'id'], name='assistant_living'),
        ),
        migrations.AddConstraint(
            model_name='assistant',
            constraint=models.CheckConstraint(condition=models.Q(('model', ''), ('endpoint', ''), _connector='OR'), name='assistant_one_model'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(fields=['organization', 'deleted_at', '-id'], name='conversation_living'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(fields=('conversation', 'number'), name='message_number'),
        ),
    ]
