"""`manage.py sandbox_methods`: how much of Proxmox VE's API the sandbox answers."""

from typing import Any

from django.core.management.base import BaseCommand

from vms.sandbox import coverage


class Command(BaseCommand):
    help = "Count the methods that the sandbox models, those that answer an example, and those that answer 501."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        self.stdout.write(coverage.table())
