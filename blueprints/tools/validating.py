"""validate_blueprint: whether a document can be read and planned, what is wrong with it, and what it means."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import BaseModel, Field

from alma.accounts.actors import Actor
from alma.errors import BadRequest, Invalid
from blueprints.portrait import ResourceView, portray
from blueprints.schema import BlueprintDocument
from blueprints.tools.register import Result, tool
from blueprints.tools.subjects import OfBlueprint, document_of

GIB = 1024**3


class ValidateArguments(OfBlueprint):
    """Which document."""


class Fault(BaseModel):
    """One broken rule."""

    resource: str | None = None
    field: str | None = None
    message: str
    line: int | None = None


class MeansMachines(BaseModel):
    """What a resource means."""

    resource: str
    type: str
    machines: int
    cpu_cores: int
    memory_gb: float
    disk_gb: float
    defaults: list[str] = Field(description="What the document leaves open and a default decides")


class ValidateResult(Result):
    """Whether it holds."""

    valid: bool
    errors: list[Fault]
    remarks: list[str] = Field(default_factory=list, description="What is kept and not created")
    resources: list[MeansMachines] = Field(default_factory=list)
    digest: str | None = Field(default=None, description="SHA-256 of the canonical JSON")


@tool(
    "validate_blueprint", "Validate a blueprint",
    "Check a blueprint, saved or sent along as an object or YAML, against the schema and all rules between resources; tells "
    "each fault with its resource and field, and what the document means in machines.",
    example={"blueprint": "name: shop\nresources:\n  - name: web\n    type: vm\n    specs: {cpu: 2, memory: 4GB}\n"},
)  # fmt: skip
def validate_blueprint(arguments: ValidateArguments, by: Actor) -> ValidateResult:
    """Raises BadRequest when nothing is given, NotFound, Refused; a document that is wrong is a result."""
    try:
        document = document_of(arguments, by)
    except Invalid as error:
        errors = [_fault(row) for row in error.details or ()] or [Fault(message=error.message)]
        words = ngettext(
            "The document breaks %(count)s rule: %(reason)s",
            "The document breaks %(count)s rules: %(reason)s",
            len(errors),
        ) % {"count": len(errors), "reason": error.message}
        return ValidateResult(summary=words, valid=False, errors=errors)
    except BadRequest as error:
        if error.code == "NO_BLUEPRINT":
            raise
        return ValidateResult(summary=error.message, valid=False, errors=[Fault(message=error.message)])
    return _described(document)


def _fault(row: Any) -> Fault:
    return Fault(**{name: row.get(name) for name in Fault.model_fields if name in row})


def _described(document: BlueprintDocument) -> ValidateResult:
    portrait = portray(document)
    meant = [_meaning(view) for view in portrait.resources]
    assumed = [
        f"{row.resource}: {', '.join(row.defaults)} not given, so a default is taken." for row in meant if row.defaults
    ]
    count = portrait.machine_count
    return ValidateResult(
        summary=_("%(name)s is valid: %(machines)s of %(resources)s.") % {
            "name": document.name,
            "machines": ngettext("%(count)s machine", "%(count)s machines", count) % {"count": count},
            "resources": ngettext("%(count)s resource", "%(count)s resources", len(meant)) % {"count": len(meant)},
        },
        assumptions=assumed, valid=True, errors=[], resources=meant, digest=document.digest(),
        remarks=[f"{view.resource.name}: {view.note}" for view in portrait.resources if view.note],
    )  # fmt: skip


def _meaning(view: ResourceView) -> MeansMachines:
    count, machine = len(view.machines), view.machine
    return MeansMachines(
        resource=view.resource.name, type=view.resource.type, machines=count, defaults=view.defaults,
        cpu_cores=count * machine.cores * machine.sockets if machine else 0,
        memory_gb=round(count * machine.memory_bytes / GIB, 2) if machine else 0,
        disk_gb=round(count * view.disk_bytes / GIB, 2),
    )  # fmt: skip
