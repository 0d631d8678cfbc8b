"""What words ask for and no code of ours does: it is told, not left out in silence."""

import re

from blueprints.generation.lexicon import fold

_NOT = r"(?<!\bno )(?<!\bwithout )(?<!\bohne )(?<!\bkein )(?<!\bkeine )(?<!\bsans )(?<!\bsin )(?<!\bsenza )"
_RULES = r"rules?|polic(?:y|ies)|regeln?|regles?|reglas?|regole"
_UNSAID = {
    re.compile(
        rf"{_NOT}\b(?:ssl|tls|https|certificates?|zertifikate?n?|certificats?|certificados?|certificat[oi])\b"
    ): ("Certificates are not made: get them on the machine, for example with certbot."),
    re.compile(rf"{_NOT}\b(?:firewall[ -]?(?:{_RULES})|(?:{_RULES}) (?:\w+ )?(?:firewall|pare.feu|cortafuegos))\b"): (
        "Firewall rules are not written: write them for the machine, then switch its firewall on."
    ),
}


def unsaid(words: str) -> list[str]:
    """A sentence for each thing that the words want and the code leaves out."""
    text = fold(words)
    return [sentence for pattern, sentence in _UNSAID.items() if pattern.search(text)]
