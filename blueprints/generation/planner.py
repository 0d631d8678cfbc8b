"""A description becomes a blueprint, without a model and without a network: deterministic, explained, and checked."""

from typing import Any, TypedDict

from alma.errors import BadRequest, Invalid
from blueprints.generation import estimates, resources, titles
from blueprints.generation.combining import combine
from blueprints.generation.constraints import Constraints, read_constraints
from blueprints.generation.design import Part, design
from blueprints.generation.facts import Group, Request
from blueprints.generation.reader import read
from blueprints.generation.tagging import tag
from blueprints.generation.tokens import readable
from blueprints.schema.parsing import parse_document

MAX_DESCRIPTION = 10_000
MAX_MACHINES = 200
GENERATOR = "ALMA-planner"


class GeneratedBlueprint(TypedDict):
    """A blueprint document as the API answers it."""

    version: str
    name: str
    description: str
    resources: list[dict[str, Any]]
    metadata: dict[str, Any]


def generate(description: object, constraints: object = None) -> GeneratedBlueprint:
    """The blueprint that follows from the words. BadRequest when they ask for something else."""
    text, wanted = _checked(description), read_constraints(constraints)
    request = understand(text, wanted)
    parts = design(request)
    _refuse_too_many(parts)
    document = _document(request, parts)
    try:
        parsed = parse_document(document)
    except Invalid as error:
        raise BadRequest(f"The request cannot be built as it stands. {error.message}", details=error.details) from error
    document["metadata"] |= _figures(request, estimates.monthly_cost(parsed), estimates.complexity(parsed))
    return document


def understand(text: str, constraints: Constraints) -> Request:
    """What the words and the constraints say together. Constraints win."""
    cleaned, was_addressed = readable(text)
    tokens, language = tag(cleaned)
    request = read(cleaned, combine(tokens), language)
    if was_addressed:
        request.warnings.append("Sentences that give orders to the planner were not read.")
    request.environment = constraints.environment or request.environment
    request.region = constraints.region or request.region
    request.max_cost = constraints.max_cost or request.max_cost
    request.warnings += constraints.remarks
    _refuse_or_ask(request)
    return request


def _checked(description: object) -> str:
    if not isinstance(description, str) or not description.strip():
        raise BadRequest("Field description: say in a sentence or two what is to be built.")
    if len(description) > MAX_DESCRIPTION:
        raise BadRequest(f"Field description: must not be longer than {MAX_DESCRIPTION} characters.")
    if "\0" in description:
        raise BadRequest("Field description: must not contain a NUL character.")
    return description.encode("utf-8", "replace").decode()


def _refuse_or_ask(request: Request) -> None:
    if request.groups:
        if all(_is_vague(group) for group in request.groups):
            request.questions.append("How many machines do you need, of what size, and what are they for?")
        return
    if request.destroys:
        raise BadRequest(
            "A blueprint describes what is to exist; it does not delete or stop anything. To remove or change machines, "
            "open an infrastructure pull request (IPR) for the blueprint that owns them and have its plan reviewed."
        )
    if not request.builds:
        raise BadRequest(
            "This does not describe infrastructure. Say which machines are wanted, for example "
            '"3 web servers with a load balancer and a PostgreSQL database". Changes go through an IPR.'
        )
    request.questions.append(
        "Which machines do you need? Say what they are for, how many, and their size, "
        'for example "2 app servers with 4 cores and 8 GB each and a PostgreSQL database".'
    )


def _is_vague(group: Group) -> bool:
    return group.is_vague and not (group.role or group.software or group.os or group.count or group.has_sizes)


def _refuse_too_many(parts: list[Part]) -> None:
    count = sum(part.count for part in parts)
    if count > MAX_MACHINES:
        raise BadRequest(f"The request adds up to {count} machines; a blueprint holds at most {MAX_MACHINES}.")


def _document(request: Request, parts: list[Part]) -> GeneratedBlueprint:
    return {
        "version": "1.0",
        "name": titles.name(request, parts),
        "description": titles.description(request, parts),
        "resources": resources.write(request, parts),
        "metadata": {
            "generated_by": GENERATOR,
            "language": request.language,
            **({"environment": request.environment} if request.environment else {}),
            **({"region": request.region} if request.region else {}),
            "assumptions": request.assumptions + _assumptions(request, parts),
            "questions": request.questions,
            "causes": {part.label: part.causes for part in parts},
        },
    }


def _assumptions(request: Request, parts: list[Part]) -> list[str]:
    said = [_assumed_sizes(part) for part in parts]
    counted = [f"{part.label}: {part.count}, because {_rule(part)}." for part in parts if _rule(part)]
    return [line for line in said if line] + counted


def _assumed_sizes(part: Part) -> str:
    names = [name for name in ("cpu", "memory", "disk") if part.causes.get(name, "").startswith("default")]
    usual = (part.role or "a machine").replace("_", " ")
    return f"{part.label}: {', '.join(names)} not given, so the usual for {usual} is taken." if names else ""


def _rule(part: Part) -> str:
    """The rule that gave the count, when it was a rule."""
    cause = part.causes.get("count", "")
    return cause.removeprefix("rule: ") if cause.startswith("rule: ") else ""


def _figures(request: Request, cost: estimates.Cost, complexity: float) -> dict[str, Any]:
    warnings = list(request.warnings)
    if request.max_cost is not None and cost["total"] > request.max_cost:
        warnings.append(
            f"The estimated cost of {cost['total']:.2f} {cost['currency']} a month exceeds the budget of {request.max_cost:g}."
        )
    budget = {} if request.max_cost is None else {"max_cost": request.max_cost}
    return {
        "estimated_cost": cost["total"],
        "currency": cost["currency"],
        "cost_per_machine": cost["per_machine"],
        **budget,
        "complexity_score": complexity,
        "warnings": warnings,
    }
