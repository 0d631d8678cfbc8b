"""What words ask for and no code of ours does: it is told, not left out in silence."""

import re
from collections.abc import Callable, Sequence

from blueprints.generation.lexicon import fold
from blueprints.schema import Machine

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


_EVERY = frozenset({"terraform", "ansible", "cloud-init"})
_PARTS: tuple[tuple[str, Callable[[Machine], object], frozenset[str]], ...] = (
    ("Backups are not set up: make a backup job for {}.", lambda one: one.backup, _EVERY),
    ("No GPU is passed through: give one to {}.", lambda one: one.gpus, _EVERY),
    (
        "Nodes are not chosen: put {} on different ones.",
        lambda one: one.anti_affinity and not one.node,
        frozenset({"terraform", "ansible"}),
    ),
    (
        "Terraform installs no software: install it on {}, for example with the format ansible.",
        lambda one: one.software,
        frozenset({"terraform"}),
    ),
    (
        "User data says nothing of disks and fixed addresses: set them where {} are made.",
        lambda one: one.data_disks or any(nic.ip for nic in one.nics),
        frozenset({"cloud-init"}),
    ),
    (
        "Only Linux is set up by this code: set up {} by hand.",
        lambda one: one.image is not None and one.image.family in {"windows", "freebsd"},
        frozenset({"ansible", "cloud-init"}),
    ),
)
_NAMED = 5


def unmade(machines: Sequence[Machine], kind: str) -> list[str]:
    """A sentence for each part of the blueprint that code of this format does not make, with whose it is."""
    found = []
    for sentence, has, kinds in _PARTS:
        names = list(dict.fromkeys(one.resource for one in machines if has(one))) if kind in kinds else []
        if names:
            more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
            *first, last = [*names[:_NAMED], *more]
            found.append(sentence.format(f"{', '.join(first)} and {last}" if first else last))
    return found
