"""manage.py worker: run queued tasks."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections
from django_q.cluster import Cluster

from alma.jobs.beats import WorkerPulse
from alma.server.processes import end_with_supervisor


class Command(BaseCommand):
    """The worker role: a django-q2 cluster, of which nothing outlives the process that started it."""

    help = "Run queued tasks with ALMA_WORKERS processes."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        end_with_supervisor()
        WorkerPulse().start()
        connections.close_all()  # a connection must not be shared with the processes that are forked now
        Cluster().start()
