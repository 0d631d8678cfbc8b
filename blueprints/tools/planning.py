"""generate_deployment_plan: what a deployment would do, by the planner that IPRs use. It lies in an app above; ALMA_PLAN_PREVIEW names
the function that answers."""

from collections.abc import Callable
from typing import Annotated, Any

from django.conf import settings
from django.utils.module_loading import import_string
from pydantic import BaseModel, Field

from alma.accounts.actors import Actor
from blueprints.models import Blueprint
from blueprints.schema import BlueprintDocument
from blueprints.tools.register import Result, tool
from blueprints.tools.subjects import MACHINE_READ, OfBlueprint, document_of, saved


class PlanArguments(OfBlueprint):
    """Which blueprint, where."""

    environment: (
        Annotated[str, Field(max_length=50, description="Slug of an environment; the document's, else the first")]
        | None
    ) = None


class PlanChange(BaseModel):
    """One attribute: what it is, what it will be, and who said so."""

    field: str
    before: Any
    after: Any
    cause: str


class PlannedItem(BaseModel):
    """What happens to one guest."""

    action: str
    key: str
    kind: str
    node: str
    vmid: int | None
    needs_restart: bool
    reasons: list[str]
    depends_on: list[str]
    changes: list[PlanChange]


class PlannedStep(BaseModel):
    """One step; those of a wave go side by side."""

    wave: int
    kind: str
    guest: str
    title: str


class PlanResult(Result):
    """A plan as an IPR of it would show it now. Nothing is proposed yet."""

    feasible: bool
    cluster: str
    environment: str
    counts: dict[str, int]
    items: list[PlannedItem]
    steps: list[PlannedStep]
    problems: list[str]
    remarks: list[str]
    approvals: str = Field(description="Who has to agree before it may run")
    estimated_seconds: int
    next_steps: list[str]


Preview = Callable[..., PlanResult]


@tool(
    "generate_deployment_plan", "Deployment plan",
    "What deploying a blueprint would do now, guest by guest and step by step, computed by the planner that IPRs use from a fresh "
    "reading of the cluster: placement with reasons, changes, order, problems, duration. Nothing is proposed or changed.",
    example={"blueprint_id": 1, "environment": "staging"},
    rights=("ipr:read", MACHINE_READ),
)  # fmt: skip
def generate_deployment_plan(arguments: PlanArguments, by: Actor) -> PlanResult:
    """Raises NotFound, Refused, Invalid, and Unavailable while the cluster does not answer."""
    document = document_of(arguments, by)
    row = saved(arguments.blueprint_id, by) if arguments.blueprint_id is not None else None
    return _preview(document, row, arguments.environment, by)


def _preview(document: BlueprintDocument, row: Blueprint | None, environment: str | None, by: Actor) -> PlanResult:
    preview: Preview = import_string(settings.ALMA_PLAN_PREVIEW)
    return preview(document, by=by, blueprint=row, environment=environment)
