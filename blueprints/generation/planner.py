"""A description becomes a blueprint, without a model and without a network: deterministic, explained, and checked."""

from typing import Any, TypedDict

from django.utils.translation import gettext as _

from alma.errors import BadRequest, Invalid
from blueprints.complexity import figures_for
from blueprints.generation import (
    amendments,
    bounds,
    doubts,
    guest_setup,
    limits,
    listed_networks,
    minima,
    resources,
    surviving,
    titles,
    unread,
)
from blueprints.generation.bygone import with_later_plans, without_bygone
from blueprints.generation.calling import called
from blueprints.generation.christening import christened
from blueprints.generation.combining import combine
from blueprints.generation.constraints import Constraints, read_constraints
from blueprints.generation.corrections import corrected
from blueprints.generation.declared import used
from blueprints.generation.design import Part, design
from blueprints.generation.facts import Cause, Request, rule
from blueprints.generation.gateways import marked as with_gateways
from blueprints.generation.leading import led
from blueprints.generation.letters import without_letter_parts
from blueprints.generation.normalising import readable, without_orders
from blueprints.generation.parts import with_parts
from blueprints.generation.pointing import turned
from blueprints.generation.preferring import settled
from blueprints.generation.reader import read
from blueprints.generation.records import taken_out
from blueprints.generation.tagging import tag
from blueprints.generation.tended import without_tended
from blueprints.generation.tokens import Token
from blueprints.generation.unable import needing
from blueprints.generation.zones import resolved
from blueprints.pricing import PriceList, budgets, default_list
from blueprints.schema.parsing import parse_document
from blueprints.sentences import RULED_COUNT, USUAL_SIZES, listed, reason_in_words, term

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


def generate(description: object, constraints: object = None, prices: PriceList | None = None) -> GeneratedBlueprint:
    """The blueprint that follows from the words, priced by a list of prices or by the defaults. BadRequest when they ask for
    something else."""
    text, wanted = _checked(description), read_constraints(constraints)
    request = understand(text, wanted)
    parts = design(request)
    for part in parts:
        minima.raise_to(part)
    limits.cap(request, parts)
    request.warnings += minima.undercut(parts)
    doubts.ask_about(request, parts)
    _refuse_too_many(parts)
    document = _document(request, parts, text)
    try:
        parsed = parse_document(document)
    except Invalid as error:
        reason = _("The request cannot be built as it stands. %(reason)s") % {"reason": error.message}
        raise BadRequest(reason, details=error.details) from error
    document["metadata"] |= _figures(request, figures_for(parsed, prices or default_list()), text)
    return document


def understand(text: str, constraints: Constraints) -> Request:
    """What the words and the constraints say together. Constraints win."""
    cleaned, was_addressed = without_orders(text)
    request = _read(without_letter_parts(cleaned))
    if not request.groups:
        request = _read(cleaned)
    if was_addressed:
        request.warnings.append(_("Sentences that give orders to the planner were not read."))
    request.environment = constraints.environment or request.environment
    request.region = constraints.region or request.region
    if constraints.max_cost:
        request.max_cost = constraints.max_cost
        request.causes.pop("max_cost", None)
    request.warnings += constraints.remarks
    _give_system(request, constraints.os)
    doubts.refuse_or_ask(request, cleaned)
    return request


def _give_system(request: Request, words: str) -> None:
    """The system of the constraints, for machines whose system the text leaves open."""
    system = next((token.value for token in combine(tag(words)[0]) if token.kind == "os"), "") if words else ""
    for group in request.groups if system else ():
        if not group.os:
            group.set("os", system, rule("the system of the constraints"))


def _read(text: str) -> Request:
    prose, listed = taken_out(text)
    plain = readable(prose)
    tokens, language = tag(plain)
    amended = amendments.spans(plain, tokens)
    meant = _meant(plain, amendments.softened(amendments.unnumbered(tokens), amended))
    request = read(plain, meant, language, listed, amended)
    guest_setup.read(plain, request)
    for question in bounds.contradictions(meant):
        request.ask(question)
    if left := unread.remark(plain, _lasting(meant, amended), request):
        request.warnings.append(left)
    return request


def _lasting(tokens: list[Token], amended: list[amendments.Span]) -> list[Token]:
    """What stands behind the last change of mind: of what was said before it, nobody knows what still holds."""
    last = max((start for start, _ in amended), default=0)
    return [token for token in tokens if token.start >= last]


def _meant(plain: str, tokens: list[Token]) -> list[Token]:
    """The tokens with everything settled that goes beyond one machine: parts, names, what was taken back, networks."""
    told = with_later_plans(plain, without_bygone(plain, without_tended(plain, tokens)))
    read_anew = led(used(combine(needing(with_gateways(told)))))
    combined = bounds.joined(christened(called(plain, turned(read_anew))))
    marked = surviving.marked(plain, with_parts(plain, combined))
    whole = corrected(settled(marked))
    return listed_networks.called(whole, resolved(plain, whole))


def _checked(description: object) -> str:
    if not isinstance(description, str) or not description.strip():
        raise BadRequest("Field description: say in a sentence or two what is to be built.")
    if len(description) > MAX_DESCRIPTION:
        raise BadRequest(f"Field description: must not be longer than {MAX_DESCRIPTION} characters.")
    if "\0" in description:
        raise BadRequest("Field description: must not contain a NUL character.")
    return description.encode("utf-8", "replace").decode()


def _refuse_too_many(parts: list[Part]) -> None:
    count = sum(part.count for part in parts)
    if count > MAX_MACHINES:
        raise BadRequest(
            _("The request adds up to %(count)s machines; a blueprint holds at most %(most)s.")
            % {"count": count, "most": MAX_MACHINES}
        )


def _document(request: Request, parts: list[Part], text: str) -> GeneratedBlueprint:
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
            "assumptions": request.assumptions + _assumptions(parts),
            "questions": request.questions,
            "causes": _causes(request, parts, text),
        },
    }


def _causes(request: Request, parts: list[Part], text: str) -> dict[str, Any]:
    """Per machine and value: the words and where they stand, a rule, or a default; "request" for what holds for all."""
    whole = {name: _told(cause, text) for name, cause in request.causes.items()}
    each = {part.label: {name: _told(cause, text) for name, cause in part.causes.items()} for part in parts}
    return each | ({"request": whole} if whole else {})


def _told(cause: Cause, text: str) -> dict[str, Any]:
    """The words are those of the request, not those that were put in their place for reading."""
    is_quoted = cause.kind == "words" and cause.start >= 0
    return cause.as_dict() | ({"words": " ".join(text[cause.start : cause.end].split())} if is_quoted else {})


def _assumptions(parts: list[Part]) -> list[str]:
    said = [_assumed_sizes(part) for part in parts]
    ruled = [_ruled_count(part) for part in parts if _is_ruled(part)]
    return [line for line in said if line] + ruled


def _assumed_sizes(part: Part) -> str:
    names = [name for name in ("cpu", "memory", "disk") if part.causes[name].kind == "default"]
    if not names:
        return ""
    return _(USUAL_SIZES) % {"kind": part.label, "names": listed(names), "role": term(part.role or "a machine")}


def _ruled_count(part: Part) -> str:
    reason = reason_in_words(part.causes["count"].text)
    return _(RULED_COUNT) % {"kind": part.label, "count": part.count, "reason": reason}


def _is_ruled(part: Part) -> bool:
    return part.causes["count"].kind == "rule"


def _figures(request: Request, figures: dict[str, Any], text: str) -> dict[str, Any]:
    budget: dict[str, Any] = {} if request.max_cost is None else {"max_cost": request.max_cost}
    if request.max_cost is not None and (currency := _currency_of_budget(request, text)):
        budget["budget_currency"] = currency
    left = budgets.remark(budget, figures["estimated_cost"], figures["currency"])
    return {**figures, **budget, "warnings": [*request.warnings, *([left] if left else [])]}


def _currency_of_budget(request: Request, text: str) -> str:
    """That of the words; a budget of the constraints is in that of the prices."""
    cause = request.causes.get("max_cost")
    return budgets.currency_beside(text, cause.start, cause.end) if cause and cause.start >= 0 else ""
