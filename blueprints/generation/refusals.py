"""Whole clauses and lists of what is not wanted: "Backup brauchen wir nicht", "Not needed: …", "I do not need that"."""

import re

from blueprints.generation.lexicon import fold
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_VALUES = ("cpu", "memory", "disk", "size", "os")
_FORGET = (
    "forget",
    "never mind",
    "cancel",
    "cross out",
    "streich",
    "raye",
    "tacha",
    "annul",
    "ignore",
    "disregard",
    "vergiss",
    "vergesst",
    "oubli",
    "olvid",
    "dimentic",
)
_MOST_IN_REFUSAL = 8
_NEED_IS_NEAR = 20
"""So many letters behind the "not" the word of need may stand."""
_OF_REFUSALS = {"without", "existing", "word", "verb", "definite", "it", "order"}
"""What stands before the colon of "We do not need: …", "Already there: …"."""
_OF_ALL = {"join", "verb", "all", "definite", "it"}
_AT_ALL = ("at", "ever", "whatsoever", "uberhaupt", "du", "tout", "absolut", "assolutamente")
_NEED = re.compile(
    r"\b(?:need|want|require|brauch|will|woll|besoin|veux|voulons|necesit|quier|quer|vogli|bisogno|requir|necessary|notig|erforderlich|necessaire|necesari|necessari|do without|live without|go without|verzicht|prescind|passons de|a meno|lass)\w*|\bserv(?:e|ono|ira|iranno|iva|ivano)\b"
)


def trailing(walk: Walk) -> set[int]:
    """Places of a clause whose "not" comes last: "Backup brauchen wir nicht", "a cache is not needed"."""
    found = _refused_list(walk.elements)
    clause: list[int] = []
    for place, element in enumerate([*walk.elements, None]):
        if element is None or (isinstance(element, Token) and element.kind in ("comma", "stop", "colon", "open")):
            end = element.start if element else len(walk.text)
            found |= set(clause) if clause and _ends_in_no(walk, [walk.elements[n] for n in clause], end) else set()
            clause = []
        else:
            clause.append(place)
    return found


def _refused_list(elements: list[Element]) -> set[int]:
    """ "Not needed: monitoring, object storage": everything behind the colon."""
    place = next((n for n, e in enumerate(elements) if isinstance(e, Token) and e.kind == "colon"), 0)
    head = [e.kind if isinstance(e, Token) else "phrase" for e in elements[:place]]
    if not {"without", "existing"} & set(head) or not set(head) <= _OF_REFUSALS:
        return set()
    behind = elements[place + 1 :]
    return set(range(place + 1, len(elements))) if not any(map(_is_of_other_kind, behind)) else set()


def _is_of_other_kind(element: Element) -> bool:
    """Values and counts tell that something else is listed: "no Windows: three Debian VMs"."""
    if isinstance(element, Phrase):
        return element.insists or bool(element.before)
    return element.kind in _VALUES


def _ends_in_no(walk: Walk, clause: list[Element], end: int) -> bool:
    """A noun first, then a word of need, and a "not" with nothing behind it that could be meant."""
    places = [n for n, e in enumerate(clause) if isinstance(e, Token) and e.kind == "without"]
    if not places or len(clause) > _MOST_IN_REFUSAL or any(map(_could_be_meant, clause[places[-1] :])):
        return False
    said = fold(walk.text[clause[0].start : min(end, clause[-1].end + _NEED_IS_NEAR)])
    is_order = any(isinstance(e, Token) and e.kind == "order" for e in clause[places[-1] :])  # "mustn't boot before it"
    is_noun_first = any(_is_noun(element) for element in clause[: places[0]][:2])
    is_change = is_noun_first and walk.is_amended(clause[0])  # "Den Redis doch nicht."
    return is_noun_first and not is_order and (is_change or _NEED.search(said) is not None)


def _could_be_meant(element: Element) -> bool:
    return _is_noun(element) or (isinstance(element, Token) and element.kind in ("os", "gpu", "size", "backup"))


def _is_noun(element: Element) -> bool:
    return isinstance(element, Phrase) or element.kind in ("backup", "label", "ha", "gpu")


def of_what_was_said(walk: Walk, tokens: list[Token]) -> None:
    """ "They run Kafka. I do not need that." takes back what the sentence before named."""
    kinds = [token.kind for token in tokens if token.kind != "stop"]
    refusal = next((token for token in tokens if token.kind == "without"), None)
    is_short = (
        set(kinds) <= {"without", "definite", "word", "it", "order", "all", "part"} and len(kinds) <= _MOST_IN_REFUSAL
    )
    if (
        refusal is None
        or not is_short
        or kinds[-1] == "without"
        or not (_NEED.search(fold(walk.text[tokens[0].start : tokens[-1].end])) or is_to_forget(refusal))
    ):
        return
    for group in list(walk.last_named):
        walk.request.excluded.update(group.software or [group.role])
        walk.drop(group)


def is_of_all_backups(walk: Walk) -> bool:
    """ "never backed up at all", "no backups"; "no off-site backups" and "no backups on Sundays" leave the others."""
    ahead = walk.elements[walk.position + 1 :]
    end = next((n for n, e in enumerate(ahead) if isinstance(e, Token) and e.kind in ("comma", "stop")), len(ahead))
    is_plain = all(isinstance(e, Token) and (e.kind in _OF_ALL or fold(e.text) in _AT_ALL) for e in ahead[:end])
    return is_plain and walk.kinds_before(1) in (["without"], ["join"])


def is_to_forget(refusal: Token) -> bool:
    """ "forget those", "never mind that"."""
    return fold(refusal.text).startswith(_FORGET)
