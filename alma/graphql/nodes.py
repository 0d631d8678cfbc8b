"""The objects of the graph: the same fields as in the API, in camel case."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from django.db.models import Q, Sum
from strawberry.scalars import JSON

from alma.graphql.loading import Info, Sibling, first_of_each, grouped, siblings, within
from alma.graphql.scalars import BigInt
from alma.jobs.models import Step as StepRow
from blueprints.models import Blueprint as BlueprintRow
from iprs.models import IPR as IPRRow
from iprs.models import Deployment as DeploymentRow
from iprs.models import Plan as PlanRow

NESTED_ROWS = 10
NESTED_MOST = 50
Some = Annotated[int, strawberry.argument(description=f"At most {NESTED_MOST}.")]


@strawberry.type
class Blueprint(Sibling):
    """What somebody wants to exist."""

    id: int
    version: str
    name: str
    description: str
    resources: JSON
    metadata: JSON
    revision: int
    created_by: str
    created_at: datetime
    updated_at: datetime

    @strawberry.field(description="Proposals to build it, newest first.")
    def iprs(self, info: Info, limit: Some = NESTED_ROWS) -> list["Ipr"]:
        limit = within("limit", limit, 1, NESTED_MOST)

        def fetch(ids: list[int]) -> dict[int, list[Ipr]]:
            rows = IPRRow.objects.visible_to(info.context.reader("ipr:read")).filter(blueprint_id__in=ids)
            return grouped(iprs_of(first_of_each(rows, "blueprint_id", "-pk", limit)), "blueprint_id")

        return self.of_all(("iprs", limit), "id", fetch) or []


@strawberry.type
class Plan(Sibling):
    """What exactly would be done."""

    id: strawberry.Private[int]
    number: int
    status: str
    digest: strawberry.Private[str]
    blueprint_revision: int | None
    summary: JSON
    problems: list[str]
    remarks: list[str]
    estimated_seconds: int
    computed_at: datetime | None

    @strawberry.field(description="What reviewers approve.")
    def hash(self) -> str | None:
        return self.digest or None


@strawberry.type
class Ipr(Sibling):
    """A proposal to make reality equal to one blueprint in one environment, or to carry out one operation on a machine."""

    id: int
    title: str
    description: str
    blueprint_id: int | None
    status: str
    environment: str
    changes_summary: JSON
    created_at: datetime
    updated_at: datetime
    plan_id: strawberry.Private[int | None]
    credential: strawberry.Private[str]
    claimed_author: strawberry.Private[str]

    @strawberry.field(description="Whose credential it was; without one, the name that the caller gave.")
    def created_by(self) -> str:
        return self.claimed_author or self.credential

    @strawberry.field(description="Whether createdBy is only a name that a caller without a key gave.")
    def created_by_claimed(self) -> bool:
        return self.claimed_author != ""

    @strawberry.field(description="The current plan, once one was computed.")
    def plan(self, info: Info) -> Plan | None:
        def fetch(ids: list[int]) -> dict[int, Plan]:
            return {
                plan.id: plan
                for plan in plans_of(PlanRow.objects.visible_to(info.context.reader("ipr:read")).filter(pk__in=ids))
            }

        found: Plan | None = self.of_all("plan", "plan_id", fetch)
        return found

    @strawberry.field(description="What it wants to build, unless that was deleted or it is about one operation.")
    def blueprint(self, info: Info) -> Blueprint | None:
        def fetch(ids: list[int]) -> dict[int, Blueprint]:
            rows = BlueprintRow.objects.visible_to(info.context.reader("blueprint:read")).filter(pk__in=ids)
            return {blueprint.id: blueprint for blueprint in blueprints_of(rows)}

        found: Blueprint | None = self.of_all("blueprint", "blueprint_id", fetch)
        return found

    @strawberry.field(description="Its runs, newest first.")
    def deployments(self, info: Info, limit: Some = NESTED_ROWS) -> list["Deployment"]:
        limit = within("limit", limit, 1, NESTED_MOST)

        def fetch(ids: list[int]) -> dict[int, list[Deployment]]:
            rows = DeploymentRow.objects.visible_to(info.context.reader("deployment:read")).filter(ipr_id__in=ids)
            return grouped(deployments_of(first_of_each(rows, "ipr_id", "-pk", limit)), "ipr_id")

        return self.of_all(("deployments", limit), "id", fetch) or []


@strawberry.type
class Step(Sibling):
    """One entry of a run's journal."""

    job_id: strawberry.Private[int]
    ordinal: int
    kind: str
    key: str
    title: str
    state: str
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None


@strawberry.type
class Deployment(Sibling):
    """One run of one plan."""

    deployment_id: str
    ipr_id: int
    status: str
    dry_run: bool
    engine: str
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: JSON | None
    leftovers: JSON
    job_id: strawberry.Private[int]

    @strawberry.field(description="How much of the work is done, from 0 to 100.")
    def percentage(self) -> int:
        return self.of_all("percentage", "job_id", _percentages) or 0

    @strawberry.field(description="The proposal that it carries out.")
    def ipr(self, info: Info) -> Ipr | None:
        def fetch(ids: list[int]) -> dict[int, Ipr]:
            return {
                ipr.id: ipr
                for ipr in iprs_of(IPRRow.objects.visible_to(info.context.reader("ipr:read")).filter(pk__in=ids))
            }

        found: Ipr | None = self.of_all("ipr", "ipr_id", fetch)
        return found

    @strawberry.field(description="Its journal, in order.")
    def steps(self, limit: Some = NESTED_ROWS) -> list[Step]:
        limit = within("limit", limit, 1, NESTED_MOST)

        def fetch(ids: list[int]) -> dict[int, list[Step]]:
            rows = first_of_each(StepRow.objects.filter(job_id__in=ids), "job_id", "ordinal", limit)
            names = ("job_id", "ordinal", "kind", "key", "title", "state", "attempts", "started_at", "finished_at")
            return grouped(siblings(Step, rows.values(*names)), "job_id")

        return self.of_all(("steps", limit), "job_id", fetch) or []


@strawberry.type
class Vm:
    """A guest as the last reading of its cluster showed it."""

    vmid: int
    name: str
    kind: str
    status: str
    node: str
    cluster: str
    is_template: bool
    is_managed: bool = strawberry.field(description="Whether ALMA made it, by ledger and marker.")
    cores: int
    memory_bytes: BigInt
    memory_used_bytes: BigInt
    disk_bytes: BigInt
    cpu_load: float
    uptime_seconds: BigInt
    tags: list[str]
    seen_at: datetime


@strawberry.type
class Event:
    """One thing that happened."""

    stream: str
    seq: BigInt
    kind: str
    actor: str
    at: datetime
    data: JSON


def blueprints_of(rows: Any) -> list[Blueprint]:
    """Rows of blueprints as objects."""
    plain = ("id", "version", "name", "description", "resources", "metadata", "created_by", "created_at", "updated_at")
    return siblings(Blueprint, renamed(rows, plain, revision="revision_number"))


def plans_of(rows: Any) -> list[Plan]:
    """Rows of plans as objects."""
    plain = ("id", "number", "status", "digest", "summary", "problems", "remarks", "computed_at")
    return siblings(Plan, renamed(rows, plain, blueprint_revision="revision__number", estimated_seconds="seconds"))


def iprs_of(rows: Any) -> list[Ipr]:
    """Rows of IPRs as objects."""
    plain = (
        "id", "title", "description", "blueprint_id", "status", "changes_summary", "claimed_author", "created_at", "updated_at"
    )  # fmt: skip
    names = {"environment": "environment__slug", "plan_id": "current_plan_id", "credential": "created_by"}
    return siblings(Ipr, renamed(rows, plain, **names))


def deployments_of(rows: Any) -> list[Deployment]:
    """Rows of deployments, with what their jobs say, as objects."""
    plain = ("ipr_id", "status", "engine", "created_by", "created_at", "leftovers", "job_id")
    of_job = {"deployment_id": "job__public_id", "error": "job__error"}
    times = {"started_at": "job__started_at", "finished_at": "job__finished_at"}
    return siblings(Deployment, renamed(rows, plain, dry_run="is_dry_run", **of_job, **times))


def renamed(rows: Any, plain: tuple[str, ...], **names: str) -> list[dict[str, Any]]:
    """Rows with some columns under the names of the API. No model is built."""
    columns = dict(zip(plain, plain, strict=True)) | names
    found = rows.values_list(*columns.values())
    return [dict(zip(columns, row, strict=False)) for row in found]


def _percentages(job_ids: list[int]) -> dict[int, int]:
    done = Sum("weight", filter=Q(state__in=StepRow.DONE), default=0)
    steps = StepRow.objects.filter(job_id__in=job_ids).order_by().values_list("job_id")
    rows = steps.annotate(whole=Sum("weight"), finished=done)
    return {job_id: int(100 * finished / whole) if whole else 0 for job_id, whole, finished in rows}
