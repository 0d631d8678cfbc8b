"""open_ipr: from a draft to an Infrastructure Pull Request, for people to decide. It stands beside the thirteen tools, which change
nothing; what opens an IPR lies in an app above, and ALMA_IPR_OPENER names it."""

from collections.abc import Callable
from typing import Annotated

from django.conf import settings
from django.utils.module_loading import import_string
from pydantic import Field, StringConstraints

from alma.accounts.actors import Actor
from blueprints.models import Blueprint
from blueprints.schema import BlueprintDocument
from blueprints.services import WRITE
from blueprints.tools.register import Result, Tool
from blueprints.tools.subjects import OfBlueprint, document_of, saved

NAME = "open_ipr"
PROPOSE = "ipr:write"


class ProposalArguments(OfBlueprint):
    """What is proposed, where, and under which title."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)] = Field(
        description="What reviewers read first"
    )
    description: Annotated[str, StringConstraints(max_length=10_000)] = Field(
        default="", description="Why, for reviewers"
    )
    environment: Annotated[str, StringConstraints(max_length=50)] | None = Field(
        default=None, description="Slug of an environment; the document's, else the first"
    )


class ProposalResult(Result):
    """An IPR that is open. Nothing is built by it: people review its plan, and deploy it or not."""

    ipr_id: int
    blueprint_id: int
    title: str
    status: str
    environment: str
    page: str = Field(description="Where people review it")
    is_new: bool = Field(description="False when the same was open already")
    approvals: str = Field(description="Who has to agree before it may run")
    next_steps: list[str]


Opener = Callable[..., ProposalResult]


def open_ipr(arguments: ProposalArguments, by: Actor) -> ProposalResult:
    """Raises Refused, BadRequest, NotFound, Invalid."""
    opener: Opener = import_string(settings.ALMA_IPR_OPENER)
    document, row = _subject(arguments, by)
    return opener(
        document, blueprint=row, title=arguments.title, description=arguments.description,
        environment=arguments.environment, by=by,
    )  # fmt: skip


def _subject(arguments: ProposalArguments, by: Actor) -> tuple[BlueprintDocument, Blueprint | None]:
    """The document, and the blueprint that it is saved as; to save another one is a right of its own."""
    row = saved(arguments.blueprint_id, by) if arguments.blueprint_id is not None else None
    if row is None:
        by.require(WRITE)
    return document_of(arguments, by), row


PROPOSAL = Tool(
    name=NAME, title="Open an IPR",
    description=(
        "Save a draft as a blueprint, if it is not saved yet, and open an Infrastructure Pull Request for it. Nothing is built: its plan is "
        "computed, and people review, approve and deploy it, or not. The same proposal again answers with the one that is open."
    ),
    rights=(PROPOSE,), arguments=ProposalArguments, result=ProposalResult, run=open_ipr,
    example={"blueprint_id": 1, "environment": "staging", "title": "Two web servers for the shop"},
)  # fmt: skip
