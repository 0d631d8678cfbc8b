"""Software that is replaced by other software after it was described: "And PostgreSQL instead of MySQL, please"."""

from blueprints.generation import grouping
from blueprints.generation.lexicon import fold
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk


def is_replaced(walk: Walk, phrase: Phrase) -> bool:
    """ "… And PostgreSQL instead of MySQL.": what was described before is the other software."""
    sign, better = next(iter(walk.elements[walk.negated_from :]), None), walk.in_focus
    is_instead = isinstance(sign, Token) and fold(walk.quote(sign).text) in ("instead of", "in place of", "rather than")
    known = grouping.known(walk, phrase) if is_instead and phrase.software else None
    if known is None or better is None or known is better or better.has_sizes or better.role != known.role:
        return False
    known.software, known.causes["software"] = better.software, better.causes["software"]
    walk.drop(better)
    walk.turn_to(known)
    return True
