"""One request on its way through the router, as it will stand in the log."""

from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from uuid import UUID, uuid4

from django.utils import timezone

from instances.models import RequestRecord
from instances.models.record import LONGEST_ERROR, LONGEST_MODEL, LONGEST_PATH
from instances.router.callers import Caller
from instances.router.metering import Meter

State = RequestRecord.State


@dataclass(eq=False)
class Call:
    """What is known of it so far."""

    caller: Caller
    request_id: str
    path: str
    marker: UUID = field(default_factory=uuid4)
    meter: Meter = field(default_factory=Meter)
    began_at: datetime = field(default_factory=timezone.now)
    began: float = field(default_factory=perf_counter)
    model: str = ""
    instance_id: int | None = None
    is_streamed: bool = False
    queue_seconds: float = 0.0
    position: int = 0
    outcome: State = State.IN_FLIGHT
    http_status: int | None = None
    error: str = ""
    seconds: float | None = None
    ended_at: datetime | None = None

    def end(self, outcome: State, *, error: str = "") -> None:
        """It is over; only the first end counts."""
        if self.ended_at is None:
            self.outcome, self.error = outcome, error
            self.seconds, self.ended_at = perf_counter() - self.began, timezone.now()

    def row(self, router: UUID) -> RequestRecord:
        """As a row of the log."""
        actor = self.caller.actor
        prompt, completion = self.meter.tokens() if self.ended_at else (0, 0)
        return RequestRecord(
            marker=self.marker, router=router, request_id=self.request_id, organization_id=actor.organization_id or 0,
            key_id=actor.key_id, label=actor.label[:150], instance_id=self.instance_id,
            model=_shown(self.model, LONGEST_MODEL), path=_shown(self.path, LONGEST_PATH), is_streamed=self.is_streamed,
            state=self.outcome, http_status=self.http_status, prompt_tokens=prompt, completion_tokens=completion,
            queue_seconds=self.queue_seconds, first_token_seconds=self.meter.first_seconds, duration_seconds=self.seconds,
            began_at=self.began_at, ended_at=self.ended_at,
            error=_shown(self.error, LONGEST_ERROR),
        )  # fmt: skip


def _shown(text: str, most: int) -> str:
    """What a database takes: a name that a client made up may hold a NUL."""
    return text[:most].replace("\0", "")
