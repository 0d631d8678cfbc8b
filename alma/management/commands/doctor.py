"""manage.py doctor: does everything hold that must hold?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from alma.jobs.findings import Severity, check_invariants

BROKEN, UNSURE = 1, 2


class Command(BaseCommand):
    """Reads only. Exit status 0: all holds, 1: something does not, 2: something could not be read."""

    help = "Check every invariant of a live installation: ledger against clusters, plans, jobs and events. Changes nothing."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        found = check_invariants()
        if options["json"]:
            self.stdout.write(json.dumps([finding.as_dict() for finding in found], indent=2))
        else:
            for finding in found:
                self.stdout.write(f"{finding.severity:8} {finding.code:20} {finding.subject}: {finding.message}")
            self.stdout.write(f"{len(found)} findings" if found else "Everything holds.")
        severities = {finding.severity for finding in found}
        if severities - {Severity.UNKNOWN}:
            raise SystemExit(BROKEN)
        if severities:
            raise SystemExit(UNSURE)
