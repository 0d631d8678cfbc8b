"""Words about machines that run. A conversation changes only its draft, so they are led to where such things are done."""

from collections.abc import Sequence
from urllib.parse import quote

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from alma.accounts.actors import Actor
from blueprints.assistants.talk import Answer, Talk
from blueprints.assistants.wishing import understood
from blueprints.generation.normalising import without_orders
from blueprints.revising.hearing import Heard, hear, mentions
from blueprints.revising.manners import is_question, speaks_of_running
from blueprints.revising.matching import named
from blueprints.schema import parse_document
from blueprints.tools.subjects import MACHINE_READ, plain
from vms.machines import public_id
from vms.models import Guest

_MOST = 3
_MOST_WORDS = 20
"""Who says more describes what is to be built, whatever else stands in it."""
_RULE = gettext_noop(
    "It is asked for there once more, and waits for approval where the environment says so; or open an IPR for the blueprint that owns it."
)


def pointed(words: str, talk: Talk) -> Answer | None:
    """Where to do what is wanted of a machine that runs; None when the words are about the draft."""
    words = without_orders(words)[0]
    heard = hear(words)
    if not _is_order(heard):
        return None
    guests = _machines(heard, talk)
    if not talk.has_parts and understood(words, talk):
        return None
    is_elsewhere = bool(guests) or _is_of_running(heard) or (talk.has_parts and _is_power_alone(heard))
    return _led(heard, guests, talk) if is_elsewhere else None


def _is_order(heard: Heard) -> bool:
    """Whether somebody shortly orders to end, start or stop something."""
    if is_question(heard.text) or len(heard.words) > _MOST_WORDS:
        return False
    return _ends(heard) or _powers(heard)


def _ends(heard: Heard) -> bool:
    return heard.has("operations", "remove")


def _powers(heard: Heard) -> bool:
    return heard.has("operations", "power") and not mentions(heard, "backup", "backup")


def _is_of_running(heard: Heard) -> bool:
    """Whether the words themselves say that it runs; "stop and delete it" does."""
    is_both = _ends(heard) and _powers(heard)
    return speaks_of_running(heard.text) or _has_id(heard) or _is_estate(heard) or is_both


def _is_power_alone(heard: Heard) -> bool:
    """Whether it is to start or stop, and neither to go nor about a program."""
    return _powers(heard) and not _ends(heard) and not heard.software


def _led(heard: Heard, guests: Sequence[Guest], talk: Talk) -> Answer:
    """To the pages of these machines, or to the list of all."""
    lines = [f"- {plain(guest.name, 100)} ({public_id(guest)}): {guest.get_absolute_url()}" for guest in guests]
    if not lines:
        lines = [_("- Machines: %(address)s") % {"address": f"{reverse('vms:list')}{_search(heard)}"}]
    kept = (
        _("The draft stays as it is: to take something out of it, say which part, without more.")
        if talk.has_parts
        else ""
    )
    return Answer(
        "\n".join(
            [
                _("That is about a machine that runs, and I change only drafts. Do it on its page."),
                *lines,
                f"{_(_RULE)} {kept}".strip(),
            ]
        )
    )


def _is_estate(heard: Heard) -> bool:
    """ "All virtual machines" are those that there are, and no part of a draft."""
    return heard.has("everything", "all") and heard.has("everything", "machines")


def _machines(heard: Heard, talk: Talk) -> list[Guest]:
    """Machines of these names that whoever asks sees, unless the draft has them itself."""
    by = talk.asking.by if talk.asking else None
    parts = parse_document(talk.draft).resources if talk.draft else ()
    said = {word.strip(".,;:!?\"'“”").lower() for word in heard.text.split()}
    if by is None or not by.has(MACHINE_READ) or (named(heard, parts) and not speaks_of_running(heard.text)):
        return []
    return _called(said, by)


def _called(said: set[str], by: Actor) -> list[Guest]:
    names = [word for word in said if any(sign.isdigit() or sign in "-." for sign in word)]
    rows = Guest.objects.visible_to(by).present().machines()
    numbers = [int(word[3:]) for word in names if word.startswith("vm-") and word[3:].isdigit() and len(word) < 13]
    return list((rows.filter(name__in=names) | rows.filter(pk__in=numbers)).order_by("pk")[:_MOST])


def _has_id(heard: Heard) -> bool:
    return any(host.startswith("vm-") for host in heard.hosts)


def _search(heard: Heard) -> str:
    return f"?q={quote(heard.hosts[0])}" if heard.hosts else ""
