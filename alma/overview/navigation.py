"""What the shell shows on every page, counted when the template asks for it and not before."""

from functools import cached_property
from typing import Any

from django.db.models import IntegerField, Subquery
from django.http import HttpRequest

from alma.accounts.actors import Actor
from alma.accounts.models import Organization
from alma.jobs import tray
from alma.jobs.kinds import topics
from iprs.models import IPR, Deployment
from iprs.queues import needs_review

_MOST = 99


class _HowMany(Subquery):
    """The number of rows of a queryset, as a column of another query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


class Navigation:
    """The organization's name and a few numbers, all in one query."""

    def __init__(self, actor: Actor | None) -> None:
        self._actor = actor

    @cached_property
    def organization(self) -> str:
        """Whose pages these are."""
        return self._here.name if self._here else ""

    @cached_property
    def organizations(self) -> list[Organization]:
        """Where the person can act; of others that one that they see. Each bears the numbers of the actor's own."""
        actor = self._actor
        if not actor:
            return []
        rows = Organization.objects.annotate(
            to_review=_HowMany(needs_review(IPR.objects.visible_to(actor), actor).order_by().values("pk")[: _MOST + 1]),
            at_work=_HowMany(Deployment.objects.visible_to(actor).running().order_by().values("pk")),
            active_jobs=_HowMany(tray.active(actor).order_by().values("pk")[: _MOST + 1]),
            failed_jobs=_HowMany(tray.unread(actor).order_by().values("pk")[: _MOST + 1]),
        )
        if actor.user is None:
            return list(rows.filter(pk=actor.organization_id or 0))
        return list(rows.filter(memberships__user=actor.user))

    @cached_property
    def _here(self) -> Any:
        """The actor's own organization, or None."""
        wanted = self._actor.organization_id if self._actor else None
        return next((row for row in self.organizations if row.pk == wanted), None)

    @cached_property
    def is_administrator(self) -> bool:
        """Whether the organization's settings are theirs."""
        return bool(self._actor and self._actor.has("admin:write"))

    @cached_property
    def review_count(self) -> int | str:
        """How many proposals wait for the actor's review."""
        return self._at_most("to_review")

    @cached_property
    def running_count(self) -> int:
        """How many deployments have not ended."""
        return self._here.at_work if self._here else 0

    @cached_property
    def has_jobs(self) -> bool:
        """Whether the actor may see what ALMA carries out."""
        return bool(self._actor and self._here and self._actor.has(tray.READ))

    @property
    def job_topics(self) -> str:
        """What the tray watches."""
        return topics()

    @cached_property
    def active_jobs(self) -> int | str:
        """How many jobs have not ended."""
        return self._at_most("active_jobs")

    @cached_property
    def failed_jobs(self) -> int | str:
        """How many failures the actor has not read of."""
        return self._at_most("failed_jobs")

    def _at_most(self, name: str) -> int | str:
        """A number of the organization; nobody reads one of three digits there."""
        found: int = getattr(self._here, name, 0)
        return found if found <= _MOST else f"{_MOST}+"


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context of the shell."""
    return {"nav": Navigation(getattr(request, "actor", None)), "theme": request.COOKIES.get("theme", "system")}
