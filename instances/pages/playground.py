"""The playground: which models one may talk to, and what was said."""

from collections.abc import Sequence
from dataclasses import dataclass

from alma.accounts.actors import Actor
from instances.models import Instance
from instances.pages.listing import Row, rows_of, with_traffic

MOST = 200


@dataclass(frozen=True)
class Choice:
    """A model that one may talk to, by the name that requests use."""

    name: str
    row: Row

    @property
    def words(self) -> str:
        """How soon it answers."""
        if self.row.status in {"running", "unhealthy"}:
            return "running"
        if self.row.status == "failed":
            return "failed"
        seconds = self.row.usual_seconds
        about = f", in about {max(1, round(seconds))} s" if seconds is not None else ""
        return f"starts on demand{about}" if self.row.instance.starts_on_demand else self.row.status


def choices(actor: Actor) -> Sequence[Choice]:
    """Those that answer soonest first."""
    rows = rows_of(with_traffic(Instance.objects.visible_to(actor).order_by("name"))[:MOST])
    found = [Choice(name, row) for row in rows for name in dict.fromkeys([row.instance.name, *row.instance.aliases])]
    ranks = {"running": 0, "unhealthy": 0, "failed": 2}
    return sorted(found, key=lambda choice: ranks.get(choice.row.status, 1))
