"""Words of no meaning that machines are called by: "orion (8 GB) and vega (16 GB)", "la VM alpha tiene 4 núcleos"."""

from collections.abc import Iterator

from blueprints.generation.hostnames import means_nothing
from blueprints.generation.lexicon import fold, ordinals, software_facts, words_of
from blueprints.generation.neighbours import kind_at
from blueprints.generation.nouns import NOUNS
from blueprints.generation.tokens import Token
from blueprints.schema.names import guest_name

_VALUES = ("cpu", "memory", "disk", "disks", "size", "spec", "os", "ip", "vlan", "gpu", "factor")
_SIZES = ("cpu", "memory", "disk", "size", "spec")
_DETERMINERS = ("number", "article", "definite", "each", "own", "another", "existing", "several", "size_word")
_BEGINS = ("stop", "comma", "open", "colon", "dash", "all", "verb", "order")
_ENDS = ("stop", "comma", "open", "close", "colon", "dash")
_INTRODUCES = ("open", "colon", "dash", "arrow")
_AT = ("at", "unter", "bei", "auf", "on", "a", "en", "à", "in", "is", "ist", "est", "es", "su")
_BETWEEN = ("article", "definite", "exact", "bound", "each", "stop")
_NAMES = ("word", "size_word", "kept", "bound", "label", "environment", "order")
_MOST_BETWEEN = 4


def called(text: str, tokens: list[Token]) -> list[Token]:
    """The tokens with every such word as the name of a host, wherever it stands, when there are several of them."""
    places = [place for place in range(len(tokens)) if _may_be_name(tokens, place)]
    common = {_key(tokens[place]) for place in places if place and tokens[place - 1].kind in _DETERMINERS}
    proper = {place for place in places if _key(tokens[place]) not in common}
    called_so = {place for place in proper if _is_called(text, tokens, place)}
    found = {_key(tokens[place]) for place in called_so}
    found |= {_key(tokens[place]) for place in proper if found and _is_elliptic(tokens, place)}
    given = _given(tokens) | _listed_behind_noun(tokens, proper)
    found |= _listed_with(tokens, proper, found) | {_key(tokens[place]) for place in given}
    has_hosts = any(token.kind == "host" for token in tokens) and all(_is_sure(tokens, place) for place in called_so)
    if len(found) + has_hosts < 2:
        return tokens
    return [
        token.become("host", (guest_name(token.text),))
        if place in given or (token.kind == "word" and _key(token) in found)
        else token
        for place, token in enumerate(tokens)
    ]


def _key(token: Token) -> str:
    return token.text.lower()


def _may_be_name(tokens: list[Token], place: int) -> bool:
    """A word that is in no list of words, and no verb."""
    token = tokens[place]
    if token.kind != "word" or not token.text.isalpha() or not (means_nothing(token.text) or _is_proper(token)):
        return False
    return fold(token.text) not in ordinals() and not any(
        fold(token.text) in words_of(name)
        for name in ("having_sizes", "giving", "divisions", "receiving", "granting", "pronouns")
    )


def _is_sure(tokens: list[Token], place: int) -> bool:
    """ "the database server dbx", "bd at 10.0.0.2": one name is enough beside others that are numbered."""
    before, behind = tokens[place - 1] if place else None, tokens[place + 1 : place + 3]
    is_at_address = len(behind) > 1 and behind[1].kind == "ip"
    return (before is not None and before.kind in NOUNS) or is_at_address


def _is_proper(token: Token) -> bool:
    """ "triton" with a small letter is not the program."""
    return bool(software_facts(token.value).get("proper"))


def _is_called(text: str, tokens: list[Token], place: int) -> bool:
    """Where a clause begins, or behind a noun for machines, with values of its own behind it; or what is given values."""
    before = tokens[place - 1] if place else None
    if (
        before is None
        or before.kind in _BEGINS
        or before.value in ("and", "but")
        or before.value in words_of("wanting")
    ):
        return _is_heading(text, tokens[place]) or _is_among_names(tokens, place) or _has_values(tokens, place)
    if fold(before.text) in words_of("giving"):
        return _is_given(tokens[place + 1 : place + 2])
    if before.value == "on" and place > 1 and tokens[place - 2].kind in NOUNS:
        return kind_at(tokens, place + 1) == "open" and _has_values(tokens, place)
    return before.kind in NOUNS and _is_behind_noun(tokens, place)


def _is_heading(text: str, token: Token) -> bool:
    """ "## tiger"."""
    line = text[text.rfind("\n", 0, token.start) + 1 : token.start].strip()
    return line.startswith("#") and not line.strip("#")


def _is_among_names(tokens: list[Token], place: int) -> bool:
    """ "Names: zeus for the database, hera for the cache"."""
    start = next((n for n in range(place - 1, -1, -1) if tokens[n].kind == "stop"), -1) + 1
    opens = [token.value for token in tokens[start : start + 2]] == ["named", ":"]
    return opens and place + 1 < len(tokens) and tokens[place + 1].value == "for"


def _is_behind_noun(tokens: list[Token], place: int) -> bool:
    """ "VM alpha has 4 cores", "server rhine at 10.0.0.2"; in "the server works with 8 GB" a verb stands there."""
    before, behind = tokens[place - 1], tokens[place + 1 : place + 2]
    if not behind or not _has_values(tokens, place):
        return False
    if behind[0].value == "with":
        return before.kind == "machine" and (place < 2 or tokens[place - 2].kind in _BEGINS)
    return before.kind in ("machine", "role", "member") and behind[0].kind != "dash"


def _may_follow(before: Token | None, token: Token) -> bool:
    """ "la VM beta, deux cœurs": behind a noun for machines, values may be set off by a comma."""
    return before is not None and before.kind == "machine" and token.kind == "comma"


def _is_elliptic(tokens: list[Token], place: int) -> bool:
    """ "alpha gets 4 GB, gamma 8 GB": beside other names the verb need not be said again."""
    before = tokens[place - 1] if place else None
    begins = before is None or before.kind in ("comma", "stop") or before.value == "and"
    return begins and kind_at(tokens, place + 1) in (*_SIZES, "disk")


def _is_given(following: list[Token]) -> bool:
    """ "give juno Nextcloud and 8 GB"."""
    return bool(following) and following[0].kind in (*NOUNS, *_VALUES)


def _has_values(tokens: list[Token], place: int) -> bool:
    """ "(8 GB", "with 4 cores", "gets the address 10.0.0.2", ": Debian 12"."""
    is_bound = False
    for token in tokens[place + 1 : place + 2 + _MOST_BETWEEN]:
        if token.kind in _VALUES or (is_bound and token.kind == "software"):
            return is_bound
        if is_bound and token.kind == "number":
            return _is_one_of_several_sizes(tokens, tokens.index(token))
        is_verb = fold(token.text) in words_of("having_sizes")
        is_set_off = not is_bound and _may_follow(tokens[place - 1] if place else None, token)
        if token.kind in _INTRODUCES or is_verb or is_set_off or token.value == "with" or token.text.lower() in _AT:
            is_bound = True
        elif not (is_bound and (token.kind in _BETWEEN or token.kind == "join")):
            return False
    return False


def _is_one_of_several_sizes(tokens: list[Token], place: int) -> bool:
    """ "8 and 16 GB"."""
    step = _to_next(tokens, place + 1)
    return step > 0 and kind_at(tokens, place + 1 + step) in ("number", *_SIZES)


def _given(tokens: list[Token]) -> set[int]:
    """ "called small, medium and large": a list behind a verb that gives names, whatever its words mean elsewhere."""
    places: set[int] = set()
    for start, token in enumerate(tokens):
        run, end = list[int](), start + 1 + (kind_at(tokens, start + 1) == "colon")
        while token.value == "named" and kind_at(tokens, end) in _NAMES and _is_one_word(tokens[end]):
            run.append(end)
            step = _to_next(tokens, end + 1)
            end += 1 + step
            if not step:
                break
        is_set_off = end >= len(tokens) or tokens[end].kind in (*_ENDS, "each", "all") or tokens[end].value == "with"
        if len(run) > 1 and is_set_off:
            places |= {*run}
    return places


def _listed_behind_noun(tokens: list[Token], proper: set[int]) -> set[int]:
    """ "the machines max and moritz, each with 4 GB. max gets …": beside a name, even a word with a meaning is one."""
    places: set[int] = set()
    for start, token in enumerate(tokens):
        pair = _pair(tokens, start + 1) if token.kind == "machine" else ()
        if {*pair} & proper and (_is_said_of_each(tokens[pair[1] + 1 : pair[1] + 3]) or _has_values(tokens, pair[1])):
            words = {_key(tokens[place]) for place in pair}
            places |= {
                place for place in range(len(tokens)) if _key(tokens[place]) in words and not _is_limit(tokens, place)
            }
    return places


def _pair(tokens: list[Token], first: int) -> tuple[int, ...]:
    """The places of two single words with "and" between them."""
    second = first + 1 + _to_next(tokens, first + 1)
    are_words = all(kind_at(tokens, place) in _NAMES and _is_one_word(tokens[place]) for place in (first, second))
    return (first, second) if second > first + 1 and are_words else ()


def _is_said_of_each(behind: list[Token]) -> bool:
    """ ", each with 4 GB"."""
    return [token.kind for token in behind] in (["comma", "each"], ["comma", "all"])


def _is_limit(tokens: list[Token], place: int) -> bool:
    """ "max 4 cores"."""
    return kind_at(tokens, place + 1) in ("number", *_SIZES)


def _is_one_word(token: Token) -> bool:
    return token.text.isalpha() and fold(token.text) not in words_of("having_sizes")


def _listed_with(tokens: list[Token], proper: set[int], found: set[str]) -> set[str]:
    """ "orion, vega and lyra: …": the others of a plain list of which one is a name, or all that stand behind a noun."""
    names: set[str] = set()
    for run in _runs(tokens, proper):
        words = {_key(tokens[place]) for place in run}
        if len(run) > 1 and (words & found or _is_list_of_names(tokens, run)):
            names |= words
    return names


def _runs(tokens: list[Token], proper: set[int]) -> Iterator[list[int]]:
    """The places of plain lists: "orion, vega and lyra"."""
    taken = 0
    for place in sorted(proper):
        if place < taken:
            continue
        run, end = [place], place + 1
        while (step := _to_next(tokens, end)) and end + step in proper:
            run.append(end + step)
            end += step + 1
        taken = end
        yield run


def _to_next(tokens: list[Token], end: int) -> int:
    """How many marks stand between two of a list: a comma, "and", or both."""
    marks = [token.kind == "comma" or token.value == "and" for token in tokens[end : end + 2]]
    return (2 if marks == [True, True] else 1) if marks[:1] == [True] else 0


def _is_list_of_names(tokens: list[Token], run: list[int]) -> bool:
    """ "machines orion and vega with …", "Boxes: skye and mull. skye …", "mercury, venus and mars: the first two …"."""
    before = [token.kind for token in tokens[max(0, run[0] - 2) : run[0]]]
    behind = tokens[run[-1] + 1 : run[-1] + 2]
    is_behind_noun = before[-1:] == ["machine"] or (
        before[-1:] in (["colon"], ["open"], ["comma"]) and bool({*NOUNS} & {*before})
    )
    is_first = run[0] == 0 or before[-1:] == ["stop"]
    if is_behind_noun and behind and (behind[0].kind in (*_INTRODUCES, "close") or _has_values(tokens, run[-1])):
        return True
    is_set_off = bool(behind) and behind[0].kind == ("colon" if is_first else "stop")
    is_said_again = any(_key(tokens[place]) in {t.text.lower() for t in tokens[run[-1] + 1 :]} for place in run)
    is_pointed_to = any(fold(token.text) in ordinals() for token in tokens[run[-1] + 1 : run[-1] + 6])
    return (is_first or is_behind_noun) and is_set_off and (is_said_again or is_pointed_to)
