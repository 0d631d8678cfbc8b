"""Bodies of requests: checked here, and shown in the OpenAPI document."""

from rest_framework import serializers

from alma.api.bodies import RequestBody


class StrictChar(serializers.CharField):
    """Text only: a number or a list is an error, not a string."""

    def to_internal_value(self, data: object) -> str:
        """Refuse what is no text before DRF would turn it into some."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class IPRCreate(RequestBody):
    """`POST /api/v1/ipr`. `environment` is ours: the first environment of the organization when left out."""

    title = StrictChar(max_length=200)
    description = StrictChar(max_length=20_000, required=False, allow_blank=True, default="")
    blueprint_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    changes_summary = serializers.DictField(required=False, default=dict)
    environment = StrictChar(max_length=50, required=False)
    safety_snapshot = serializers.BooleanField(required=False, default=False)
    created_by = StrictChar(max_length=150, required=False, allow_blank=True, default="")
    """Kept as a label while no key is asked for. Else it is put aside: who proposes is who calls."""


class IPRReview(RequestBody):
    """`POST /api/v1/iprs/{id}/review`. `plan_hash` binds the verdict to the plan that was read."""

    action = StrictChar(max_length=40)
    comments = StrictChar(max_length=20_000, required=False, allow_blank=True, default="")
    reviewer = StrictChar(max_length=150, required=False, allow_blank=True, default="")
    plan_hash = StrictChar(max_length=64, required=False, allow_blank=True, default="")
    acknowledged = serializers.ListField(child=StrictChar(max_length=120), required=False, default=list, max_length=500)


class DeployRequest(RequestBody):
    """`POST …/deploy`."""

    engine = StrictChar(max_length=40, required=False, default="proxmox")
    dry_run = serializers.BooleanField(required=False, default=False)
    plan_hash = StrictChar(max_length=64, required=False, allow_blank=True, default="")


class ReplanRequest(RequestBody):
    """`POST …/replan`. `safety_snapshot` says whether a snapshot is taken of each guest before it is changed; left out, it stays."""

    safety_snapshot = serializers.BooleanField(required=False, allow_null=True, default=None)


class CancelRequest(RequestBody):
    """`POST …/cancel`. `force` ends a run whose ordinary cancel does not come to its end."""

    force = serializers.BooleanField(required=False, default=False)


class RollbackRequest(RequestBody):
    """`POST …/rollback`. Nothing is undone without `confirm`."""

    confirm = serializers.BooleanField(required=False, default=False)


class GateBody(serializers.Serializer):
    """One condition that does not hold yet."""

    code = serializers.CharField()
    title = serializers.CharField()
    message = serializers.CharField()


class PlanBody(serializers.Serializer):
    """The state of an IPR's plan."""

    number = serializers.IntegerField()
    status = serializers.ChoiceField(["planning", "ready", "refused"])
    hash = serializers.CharField(allow_null=True)
    blueprint_revision = serializers.IntegerField(allow_null=True, help_text="Null for the plan of an operation.")
    summary = serializers.DictField(child=serializers.IntegerField())
    problems = serializers.ListField(child=serializers.CharField())
    remarks = serializers.ListField(child=serializers.CharField())
    estimated_seconds = serializers.IntegerField()
    computed_at = serializers.DateTimeField(allow_null=True)


class PlanItemBody(serializers.Serializer):
    """What happens to one guest, each value with its cause."""

    action = serializers.CharField()
    key = serializers.CharField()
    kind = serializers.CharField()
    node = serializers.CharField(allow_blank=True)
    vmid = serializers.IntegerField(allow_null=True)
    changes = serializers.ListField(child=serializers.DictField())
    needs_restart = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())
    depends_on = serializers.ListField(child=serializers.CharField())
    steps = serializers.ListField(child=serializers.CharField())
    hash = serializers.CharField()


class PlanDetailBody(PlanBody):
    """A plan item by item."""

    items = PlanItemBody(many=True)


class OperationBody(serializers.Serializer):
    """The job that waits until an operation on one machine is agreed to, or that has run it."""

    job_id = serializers.CharField()
    type = serializers.CharField()
    vm_id = serializers.CharField()


class IPRRow(serializers.Serializer):
    """One IPR in a list."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    description = serializers.CharField()
    blueprint_id = serializers.IntegerField(
        allow_null=True, help_text="Null where an operation was asked for directly."
    )
    operation = OperationBody(allow_null=True)
    status = serializers.CharField()
    environment = serializers.CharField()
    created_by = serializers.CharField()
    created_by_claimed = serializers.BooleanField(help_text="Yes for a name that a caller without a key gave.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class QueuedBody(serializers.Serializer):
    """An approved IPR that could be next."""

    ipr_id = serializers.IntegerField()
    title = serializers.CharField()
    created_by = serializers.CharField()


class LockBody(serializers.Serializer):
    """The run that works on the same blueprint and environment, since when, and the approved IPRs behind it."""

    deployment_id = serializers.CharField()
    ipr_id = serializers.IntegerField()
    title = serializers.CharField()
    doing = serializers.ChoiceField(["deployment", "rollback"])
    held_by = serializers.CharField()
    since = serializers.DateTimeField()
    queue = QueuedBody(many=True)


class IPRBody(IPRRow):
    """One IPR with its plan and what is missing before it may run."""

    safety_snapshot = serializers.BooleanField(help_text="A snapshot is taken of each guest before it is changed.")

    changes_summary = serializers.DictField()
    plan = PlanBody(allow_null=True)
    reviews = serializers.ListField(child=serializers.DictField())
    missing = GateBody(many=True)
    deployment_id = serializers.CharField(allow_null=True)
    lock = LockBody(allow_null=True)


class DeployBody(serializers.Serializer):
    """What starting a deployment answers."""

    deployment_id = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    phase = serializers.CharField()
    estimated_duration = serializers.CharField()
    dry_run = serializers.BooleanField()
    ipr_id = serializers.IntegerField()


class UndoBody(serializers.Serializer):
    """What a rollback does: guests (key, vmid, node) that it removes and restores, and sentences on what it cannot undo."""

    removes = serializers.ListField(child=serializers.DictField())
    restores = serializers.ListField(child=serializers.DictField())
    cannot_undo = serializers.ListField(child=serializers.CharField())


class RollbackBody(DeployBody):
    """What starting a rollback answers."""

    rollback = UndoBody()


class DeploymentRow(serializers.Serializer):
    """One deployment in a list."""

    deployment_id = serializers.CharField()
    ipr_id = serializers.IntegerField()
    status = serializers.CharField()
    dry_run = serializers.BooleanField()
    engine = serializers.CharField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    error = serializers.DictField(allow_null=True)
    leftovers = serializers.ListField(child=serializers.DictField())


class StepBody(serializers.Serializer):
    """One step of a deployment, with what was read back after it."""

    step = serializers.IntegerField()
    kind = serializers.CharField()
    key = serializers.CharField(allow_blank=True)
    title = serializers.CharField()
    state = serializers.CharField()
    attempts = serializers.IntegerField()
    error = serializers.DictField(allow_null=True)
    evidence = serializers.DictField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class DeploymentBody(DeploymentRow):
    """One deployment with its steps."""

    percentage = serializers.IntegerField()
    lock = LockBody(allow_null=True)
    steps = StepBody(many=True)
    rollback_steps = StepBody(many=True)
    rollback = UndoBody(allow_null=True)


class ErrorBody(serializers.Serializer):
    """The documented error body."""

    detail = serializers.CharField()
    error_code = serializers.CharField()
    timestamp = serializers.DateTimeField()


class EventBody(serializers.Serializer):
    """One message of a deployment; further keys by type."""

    type = serializers.ChoiceField(["status_change", "progress", "log", "error", "complete"])
    event = serializers.CharField()
    deployment_id = serializers.CharField()
    seq = serializers.IntegerField()
    timestamp = serializers.DateTimeField()
