"""The plan: what exactly would be done, computed from a blueprint revision, or the steps of an operation, and from what a
cluster said."""

from django.db import models

from alma.accounts.models import OwnedQuerySet
from alma.errors import WrongState
from blueprints.models import BlueprintRevision
from iprs.models.ipr import IPR
from vms.models import Cluster


class Plan(models.Model):
    """One computation. Its digest covers every item and what it was computed from; approvals name that digest."""

    class Status(models.TextChoices):
        PLANNING = "planning"
        READY = "ready"
        REFUSED = "refused"

    MOVES = {
        Status.PLANNING: frozenset({Status.READY, Status.REFUSED}),
        Status.READY: frozenset(),
        Status.REFUSED: frozenset(),
    }

    organization = models.ForeignKey("accounts.Organization", models.CASCADE, related_name="plans")
    ipr = models.ForeignKey(IPR, models.CASCADE, related_name="plans")
    number = models.PositiveIntegerField()
    revision = models.ForeignKey(BlueprintRevision, models.PROTECT, null=True, blank=True, related_name="+")
    cluster = models.ForeignKey(Cluster, models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=16, choices=Status, default=Status.PLANNING, editable=False)
    digest = models.CharField(max_length=64, blank=True)
    summary = models.JSONField(default=dict, help_text="How many guests of each action.")
    problems = models.JSONField(default=list, help_text="Sentences that keep the plan from being carried out.")
    remarks = models.JSONField(default=list, help_text="Sentences that the reviewer should know.")
    seconds = models.PositiveIntegerField(default=0, help_text="Expected length of the deployment.")
    created_at = models.DateTimeField(auto_now_add=True)
    computed_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["ipr", "number"], name="plan_number")]

    def __str__(self) -> str:
        return f"{self.ipr_id} plan {self.number}"

    @property
    def seal(self) -> str:
        """The first eight characters of the digest, as people read them to each other."""
        return f"{self.digest[:4]}-{self.digest[4:8]}" if self.digest else ""

    @property
    def revision_number(self) -> int | None:
        """Of the blueprint; None for the plan of an operation."""
        return self.revision.number if self.revision is not None else None

    @property
    def is_noop(self) -> bool:
        """Whether everything is as wanted already."""
        return not any(self.summary.get(action) for action in PlanItem.CHANGING)

    def move(self, to: "Plan.Status") -> None:
        """End the computation. Raises WrongState when it has ended already."""
        if to not in self.MOVES[Plan.Status(self.status)]:
            raise WrongState(f"A plan that is {self.status} cannot become {to}.")
        if not Plan.objects.filter(pk=self.pk, status=self.status).update(status=to):
            raise WrongState("This plan has been computed meanwhile.")
        self.status = to


class PlanItem(models.Model):
    """What happens to one guest. `steps` is what a deployment executes, to the letter."""

    class Action(models.TextChoices):
        CREATE = "create"
        UPDATE = "update"
        REPLACE = "replace"
        DELETE = "delete"
        NOOP = "noop"

    CHANGING = (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE)
    DESTRUCTIVE = (Action.REPLACE, Action.DELETE)

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="items")
    ordinal = models.PositiveIntegerField()
    action = models.CharField(max_length=16, choices=Action)
    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=8)
    node = models.CharField(max_length=63, blank=True)
    vmid = models.PositiveIntegerField(null=True, blank=True)
    changes = models.JSONField(default=list, help_text="Per attribute: field, before, after, cause.")
    needs_restart = models.BooleanField(default=False)
    reasons = models.JSONField(default=list, help_text="Why here, why a restart, why a replacement.")
    depends_on = models.JSONField(default=list)
    facts = models.JSONField(default=dict, help_text="What the planner relied on; read again before anything is done.")
    steps = models.JSONField(default=list)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["plan_id", "ordinal"]
        constraints = [models.UniqueConstraint(fields=["plan", "key", "action"], name="plan_item_key")]

    def __str__(self) -> str:
        return f"{self.action} {self.key}"

    @property
    def is_destructive(self) -> bool:
        """Whether data is lost."""
        return self.action in self.DESTRUCTIVE

    @property
    def keeps_guest(self) -> bool:
        """Whether the guest itself stays, whatever becomes of what it holds."""
        return bool(self.steps) and not {"guest.delete", "guest.create"} & {step["kind"] for step in self.steps}
