"""manage.py reconciler: finish what others left."""

from typing import Any

from django.core.management.base import BaseCommand

from alma.jobs.reconciler import Reconciler
from alma.server.processes import end_with_supervisor


class Command(BaseCommand):
    """The reconciler role."""

    help = "Kick stalled jobs and run chores, every few seconds."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        end_with_supervisor()
        Reconciler.from_settings().run()
