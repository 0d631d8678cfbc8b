"""manage.py prepare: what `manage.py up` does before it starts the roles, for those whose roles are started by others."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from alma.server import preparation


class Command(BaseCommand):
    """Harmless when done again."""

    help = "Bring the database to this version, and make an organization, an admin and a key unless they are there."

    def handle(self, *args: Any, **options: Any) -> None:
        settings.ALMA_DATA_DIR.mkdir(parents=True, exist_ok=True)
        count = preparation.migrate()
        preparation.first_content()
        self.stdout.write(f"applied {count} migrations")
        self.stdout.write(f"the first user name, password and key are in {settings.ALMA_DATA_DIR / 'bootstrap.json'}")
