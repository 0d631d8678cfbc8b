"""create_blueprint: words become a draft. It is not saved: that is for whoever reads it."""

from typing import Annotated, Any

from pydantic import Field, JsonValue

from alma.accounts.actors import Actor
from blueprints.pricing.book import price_list
from blueprints.tools.register import Arguments, Result, tool
from blueprints.understanding import Asking, draft


class CreateArguments(Arguments):
    """What is wanted."""

    description: Annotated[str, Field(min_length=1, max_length=8000, description="What is to be built, in words")]
    constraints: Annotated[dict[str, JsonValue], Field(description="max_cost, region, environment")] | None = None


class CreateResult(Result):
    """The draft, and what it costs."""

    draft: dict[str, Any] = Field(description="The blueprint; it is not saved")
    estimated_cost_monthly: float
    currency: str
    questions: list[str]
    warnings: list[str]
    next_steps: list[str]


@tool(
    "create_blueprint", "Draft a blueprint",
    "Turn a description into a blueprint with its monthly cost, what was assumed and what is open. The draft is not saved: "
    "POST it to /api/v1/blueprints, or save it in the browser.",
    example={"description": "2 web servers with 4 GB each and a PostgreSQL database", "constraints": {"max_cost": 200}},
)  # fmt: skip
def create_blueprint(arguments: CreateArguments, by: Actor) -> CreateResult:
    """Raises BadRequest when the words ask for something else."""
    prices = price_list(by.organization_id)
    document = draft(arguments.description, arguments.constraints, about=Asking(by, prices))
    about = document["metadata"]
    cost, currency = about["estimated_cost"], about["currency"]
    return CreateResult(
        summary=f"{document['description']}: {cost:.2f} {currency} a month.",
        assumptions=[*about.get("assumptions", []), prices.assumptions()[0]], draft=dict(document),
        estimated_cost_monthly=cost, currency=currency, questions=about.get("questions", []),
        warnings=about.get("warnings", []),
        next_steps=["Save it: POST /api/v1/blueprints with the draft as the body.", "Then propose it: POST /api/v1/iprs."],
    )  # fmt: skip
