"""`manage.py sandbox_import <cluster>`: a snapshot of a registered cluster becomes the state of a sandbox."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alma.errors import Unavailable
from vms.models import Cluster
from vms.sandbox import importing
from vms.sandbox.opening import NotEmpty, keep_import
from vms.sandbox.store import StoreInUse
from vms.services import clear_answers


class Command(BaseCommand):
    help = "Read a cluster, change nothing on it, and begin a sandbox of its own with what was read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cluster", help="the cluster's short name, as in the address of its page")
        parser.add_argument("--organization", default=settings.ALMA_PUBLIC_ORGANIZATION, help="whose cluster it is")
        parser.add_argument("--data-dir", type=Path, required=True, help="where `manage.py sandbox` will be started")
        parser.add_argument("--replace", action="store_true", help="replace what the sandbox of that directory holds")

    def handle(self, **options: Any) -> None:
        rows = Cluster.objects.filter(organization__slug=options["organization"], slug=options["cluster"])
        cluster = rows.first()
        if cluster is None:
            raise CommandError(f"{options['organization']} has no cluster {options['cluster']}.")
        try:
            with clear_answers(cluster):
                made = importing.read(cluster)
            keep_import(options["data_dir"], made.state, is_replacing=options["replace"])
        except (Unavailable, StoreInUse, NotEmpty) as error:
            raise CommandError(str(error)) from error
        for sentence in made.left_out:
            self.stderr.write(sentence)
        taken = ", ".join(f"{number} {noun}" for noun, number in importing.facts(made).items())
        self.stdout.write(f"Imported {taken}. Start it: manage.py sandbox --data-dir {options['data_dir']}")
