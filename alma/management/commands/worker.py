"""manage.py worker: run queued tasks."""

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections
from django_q.cluster import Cluster

from alma import liveness
from alma.jobs.gauge import gauge
from alma.jobs.watch import LOOK, Watch, living
from alma.server.processes import end_with_supervisor, kill_descendants

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """The worker role: a django-q2 cluster, of which nothing outlives the process that started it.

    That process does nothing but look after the group, without the database: when the group stands still it is ended, to
    be started again by whoever started this role."""

    help = "Run queued tasks with ALMA_WORKERS processes."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        end_with_supervisor()
        gauge.connect()
        connections.close_all()  # a connection must not be shared with the processes that are forked now
        cluster = Cluster()
        cluster.start()
        liveness.is_ready()
        trouble = _trouble(cluster.sentinel)
        if trouble:
            logger.error("the workers are ended: %s", trouble)
            kill_descendants()
            raise SystemExit(1)


def _trouble(sentinel: Any) -> str | None:
    """What is wrong with the group, once something is; None when it was asked to end and has ended."""
    watch = Watch(gauge, settings.ALMA_WORKERS)
    while sentinel.is_alive():
        trouble = watch.look(living(sentinel.pid))
        if trouble:
            return trouble
        liveness.show_life()
        sentinel.join(LOOK)
    return None if sentinel.exitcode == 0 else "their sentinel has died"
