"""What a tool is asked about: a saved blueprint, a document that was sent along, or machines that the caller sees."""

from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints, model_validator

from alma.accounts.actors import Actor
from alma.errors import BadRequest
from blueprints.models import Blueprint
from blueprints.schema import BlueprintDocument, from_yaml, parse_document
from blueprints.schema.yaml_text import MAX_BYTES
from blueprints.services import not_found
from blueprints.tools.register import Arguments
from vms import machines
from vms.models import Guest

BLUEPRINT_READ, MACHINE_READ = "blueprint:read", "vm:read"
MOST_MACHINES = 50
BlueprintId = Annotated[int, Field(ge=1, le=2**63 - 1, description="Number of a saved blueprint")]
Document = Annotated[
    dict[str, JsonValue] | Annotated[str, StringConstraints(max_length=MAX_BYTES)],
    Field(description="A blueprint that is not saved, as an object or as YAML text"),
]
MachineId = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
MachineIds = Annotated[
    list[MachineId],
    Field(max_length=MOST_MACHINES, description="Machines, such as vm-012, or VMIDs that only one cluster has"),
]


class OfBlueprint(Arguments):
    """About one blueprint: saved, or sent along."""

    blueprint_id: BlueprintId | None = None
    blueprint: Document | None = None

    @model_validator(mode="after")
    def _not_both(self) -> "OfBlueprint":
        if self.blueprint_id is not None and self.blueprint is not None:
            raise ValueError("give blueprint_id or blueprint, not both")
        return self


def saved(blueprint_id: int, by: Actor) -> Blueprint:
    """The blueprint, if the caller may see it. Raises Refused, NotFound."""
    by.require(BLUEPRINT_READ)
    row = Blueprint.objects.visible_to(by).filter(pk=blueprint_id).first()
    if row is None:
        raise not_found(blueprint_id)
    return row


def document_in(given: dict[str, Any] | str) -> BlueprintDocument:
    """The document that was sent along. Raises Invalid."""
    return from_yaml(given) if isinstance(given, str) else parse_document(given)


def document_of(arguments: OfBlueprint, by: Actor) -> BlueprintDocument:
    """What is asked about. Raises BadRequest when it is nothing, NotFound, Refused, Invalid."""
    found = document_if_any(arguments, by)
    if found is None:
        raise BadRequest(
            "Give blueprint_id, the number of a saved blueprint, or blueprint, a document.", code="NO_BLUEPRINT"
        )
    return found


def document_if_any(arguments: OfBlueprint, by: Actor) -> BlueprintDocument | None:
    """What is asked about, or None when nothing is named. Raises NotFound, Refused, Invalid."""
    if arguments.blueprint_id is not None:
        return saved(arguments.blueprint_id, by).current_revision().parsed()
    return None if arguments.blueprint is None else document_in(arguments.blueprint)


def guests_of(ids: list[str], by: Actor) -> list[Guest]:
    """The machines of these ids, each once. Raises Refused, NotFound, WrongState."""
    by.require(MACHINE_READ)
    found = [machines.find(one, by=by) for one in ids]
    return list({guest.pk: guest for guest in found}.values())


def plain(text: str, most: int = 300) -> str:
    """Text from outside as one line that only shows: no control characters, not longer than asked."""
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"
