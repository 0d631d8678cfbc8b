"""Sentences of the planner that are read again after they were made: in whatever language one stands in a draft, it is known again,
and can be told in another. Reasons stand in drafts in English, the language of the API."""

import re
from collections.abc import Sequence
from functools import cache

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

USUAL_SIZES = gettext_noop("%(kind)s: %(names)s not given, so the usual for %(role)s is taken.")
DEFAULT_SIZES = gettext_noop("%(kind)s: %(names)s not given, so a default is taken.")
MODEL_SIZES = gettext_noop("%(kind)s: %(names)s not given, so %(model)s says.")
RULED_COUNT = gettext_noop("%(kind)s: %(count)s, because %(reason)s.")
EITHER = gettext_noop("%(chosen)s or %(other)s will do, so %(chosen)s is taken.")
TOO_DEAR = gettext_noop("The estimated cost of %(sum)s %(currency)s a month exceeds the budget of %(budget)s.")
NOT_COMPARED = gettext_noop(
    "The budget is in %(said)s and the prices are in %(currency)s, so the two are not compared: name the budget in %(currency)s, or "
    "keep a price book in %(said)s."
)
MACHINES_OPEN = gettext_noop("How many machines do you need, of what size, and what are they for?")
NOTHING_SAID = gettext_noop(
    "Which machines do you need? Say what they are for, how many, and their size, "
    'for example "2 app servers with 4 cores and 8 GB each and a PostgreSQL database".'
)
COUNT_OPEN = gettext_noop("How many of the %(name)s do you need? Two are drawn.")
ASSUMPTIONS = (USUAL_SIZES, DEFAULT_SIZES, MODEL_SIZES, EITHER, RULED_COUNT)
REASONS = (
    gettext_noop("one"), gettext_noop("the usual for %(role)s"), gettext_noop("the least that %(program)s runs on"),
    gettext_noop("a primary and %(count)s replica"), gettext_noop("a primary and %(count)s replicas"),
    gettext_noop("the rest of a larger number"), gettext_noop("several means at least two"), gettext_noop("one primary"),
    gettext_noop("highly available means more than one"), gettext_noop("a cluster has control planes and workers"),
    gettext_noop("one for each of %(count)s"), gettext_noop("%(number)s times %(count)s"), gettext_noop("the replicas"),
    gettext_noop("%(words)s in total, divided by %(count)s"), gettext_noop("%(count)s machines in total"),
    gettext_noop("Windows does not run in a container"), gettext_noop("no virtual machines are wanted"),
    gettext_noop("the runners of the forge that is named"), gettext_noop("the system of the constraints"),
    gettext_noop("as the blueprint in the request has it"),
)  # fmt: skip
"""Why a value is what it is, where no words say it."""
TERMS = (
    gettext_noop("a machine"), gettext_noop("machine"), gettext_noop("machines"), gettext_noop("cpu"), gettext_noop("memory"), gettext_noop("disk"),
    gettext_noop("role"), gettext_noop("os"), gettext_noop("count"), gettext_noop("software"), gettext_noop("network"), gettext_noop("vm"), gettext_noop("container"), gettext_noop("replica"), gettext_noop("gpu"), gettext_noop("kubernetes"),
    gettext_noop("hosts"), gettext_noop("of them"), gettext_noop("nodes"), gettext_noop("replicas"),
    gettext_noop("critical"), gettext_noop("high"), gettext_noop("medium"), gettext_noop("low"), gettext_noop("info"),
    gettext_noop("two"), gettext_noop("three"), gettext_noop("four"), gettext_noop("five"),
    gettext_noop("coordination"), gettext_noop("coordinator"), gettext_noop("pbx"), gettext_noop("lab"), gettext_noop("node"), gettext_noop("pki"),
    gettext_noop("time"), gettext_noop("print"), gettext_noop("updates"), gettext_noop("web"), gettext_noop("app"), gettext_noop("load balancer"),
    gettext_noop("database"), gettext_noop("cache"), gettext_noop("queue"), gettext_noop("search"), gettext_noop("object storage"), gettext_noop("storage"),
    gettext_noop("files"), gettext_noop("cms"), gettext_noop("monitoring"), gettext_noop("logging"), gettext_noop("ci"), gettext_noop("git"),
    gettext_noop("registry"), gettext_noop("auth"), gettext_noop("secrets"), gettext_noop("dns"), gettext_noop("vpn"), gettext_noop("bastion"),
    gettext_noop("firewall"), gettext_noop("mail"), gettext_noop("llm"), gettext_noop("media"), gettext_noop("worker"), gettext_noop("game"),
    gettext_noop("k8s control"), gettext_noop("k8s worker"), gettext_noop("backup"), gettext_noop("automation"),
    gettext_noop("spam filter"), gettext_noop("archive"),
)  # fmt: skip
"""What the planner knows by a word of its own: roles, sizes, kinds of machines, and how bad something is."""
_PLAIN = {"kind": "[^:]+", "names": "[^.:;]+?"}
"""What these values hold none of."""
_VALUE = re.compile(r"%\\\((?P<name>\w+)\\\)s")


def term(name: str) -> str:
    """What a role or a size is called: "load_balancer"; names of programs stay."""
    plain = name.replace("_", " ")
    return _(plain) if plain in TERMS else plain


def amount(name: str, value: object) -> str:
    """So much of a size: "8 GB of memory", "4 cores"."""
    said = {"cpu": _("%(amount)s cores"), "memory": _("%(amount)s of memory"), "disk": _("%(amount)s of disk")}
    return said[name] % {"amount": value}


def reason_in_words(reason: str) -> str:
    """A reason in the language that is spoken."""
    return reason if translation.get_language() in (None, "en") else retold(reason, REASONS)


def retold(text: str, messages: Sequence[str]) -> str:
    """A sentence that was made of one of these messages, in the language that is spoken; others as they are."""
    for message in messages:
        values = values_in(text, message)
        if values is not None:
            return _(message) % {name: _value(name, value) for name, value in values.items()}
    return text


def _value(name: str, value: str) -> str:
    """Roles and sizes have words of their own, and so have reasons."""
    if name == "reason":
        return retold(value, REASONS)
    return listed(names_in(value)) if name in ("role", "names", "number") else value


def listed(names: Sequence[str]) -> str:
    """Roles or sizes, as they are called."""
    return ", ".join(term(name) for name in names)


def names_in(said: str) -> list[str]:
    """The roles or sizes that are listed, in whatever language, as the planner knows them."""
    return [next((one for one in TERMS if values_in(word, one) is not None), word) for word in said.split(", ")]


def values_in(text: str, message: str) -> dict[str, str] | None:
    """The values of a sentence; None where it was not made of this message, in no language."""
    found = (pattern.fullmatch(text) for pattern in _patterns(message))
    return next((match.groupdict() for match in found if match), None)


@cache
def _patterns(message: str) -> tuple[re.Pattern[str], ...]:
    said = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            said.append(_(message))
    return tuple(_pattern(text) for text in dict.fromkeys(said))


def _pattern(text: str) -> re.Pattern[str]:
    """With a group for each value; where one is said again it is the same."""
    known: set[str] = set()

    def group(found: re.Match[str]) -> str:
        name = found["name"]
        is_known = name in known
        known.add(name)
        return f"(?P={name})" if is_known else f"(?P<{name}>{_PLAIN.get(name, '.+?')})"

    return re.compile(_VALUE.sub(group, re.escape(text).replace("%%", "%")), re.DOTALL)
