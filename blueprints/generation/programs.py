"""Words that are names of programs by where they stand: unknown ones beside a machine, and common words in a list of programs."""

from blueprints.generation.lexicon import ordinary_words, senses, software_facts
from blueprints.generation.tokens import Token

_LEAST_NAME = 3
_GUESTS = ("VM", "VMs", "LXC", "LXCs", "Server", "CT")
_FAR = 12
_SIZES = ("size", "cpu", "memory", "spec")
_PURPOSE = {"join", "definite", "word", "os", "setting"}
_BEFORE_A_MACHINE = ("number", "article", "own", "size_word", "exact", "os", "cpu", "memory", "size", "another")


def with_common_names(tokens: list[Token]) -> list[Token]:
    """ "loki 2gb, tempo 2gb", "a plane vm", "synapse + element": a common word that stands where only a program can."""
    for place, token in enumerate(tokens):
        sense = senses().get((token.value,)) if token.kind == "word" else None
        if sense and sense.kind == "software" and _stands_for_a_program(tokens, place):
            tokens[place] = token.become(*sense)
    return tokens


def _stands_for_a_program(tokens: list[Token], place: int) -> bool:
    """In front of a size or a guest, or listed with a program."""
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    if after is not None and (after.kind in _SIZES or (after.kind == "machine" and after.value in ("vm", "lxc"))):
        return True
    return any(
        0 <= other < len(tokens) and _lists(tokens[beside]) and tokens[other].kind == "software"
        for beside, other in ((place - 1, place - 2), (place + 1, place + 2))
    )


def _lists(token: Token) -> bool:
    return token.kind in ("comma", "and", "slash") or token.value == "and"


def with_unknown_software(tokens: list[Token], text: str, language: str) -> list[Token]:
    """ "a Frobnix server", "ein Frobnix-Server", "un serveur Frobnix": a name beside a noun for machines is what runs there."""
    for place, token in enumerate(tokens):
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        before = tokens[place - 1] if place else None
        if token.kind != "word" or not _is_name(token):
            continue
        if _is_beside_machine(text, language, before, token, after) or _gets_a_machine(tokens, place):
            tokens[place] = token.become("software", token.value)
    return [token for place, token in enumerate(tokens) if not _is_second_name(tokens, place)]


def _is_second_name(tokens: list[Token], place: int) -> bool:
    """ "an Orthanc PACS VM": behind software that is known, an unknown name is more of it."""
    if tokens[place].kind != "software" or software_facts(tokens[place].value) or not place:
        return False
    before = tokens[place - 1]
    return before.kind == "software" and before.end + 1 == tokens[place].start


def _is_name(token: Token) -> bool:
    return len(token.text) >= _LEAST_NAME and token.text[0].isupper() and token.value not in ordinary_words()


def _is_beside_machine(text: str, language: str, before: Token | None, token: Token, after: Token | None) -> bool:
    if after is not None and after.kind == "machine":
        between = text[token.end : after.start]
        return between == "-" or (
            between == " " and language != "de" and after.text.islower() | (after.text in _GUESTS)
        )
    is_noun_first = language in ("fr", "es", "it") and before is not None and before.kind == "machine"
    return is_noun_first and before is not None and text[before.end : token.start] == " "


def _gets_a_machine(tokens: list[Token], place: int) -> bool:
    """ "CiviCRM on one VM", "Install Kimai for the alpine club in an LXC": a name that begins, and the machine for it."""
    before, following = tokens[:place], tokens[place + 1 : place + 1 + _FAR]
    begins = not before or before[-1].kind in ("stop", "verb") or before[-1].value in ("and", "comma")
    end = next((n for n, token in enumerate(following) if token.value == "on"), len(following))
    purpose = [token.kind for token in following[:end]]
    if not begins or purpose[:1] not in ([], ["join"]) or not set(purpose) <= _PURPOSE or end + 1 >= len(following):
        return False
    if purpose and following[0].value != "for":
        return False
    noun = next((token for token in following[end + 1 :] if token.kind not in _BEFORE_A_MACHINE), None)
    return following[end + 1].kind in ("number", "article") and noun is not None and noun.kind == "machine"
