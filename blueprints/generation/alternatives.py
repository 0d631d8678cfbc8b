"""What is left to the planner: "MinIO or Garage, whichever you like", "MySQL oder MariaDB"."""

from django.utils.translation import gettext as _

from blueprints.generation.facts import Request
from blueprints.generation.phrases import Element, Phrase
from blueprints.sentences import EITHER

_OR = ("or", "oder", "ou", "o", "u", "oppure")
_REFUSING = ("without", "existing")


def first_of(elements: list[Element], request: Request) -> list[Element]:
    """The elements without the second of two names of software, which is remembered; what is not wanted is left as it is."""
    found: list[Element] = []
    for element in elements:
        if isinstance(element, Phrase) and not _is_refused(found) and (chosen := _chosen(found, element)):
            request.assumptions.append(_(EITHER) % {"chosen": _named(chosen), "other": _named(element)})
            found.pop()
        else:
            found.append(element)
    return found


def _is_refused(before: list[Element]) -> bool:
    """ "no Redis or Memcached": neither is wanted."""
    return any(not isinstance(element, Phrase) and element.kind in _REFUSING for element in before)


def _chosen(found: list[Element], second: Phrase) -> Phrase | None:
    """The name before the "or", when both are nothing but names."""
    if len(found) < 2 or isinstance(found[-1], Phrase) or found[-1].text.lower() not in _OR:
        return None
    first = found[-2]
    is_plain = isinstance(first, Phrase) and bool(first.software) and bool(second.software) and second.count is None
    return first if is_plain and isinstance(first, Phrase) and first.software != second.software else None


def _named(phrase: Phrase) -> str:
    return ", ".join(phrase.software)
