"""From a question to a tool and its arguments, by rules, and by a model where these are unsure. Whatever chooses, the tool is of
the register, its arguments are validated, and it runs with the caller's rights and changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alma.accounts.actors import Actor
from alma.errors import BadRequest, Refused
from blueprints.models import Assistant, Blueprint
from blueprints.tools import filling
from blueprints.tools.hearing import Hearing, hear
from blueprints.tools.picking import ARGUMENTS, Pick, arguments_of, pick
from blueprints.tools.register import REGISTER, Tool
from blueprints.understanding.outcomes import Badge, Status
from blueprints.understanding.sources import Source, source_for

MAX_QUERY = 8000
_TOLD_WHOLE = frozenset({"description", "problem", "requirements", "blueprint", "other_blueprint", "inventory"})
"""Arguments that are the question itself, or a large part of it."""


@dataclass(frozen=True)
class Choice:
    """Which tool, what it is given, and why; and what became of asking a model, where there is one."""

    tool: str
    arguments: dict[str, Any]
    reasons: list[str] = field(default_factory=list)
    model: Badge | None = None


def choose(query: object, context: Mapping[str, Any], *, by: Actor, assistant: Assistant | None = None) -> Choice:
    """The tool that a question asks for; an assistant uses those that it names. Raises BadRequest, Refused."""
    words = _checked(query)
    heard = hear(words, context)
    picked, badge = _asked(heard, words, source_for(by, assistant))
    name, reasons = _decided(heard, picked, badge)
    if assistant is not None and name not in assistant.tools:
        raise Refused(f"This asks for {name}, which this agent may not use.", code="TOOL_NOT_ALLOWED")
    arguments, notes = _filled(REGISTER[name], words, context, by)
    if picked is not None and badge is not None and picked.tool == name:
        more = _more(REGISTER[name], arguments_of(picked, words), arguments)
        arguments = {**arguments, **more}
        notes += [f"{key} = {value}, as {badge.name} reads the question." for key, value in more.items()]
    arguments, dropped = _without_unseen(REGISTER[name], arguments, by)
    return Choice(name, arguments, [*reasons, *notes, *dropped], badge)


def _more(tool: Tool, given: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """What the rules did not read, and the tool takes."""
    return {name: value for name, value in given.items() if name in tool.arguments.model_fields and name not in known}


def _checked(query: object) -> str:
    if not isinstance(query, str) or not query.strip():
        raise BadRequest("Field query: ask for something in a sentence.", code="VALIDATION_ERROR")
    if len(query) > MAX_QUERY:
        raise BadRequest(f"Field query: must not be longer than {MAX_QUERY} characters.", code="VALIDATION_ERROR")
    return query


def _asked(heard: Hearing, query: str, source: Source | None) -> tuple[Pick | None, Badge | None]:
    """What a model picks: asked where the rules are unsure, or where the tool takes figures that it could read."""
    known = REGISTER[heard.tool].arguments.model_fields if heard.tool else {}
    if source is None:
        return None, None
    if heard.is_sure and not (ARGUMENTS & known.keys()):
        return None, Badge(
            source.name, Status.NOT_ASKED, "The words name the tool, and it takes nothing that is to be read."
        )
    return pick(query, source)


def _decided(heard: Hearing, picked: Pick | None, badge: Badge | None) -> tuple[str, list[str]]:
    """The tool and why. Raises BadRequest when nothing says which."""
    if picked is not None and badge is not None and not heard.is_sure and picked.tool != heard.tool:
        by_words = [f"By its words alone it would be {heard.reason}"] if heard.tool else []
        return picked.tool, [f"{picked.tool}, as {badge.name} reads the question.", *by_words]
    if not heard.tool:
        raise BadRequest(
            f"It is not clear which tool this asks for; name one of {', '.join(REGISTER)}.", code="NO_TOOL_FITS",
            details={"tools": list(REGISTER)},
        )  # fmt: skip
    return heard.tool, [heard.reason]


# -- arguments ------------------------------------------------------------------------------------
def _filled(tool: Tool, query: str, context: Mapping[str, Any], by: Actor) -> tuple[dict[str, Any], list[str]]:
    """What the context says wins over what is read from the words."""
    known = tool.arguments.model_fields
    read = {name: value for name, value in filling.read(query, known, by).items() if name not in context}
    if "blueprint" in context or "blueprint" in read:
        read.pop("blueprint_id", None)
    if "blueprint_id" in context:
        read.pop("blueprint", None)
    notes = [f"{name} = {value} is read from the question." for name, value in read.items() if name not in _TOLD_WHOLE]
    unused = [name for name in context if name not in known]
    notes += [f"“{name[:60]}” of the context says nothing to {tool.name}." for name in unused[:10]]
    return {**read, **{name: value for name, value in context.items() if name in known}}, notes


def _without_unseen(tool: Tool, arguments: dict[str, Any], by: Actor) -> tuple[dict[str, Any], list[str]]:
    """A blueprint that the caller does not see is left out where a tool can do without: the rest of the question still stands."""
    number = arguments.get("blueprint_id")
    if (
        not getattr(tool.arguments, "blueprint_is_optional", False)
        or not isinstance(number, int)
        or len(arguments) == 1
    ):
        return arguments, []
    is_seen = (
        by.has("blueprint:read") and 0 < number < 2**63 and Blueprint.objects.visible_to(by).filter(pk=number).exists()
    )
    if is_seen:
        return arguments, []
    left = {name: value for name, value in arguments.items() if name != "blueprint_id"}
    return left, [f"There is no blueprint {number} that you may see; the question is answered without it."]
