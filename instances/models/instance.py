"""Instances: what somebody wants to run, and what runs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from alma.accounts.models import Organization, OwnedQuerySet
from alma.errors import WrongState
from alma.events.services import emit
from alma.sealing import Seal
from instances.models.checks import check_aliases, check_request_defaults
from instances.models.nodes import Node

if TYPE_CHECKING:
    from alma.accounts.actors import Actor

NAME = r"^[A-Za-z0-9](?:(?:[A-Za-z0-9_-]|\.(?!\.)){0,48}[A-Za-z0-9])?\Z"
RESERVED = frozenset({"start-all", "stop-all", "new"})
"""Names that are routes."""
UNKNOWN = "unknown"
LONGEST_REASON = 2000
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""As `stop_by`: requests under way are cut, and nobody is asked first."""
KEY = Seal(
    b"alma instances: key of a start", "The key of this instance was stored under another secret key.", "KEY_UNREADABLE"
)


class InstanceQuerySet(OwnedQuerySet):
    """Instances by what is wanted of them."""

    def visible_to(self, actor: "Actor") -> Self:
        """Those of the actor's organization that nobody has deleted; one that is deleted may take a moment to end."""
        is_lost = Exists(Node.objects.lost().filter(name=OuterRef("node")))
        return super().visible_to(actor).exclude(wanted=Instance.Wish.REMOVED).annotate(is_on_lost_node=is_lost)

    def wanted(self) -> Self:
        """Those that shall run."""
        return self.filter(wanted=Instance.Wish.RUNNING)

    def taking_place(self) -> Self:
        """Those that shall run, have not failed at that, and are on a machine that is there."""
        lost = Node.objects.lost().values("name")
        return self.wanted().exclude(status=Instance.Status.FAILED, run=F("wanted_run")).exclude(node__in=lost)


class Instance(models.Model):
    """A program that serves a model. What is wanted is written by services; what is, by the supervisor of its node alone."""

    class Backend(models.TextChoices):
        LLAMA_CPP = "llama_cpp", "llama.cpp"
        MLX_LM = "mlx_lm", "MLX"
        VLLM = "vllm", "vLLM"

    class Wish(models.TextChoices):
        STOPPED = "stopped"
        RUNNING = "running"
        REMOVED = "removed"

    class Status(models.TextChoices):
        STOPPED = "stopped"
        STARTING = "starting"
        RUNNING = "running"
        UNHEALTHY = "unhealthy"
        STOPPING = "stopping"
        RESTARTING = "restarting"
        FAILED = "failed"

    MOVES: Mapping[Status, frozenset[Status]] = {
        Status.STOPPED: frozenset({Status.STARTING, Status.FAILED}),
        Status.STARTING: frozenset({Status.RUNNING, Status.STOPPING, Status.RESTARTING, Status.FAILED, Status.STOPPED}),
        Status.RUNNING: frozenset(
            {Status.UNHEALTHY, Status.STOPPING, Status.RESTARTING, Status.FAILED, Status.STOPPED}
        ),
        Status.UNHEALTHY: frozenset(
            {Status.RUNNING, Status.STOPPING, Status.RESTARTING, Status.FAILED, Status.STOPPED}
        ),
        Status.STOPPING: frozenset({Status.STOPPED, Status.FAILED}),
        Status.RESTARTING: frozenset({Status.STARTING, Status.STOPPED, Status.FAILED}),
        Status.FAILED: frozenset({Status.STARTING, Status.STOPPED}),
    }
    ALIVE = (Status.STARTING, Status.RUNNING, Status.UNHEALTHY, Status.STOPPING)
    """States in which there is a process."""
    is_on_lost_node = False
    """Read by `visible_to`."""
    SERVING = (Status.RUNNING, Status.UNHEALTHY)

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="instances")
    name = models.CharField(
        max_length=50,
        validators=[
            RegexValidator(
                NAME, "Letters, digits, dots, hyphens and underscores; it begins and ends with one of the first two."
            )
        ],
    )
    # what is wanted
    backend = models.CharField(max_length=16, choices=Backend, default=Backend.LLAMA_CPP)
    model = models.CharField(max_length=500, help_text="Its path in the folder of models.")
    options = models.JSONField(default=dict, blank=True, help_text="As the allow-list names them.")
    group = models.CharField(max_length=50, blank=True, help_text="Instances that compete with each other alone.")
    is_pinned = models.BooleanField(default=False, help_text="Never stopped to make room for another.")
    node = models.CharField(max_length=64, help_text="The machine whose supervisor runs it.")
    port = models.PositiveIntegerField(help_text="On loopback; its own for as long as it exists.")
    aliases = models.JSONField(
        default=list, blank=True, validators=[check_aliases],
        help_text="Other names that requests may use; replicas of one model share them.",
    )  # fmt: skip
    is_unlisted = models.BooleanField(default=False, help_text="Answers to its names, and is in no list of models.")
    request_defaults = models.JSONField(
        default=dict, blank=True, validators=[check_request_defaults],
        help_text="Fields of a request's body that are set where it does not name them.",
    )  # fmt: skip
    concurrency = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1024)],
        help_text="Requests at a time; further ones wait. Empty for no bound.",
    )  # fmt: skip
    starts_on_demand = models.BooleanField(default=True, help_text="Started by the first request that needs it.")
    is_preloaded = models.BooleanField(default=False, help_text="Started when its supervisor starts.")
    idle_seconds = models.PositiveIntegerField(
        default=1800,
        validators=[MaxValueValidator(31_536_000)],
        help_text="Stopped so long after the end of its last request; 0 for never.",
    )
    restarts_itself = models.BooleanField(default=True, help_text="Started again when it ends unasked.")
    max_restarts = models.PositiveSmallIntegerField(default=3, validators=[MaxValueValidator(100)])
    restart_seconds = models.PositiveSmallIntegerField(
        default=5,
        validators=[MaxValueValidator(3600)],
        help_text="Before the first restart; twice as long before each further one.",
    )
    wanted = models.CharField(max_length=16, choices=Wish, default=Wish.STOPPED, editable=False)
    wanted_run = models.PositiveIntegerField(
        default=0, editable=False, help_text="Counts starts and restarts that were asked for."
    )
    stop_seconds = models.PositiveSmallIntegerField(
        default=30, validators=[MaxValueValidator(3600)], help_text="How long a stop waits for the requests under way."
    )
    stop_by = models.DateTimeField(
        null=True, editable=False, help_text="When the end that was asked for waits no longer; empty where it waits for ever."
    )  # fmt: skip
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    # what is
    status = models.CharField(max_length=16, choices=Status, default=Status.STOPPED, editable=False)
    status_at = models.DateTimeField(default=timezone.now, editable=False, help_text="Since when.")
    reason = models.TextField(blank=True, editable=False, help_text="Why it ended, and the last lines of its log.")
    run = models.PositiveIntegerField(default=0, editable=False, help_text="Which wish its process answers.")
    restarts = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Since somebody asked for a start."
    )
    marker = models.CharField(
        max_length=40, blank=True, editable=False, help_text="Names this start, in the process as well."
    )
    pid = models.PositiveIntegerField(null=True, editable=False)
    pid_started = models.BigIntegerField(
        null=True, editable=False, help_text="Clock ticks since boot, as the kernel counts them."
    )
    key_sealed = models.TextField(blank=True, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    ready_at = models.DateTimeField(null=True, editable=False)
    draining_since = models.DateTimeField(
        null=True, editable=False, help_text="Since when no further request is sent there; it ends when the last one has."
    )  # fmt: skip
    kept_until = models.DateTimeField(
        null=True, editable=False, help_text="Neither idle nor stopped for another before then."
    )
    ends_when_quiet = models.BooleanField(
        default=False, editable=False, help_text="A request asked that it be let go as soon as nothing runs."
    )
    last_used_at = models.DateTimeField(
        null=True, editable=False, help_text="When a request last ended, as far as its supervisor has written it down."
    )
    last_starts = models.JSONField(default=list, editable=False, help_text="Seconds that its last starts took.")
    checked_at = models.DateTimeField(null=True, editable=False, help_text="When its supervisor last looked.")
    memory_bytes = models.BigIntegerField(null=True, editable=False)
    cpu_percent = models.FloatField(null=True, editable=False, help_text="100 is one core.")

    objects = InstanceQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"], condition=~Q(wanted="removed"), name="instance_name_living"
            ),
            models.UniqueConstraint(fields=["node", "port"], name="instance_port"),
            models.CheckConstraint(condition=Q(port__gte=1024, port__lt=32768), name="instance_port_range"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def stream(self) -> str:
        """Where its events are told."""
        return f"instance:{self.pk}"

    @property
    def key(self) -> str:
        """The key that its backend asks for. Raises Unavailable when it cannot be opened any more."""
        return KEY.unseal(self.key_sealed)

    @property
    def is_up_to_date(self) -> bool:
        """Whether its process answers the last start or restart that was asked for."""
        return self.run == self.wanted_run

    @property
    def has_failed(self) -> bool:
        """Whether it gave up at what was asked for last."""
        return self.status == self.Status.FAILED and self.is_up_to_date

    @property
    def takes_requests(self) -> bool:
        """Whether a request may be sent there now; one that is under way goes on in any case."""
        is_asked_to_run = self.wanted == self.Wish.RUNNING and self.is_up_to_date
        return is_asked_to_run and self.status == self.Status.RUNNING and self.draining_since is None

    @property
    def shown_status(self) -> str:
        """The status as the API says it: what was asked for and has not begun yet shows at once. Of a machine that is
        lost nobody knows what runs there."""
        if self.is_on_lost_node and (self.wanted == self.Wish.RUNNING or self.status in self.ALIVE):
            return UNKNOWN
        if self.wanted != self.Wish.RUNNING:
            return self._shown_while_unwanted()
        if self.status in self.SERVING:
            return "running" if self.is_up_to_date else "restarting"
        if self.status == self.Status.STOPPING:
            return "restarting"
        if self.status == self.Status.STOPPED or (self.status == self.Status.FAILED and not self.is_up_to_date):
            return "starting"
        return str(self.status)

    def _shown_while_unwanted(self) -> str:
        return "stopping" if self.status in self.ALIVE else "stopped"

    @property
    def uptime_seconds(self) -> int | None:
        """For how long it has run; None while it does not."""
        if self.status not in self.SERVING or self.started_at is None:
            return None
        return max(0, int((timezone.now() - self.started_at).total_seconds()))

    @transaction.atomic
    def move(self, to: "Instance.Status", *, reason: str = "", **values: Any) -> None:
        """Change the status along MOVES, from the one that was read, with what else changes then; and tell it.
        Raises WrongState."""
        was = self.Status(self.status)
        if to not in self.MOVES[was]:
            raise WrongState(f"An instance that is {was} cannot become {to}.")
        now: datetime = timezone.now()
        values |= {"status_at": now, "reason": reason[:LONGEST_REASON]}
        if not Instance.objects.filter(pk=self.pk, status=was).update(status=to, **values):
            raise WrongState("This instance has changed meanwhile; look again.")
        for name, value in {**values, "status": to}.items():
            setattr(self, name, value)
        emit(
            self.stream, "instance.status_changed", organization_id=self.organization_id,
            name=self.name, was=str(was), status=str(to), reason=reason.splitlines()[0][:200] if reason else "",
        )  # fmt: skip

    @transaction.atomic
    def drain(self) -> None:
        """Have nobody new sent there."""
        self.note(draining_since=timezone.now())
        emit(self.stream, "instance.draining", organization_id=self.organization_id, name=self.name)

    def note(self, **values: Any) -> None:
        """Write what is known of its process now, for the supervisor."""
        Instance.objects.filter(pk=self.pk).update(**values)
        for name, value in values.items():
            setattr(self, name, value)
