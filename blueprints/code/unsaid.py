"""What words ask for and no code of ours does: it is told, not left out in silence."""

import re
from collections.abc import Callable, Sequence

from blueprints.code.packaging import by_hand
from blueprints.generation.lexicon import fold
from blueprints.schema import Machine
from blueprints.schema.spec_keys import ALIASES

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
_INSTALLING = frozenset({"ansible", "cloud-init"})
_NAMED = 5


def _where(has: Callable[[Machine], object]) -> Callable[[Machine], list[str]]:
    return lambda machine: [machine.resource] if has(machine) else []


_PLACED = {
    "terraform": frozenset[str](),
    "ansible": frozenset({"timezone", "packages"}),
    "cloud-init": frozenset({"timezone", "packages", "disk_type"}),
}
"""Keys that ALMA's own engine only notes, and that a format writes or has nothing to do with."""
_CHANGING = frozenset({
    "disk_type", "timezone", "packages", "hostname", "env", "config", "virtual_ip", "rules",
})  # fmt: skip
"""Keys that are noted and would change the guest; other such keys describe it, or are written by each format."""
_NOTED = "Not written in this format, so left to you: {}."


def _noted(kind: str) -> Callable[[Machine], list[str]]:
    missing = _CHANGING - _PLACED[kind]
    return lambda machine: [key for key in machine.noted if ALIASES.get(key, key) in missing]


_PARTS: tuple[tuple[str, frozenset[str], Callable[[Machine], list[str]]], ...] = (
    ("Backups are not set up: make a backup job for {}.", _EVERY, _where(lambda one: one.backup)),
    ("No GPU is passed through: give one to {}.", _EVERY, _where(lambda one: one.gpus)),
    (
        "Nodes are not chosen: put {} on different ones.",
        frozenset({"terraform", "ansible"}),
        _where(lambda one: one.anti_affinity and not one.node),
    ),
    (
        "Terraform installs no software: install it on {}, for example with the format ansible.",
        frozenset({"terraform"}),
        _where(lambda one: one.software),
    ),
    ("No package of the distribution, so left to you: {}.", _INSTALLING, by_hand),
    (
        "User data says nothing of disks and fixed addresses: set them where you make {}.",
        frozenset({"cloud-init"}),
        _where(lambda one: one.data_disks or any(nic.ip for nic in one.nics)),
    ),
    (
        "A container comes with root alone: make the user of {} in it.",
        frozenset({"terraform", "ansible"}),
        _where(lambda one: one.kind == "lxc" and one.user),
    ),
    (
        "Only Linux is set up by this code: set up {} by hand.",
        _INSTALLING,
        _where(lambda one: one.image is not None and one.image.family in {"windows", "freebsd"}),
    ),
)


def unmade(machines: Sequence[Machine], kind: str) -> list[str]:
    """A sentence for each part of the blueprint that code of this format does not make, with what it is or whose."""
    found = []
    for sentence, kinds, named in (*_PARTS, (_NOTED, frozenset({kind}), _noted(kind))):
        names = list(dict.fromkeys(name for one in machines for name in named(one))) if kind in kinds else []
        if names:
            more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
            *first, last = [*names[:_NAMED], *more]
            found.append(sentence.format(f"{', '.join(first)} and {last}" if first else last))
    return found
