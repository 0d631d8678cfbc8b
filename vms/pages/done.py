"""What was done to one machine: the jobs about it."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator

from alma.accounts.actors import Actor
from alma.jobs.models import Job, JobQuerySet
from vms.models import Guest
from vms.pages.work import Work, work_of

PER_PAGE = 20
LATEST = 5


class Done:
    """Its jobs, the newest first; `number` is the page of all of them."""

    def __init__(self, guest: Guest, actor: Actor, number: str = "") -> None:
        self.guest = guest
        self.actor = actor
        self.number = number

    @property
    def _jobs(self) -> JobQuerySet:
        rows: JobQuerySet = Job.objects.visible_to(self.actor).filter(params__guest=self.guest.pk)
        return rows.order_by("-pk")

    @cached_property
    def waiting(self) -> list[Job]:
        """Those that people have to agree to first, the oldest first."""
        return list(self._jobs.filter(state=Job.State.WAITING).reverse()[:LATEST])

    @cached_property
    def latest(self) -> Sequence[Work]:
        """The last of them."""
        return work_of(self._jobs[:LATEST])

    @cached_property
    def page(self) -> Page[Any]:
        """All of them, a page at a time."""
        page = Paginator(self._jobs.values_list("pk", flat=True), PER_PAGE).get_page(self.number)
        page.object_list = work_of(Job.objects.filter(pk__in=list(page.object_list)).order_by("-pk"))
        return page
