"""Planning as a durable job: read the cluster, compute, store, and let the status follow."""

from collections import defaultdict
from statistics import median

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from alma.errors import NotFound, Unavailable
from alma.jobs.context import StepContext
from alma.jobs.kinds import JobKind, Place, StepKind, Unknown
from alma.jobs.models import Job, Step
from blueprints.models import BlueprintRevision
from iprs.models import IPR, Deployment, Plan, PlanItem
from iprs.operating import draft_operation, operation_steps, read_subject
from iprs.planner import Draft, Target, draft_plan
from iprs.services.reviewing import settle
from vms.services import default_cluster, owned_guests, read_cluster

HISTORY = 300
"""How many finished steps an estimate looks back at."""


def proposal(job: Job) -> list[Place]:
    """The IPR that a job is about, where its parameters name one."""
    ipr = job.params.get("ipr")
    return [Place(f"IPR #{ipr}", reverse("iprs:detail", args=[ipr]), "review")] if ipr else []


class PlanKind(JobKind):
    """A job that computes one plan."""

    prefix = "plan"
    is_cancellable = False

    def places(self, job: Job) -> list[Place]:
        """The IPR that it is computed for."""
        return proposal(job)

    def failed(self, job: Job) -> dict[str, object]:
        """A plan that could not be computed is refused, with the reason, and may be asked for again."""
        plan = Plan.objects.filter(pk=job.steps.get().params["plan"], status=Plan.Status.PLANNING).first()
        if plan is not None:
            message = (job.error or {}).get("message", "Planning stopped.")
            refuse(plan, f"The plan could not be computed: {message}")
        return {}


class ComputePlan(StepKind):
    """params: `plan`, the primary key of a Plan that is being computed."""

    patience = 300.0

    def run(self, context: StepContext) -> None:
        """Read, compute, store. An unreadable cluster is unknown, never empty."""
        rows = Plan.objects.select_related(
            "ipr__environment", "ipr__blueprint", "ipr__operation", "revision", "cluster"
        )
        plan = rows.get(pk=context.params["plan"])
        if plan.status == Plan.Status.PLANNING:
            draft = self._draft(plan, context)
            with context.fenced():
                store(plan, draft)
        context.succeed(plan=plan.pk, digest=plan.digest)

    def _draft(self, plan: Plan, context: StepContext) -> Draft:
        if plan.revision is None:
            return draft_operation(operation_steps(plan), read_subject(plan, context))
        return self._drafted(plan, plan.revision, context)

    def _drafted(self, plan: Plan, revision: BlueprintRevision, context: StepContext) -> Draft:
        try:
            cluster = plan.cluster or default_cluster(plan.organization_id)
        except NotFound as error:
            return Draft((), (f"{error.message} Connect one first.",), ())
        plan.cluster = cluster
        try:
            reading = read_cluster(cluster, pulse=context.renew)
            owned = owned_guests(cluster, plan.ipr.owner, pulse=context.renew)
        except Unavailable as error:
            raise Unknown(error.message) from error
        return draft_plan(revision.parsed(), reading, owned, target_of(plan))


def target_of(plan: Plan) -> Target:
    """What the planner has to know of the IPR behind a plan."""
    ipr, cluster = plan.ipr, plan.cluster
    assert cluster is not None
    assert ipr.blueprint is not None
    return Target(
        cluster_id=cluster.pk, owner=ipr.owner, tags=("alma", ipr.environment.slug),
        note=f"{ipr.blueprint.name}, {ipr.environment.name}, IPR #{ipr.pk}",
        default_storage=cluster.default_storage, default_bridge=cluster.default_bridge,
        pool=cluster.pool, chosen_nodes=tuple(cluster.chosen_nodes), chosen_storages=tuple(cluster.chosen_storages),
        made_from=made_from(ipr.blueprint.pk, ipr.environment_id), ready_seconds=settings.ALMA_READY_SECONDS,
        safety_snapshot=ipr.safety_snapshot,
    )  # fmt: skip


def made_from(blueprint_id: int, environment_id: int) -> dict[str, str]:
    """Per guest, the image that the newest finished deployment of a blueprint in an environment made it from."""
    rows = PlanItem.objects.filter(
        plan__deployments__status=Deployment.Status.COMPLETED, plan__deployments__is_dry_run=False,
        plan__ipr__blueprint_id=blueprint_id, plan__ipr__environment_id=environment_id,
        action__in=[PlanItem.Action.CREATE, PlanItem.Action.REPLACE],
    )  # fmt: skip
    images: dict[str, str] = {}
    for key, changes in rows.order_by("plan_id").values_list("key", "changes"):
        images.update((key, row["after"]) for row in changes if row["field"] == "image")
    return images


def usual_seconds(cluster_id: int | None) -> dict[str, float]:
    """Medians of the newest finished steps on a cluster, by kind."""
    rows = Step.objects.filter(kind__startswith="guest.", state__in=Step.DONE, params__cluster=cluster_id)
    newest = rows.order_by("-pk").values_list("kind", "started_at", "finished_at")[:HISTORY]
    taken: dict[str, list[float]] = defaultdict(list)
    for kind, began, ended in newest:
        if began and ended:
            taken[kind].append((ended - began).total_seconds())
    return {kind: median(seconds) for kind, seconds in taken.items()}


def store(plan: Plan, draft: Draft) -> None:
    """Write a computed plan and its items, and ask the gates; inside a fenced transaction."""
    PlanItem.objects.bulk_create(
        PlanItem(plan=plan, ordinal=number, digest=item.digest(), **item.content())
        for number, item in enumerate(draft.items, start=1)
    )
    source = plan.revision.digest if plan.revision else plan.ipr.source_name
    plan.digest = draft.digest(source, plan.ipr.owner, str(plan.cluster_id))
    plan.summary = draft.summary()
    plan.problems, plan.remarks = list(draft.problems), list(draft.remarks)
    plan.seconds = draft.seconds(usual_seconds(plan.cluster_id))
    plan.computed_at = timezone.now()
    plan.save()
    plan.move(Plan.Status.REFUSED if draft.problems else Plan.Status.READY)
    _tell(plan)


def refuse(plan: Plan, problem: str) -> None:
    """End a planning without a result."""
    plan.problems = [problem]
    plan.computed_at = timezone.now()
    plan.save()
    plan.move(Plan.Status.REFUSED)
    _tell(plan)


def _tell(plan: Plan) -> None:
    ipr = IPR.objects.select_for_update().get(pk=plan.ipr_id)
    ipr.tell("ipr.planned", plan=plan.number, status=plan.status, summary=plan.summary)
    if ipr.current_plan_id == plan.pk:
        settle(ipr)
