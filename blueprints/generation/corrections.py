"""What somebody took back while writing: "two, no, three", "MySQL, I mean PostgreSQL"."""

import re
from itertools import takewhile

from blueprints.generation.lexicon import fold
from blueprints.generation.rejected import without_rejected
from blueprints.generation.tokens import Token
from blueprints.schema.sizes import GIB

_SIZES = ("size", "memory", "disk", "cpu")
_NOUNS = ("role", "software", "machine", "member")
_VALUES = ("number", "article", "size", "cpu", "memory", "disk", "software", "os", "environment", "machine")
_COUNTS = ("number", "article")
_NOT = ("not", "nicht", "pas", "non")
"""In "4 GB, not 8" the second is the wrong one."""
_FARTHEST = 16
_ENOUGH = re.compile(
    r"(?:will do|do\b|is enough|are enough|enough|are plenty|is plenty|plenty|suffic|suffis|suffit|reich|genug|genug|basta|bastan|bastano|sufficien)"
)


def corrected(tokens: list[Token]) -> list[Token]:
    """The tokens without what somebody took back: "16 GB... sorry, 4 GB"."""
    tokens = without_rejected(tokens)
    kept: list[Token] = []
    used: Token | None = None
    loose: Token | None = None
    for position, token in enumerate(tokens):
        if any(sign(tokens, position) for sign in (_is_correction, _is_plain_no, _is_enough)):
            value, has_noun = _next_value(tokens, position)
            taken = _recount(kept, value, tokens) or _take_back(kept, value, tokens, has_noun)
            used, loose = taken or used, None if taken or has_noun else value
        elif used is not None and used.start == token.start:
            _forget_sizes(kept, tokens[position + 1 : position + 2], token)
        elif _is_no_again(tokens, position):
            continue
        elif token.kind != "comma" or not kept or kept[-1] is not loose:
            kept.append(token)
    return kept


def _is_no_again(tokens: list[Token], position: int) -> bool:
    """ "anzi no, 2 GB", "ach nein, drei": the no only says once more that something is taken back."""
    return (
        tokens[position].kind == "without"
        and _kind_at(tokens, position - 1) == "correction"
        and _kind_at(tokens, position + 1) in ("comma", "number", *_SIZES)
    )


def _forget_sizes(kept: list[Token], following: list[Token], value: Token) -> None:
    """ "8 servers with 2 GB, no, 6 with 4 GB": with the number, what was said of them is taken back."""
    if (
        value.kind == "number"
        and "." not in value.text
        and any(token.kind == "join" and token.value == "with" for token in following)
        and any(token.kind in _NOUNS for token in kept)
    ):
        while kept[-1].kind not in _NOUNS:
            kept.pop()


def _is_correction(tokens: list[Token], position: int) -> bool:
    """ "sorry"; "moment" only between commas."""
    token = tokens[position]
    is_adjective = (
        _kind_at(tokens, position - 1) in ("article", "definite", "number") and _kind_at(tokens, position + 1) in _NOUNS
    )
    return (
        not is_adjective
        and token.kind == "correction"
        and (token.value != "say" or _is_said_alone(tokens, position))
        and (token.value != "aside" or (position > 0 and tokens[position - 1].kind in ("comma", "dash", "stop")))
    )


def _is_said_alone(tokens: list[Token], position: int) -> bool:
    """ "4 GB, let's say 8.": behind a comma, and a value alone."""
    kinds = [_kind_at(tokens, position + n) for n in (-1, 1, 2)]
    return (
        kinds[0] in ("comma", "dash", "stop")
        and kinds[1] in ("number", *_SIZES)
        and kinds[2] in ("", "stop", "comma", "close")
    )


def _is_plain_no(tokens: list[Token], position: int) -> bool:
    """ "two, no, three": a no between commas after a value."""
    return (
        tokens[position].kind == "without"
        and fold(tokens[position].text) not in _NOT
        and (tokens[position - 1].kind in ("comma", "dash") or _is_pause(tokens, position))
        and _kind_at(tokens, position + 1) in ("comma", "number")
        and any(token.kind in _VALUES for token in tokens[max(0, position - 4) : position])
    )


def _is_pause(tokens: list[Token], position: int) -> bool:
    """ "two... no, three"; "…; no two on one host" takes nothing back."""
    is_dots = tokens[position - 1].text in ("...", "…")
    return (
        tokens[position - 1].kind == "stop"
        and tokens[position - 1].text != "?"
        and (is_dots or _kind_at(tokens, position + 1) == "comma")
    )


def _is_enough(tokens: list[Token], position: int) -> bool:
    """ "three proxies, but two will do"; "two are not enough, we take five"."""
    token = tokens[position]
    if token.kind == "without":
        beside = [tokens[n] for n in (position - 1, position + 1) if 0 <= n < len(tokens)]
        return any(_ENOUGH.match(fold(other.text)) for other in beside)
    is_but = token.kind == "join" and token.value == "but" and _kind_at(tokens, position + 1) == "number"
    return is_but and _will_do(tokens, position + 1)


def _next_value(tokens: list[Token], position: int) -> tuple[Token | None, bool]:
    """The value that replaces the earlier one, and whether it has a noun of its own."""
    for place in range(position + 1, min(position + 6, len(tokens))):
        if tokens[place].kind == "without" and place > position + 1:
            break  # "Actually, drop the Redis"
        if tokens[place].kind in _VALUES and tokens[place].kind != "article":
            nouns = (*_NOUNS, "part") if _divides(tokens[:position]) else _NOUNS
            has_noun = any(token.kind in nouns for token in _up_to_comma(tokens[place + 1 : place + 3]))
            if tokens[place].kind == "machine" and tokens[place].value == "any":
                continue
            return tokens[place], has_noun or tokens[place].kind in _NOUNS
    return _version_ahead(tokens, position) or _far_value(tokens, position), False


def _divides(before: list[Token]) -> bool:
    """Whether "two of them" was said, or no number: else "no, six of them" counts what the number before counted."""
    near = {token.kind for token in before[-_FARTHEST:]}
    return "part" in near or "number" not in near


def _version_ahead(tokens: list[Token], position: int) -> Token | None:
    """ "Ubuntu 20.04 - wait, that is end of life, 24.04 of course"."""
    before = next((t for t in reversed(tokens[max(0, position - 2) : position]) if t.kind == "os"), None)
    ahead = tokens[position : position + _FARTHEST] if before else []
    return next((token for token in ahead if token.kind == "number" and "." in token.text), None)


def _up_to_comma(tokens: list[Token]) -> list[Token]:
    """ "three, let's say five, web servers": behind the comma stands the noun of both."""
    return tokens[: next((n for n, token in enumerate(tokens) if token.kind in ("comma", "colon")), len(tokens))]


def _far_value(tokens: list[Token], position: int) -> Token | None:
    """ "Scratch that, Marketing dropped theirs, so four.", "No, that is too many, two will do.": a number that ends the sentence."""
    end = next((n for n in range(position + 2, len(tokens)) if tokens[n].kind == "stop"), len(tokens))
    ahead = range(position + 1, end if end - position < _FARTHEST else position)
    last = [
        place for place in ahead if tokens[place].kind == "number" and (place == end - 1 or _will_do(tokens, place))
    ]
    return tokens[last[-1]] if last else None


def _will_do(tokens: list[Token], position: int) -> bool:
    """ "two will do", "zwei reichen"."""
    return _ENOUGH.match(" ".join(fold(other.text) for other in tokens[position + 1 : position + 3])) is not None


def _take_back(kept: list[Token], value: Token | None, tokens: list[Token], has_noun: bool) -> Token | None:
    """Cut off what is replaced; when that would cut off its noun too, put the new value in its place."""
    if value is None:
        return None
    if _is_version(kept, value):
        place = next(n for n in range(len(kept) - 1, -1, -1) if kept[n].kind == "os")
        kept[place] = kept[place].become("os", f"{str(kept[place].value).split('-')[0]}-{value.text}", said=value)
        return value
    said = value
    value = value if has_noun else _in_the_unit_before(kept, value)
    is_bare = value is not said  # "8 GB, no, better 16": where it stands, the number would be no size
    for back in range(len(kept) - 1, max(-1, len(kept) - _FARTHEST), -1):
        if kept[back].kind == value.kind or {kept[back].kind, value.kind} <= {"size", "memory", "disk"}:
            is_put_in_place = not has_noun and (is_bare or _stays_in_place(kept[back:], value))
            is_renamed = value.kind == "software" and not _has_values(tokens, value)
            return _replace(kept, back, value, is_put_in_place=is_put_in_place, is_renamed=is_renamed)
    return None


def _replace(kept: list[Token], back: int, value: Token, *, is_put_in_place: bool, is_renamed: bool) -> Token | None:
    """The new value where the old one stood, the new name wherever the old one was said, or nothing from there on."""
    if _is_of_others(kept, back):
        return None
    if is_put_in_place:
        kept[back] = kept[back].become(kept[back].kind, value.value, said=value)
    elif is_renamed:
        _rename(kept, kept[back], value)
    else:
        del kept[back:]
        return None
    return value


def _has_values(tokens: list[Token], value: Token) -> bool:
    """ "no, GitLab with 16 GB": the rest of the sentence describes it anew."""
    behind = list(takewhile(lambda token: token.kind != "stop", [t for t in tokens if t.start >= value.end]))
    return any(token.kind in (*_SIZES, *_NOUNS[2:], "os") for token in behind)


def _rename(kept: list[Token], wrong: Token, value: Token) -> None:
    """ "Three RabbitMQ nodes with 4 GB. Sorry, I meant Kafka.": what was said of it holds."""
    for place, token in enumerate(kept):
        if _are_same(token, wrong):
            kept[place] = token.become("software", value.value, said=value)


def _stays_in_place(behind: list[Token], value: Token) -> bool:
    """What stands behind the value that is replaced holds: its noun, or "on Debian 11 with 4 GB. Correction: Debian 12"."""
    if value.kind == "size" and behind[0].kind in ("memory", "disk"):
        return True
    return any(token.kind in (_NOUNS if value.kind != "os" else (*_NOUNS, *_SIZES)) for token in behind)


def _in_the_unit_before(kept: list[Token], value: Token) -> Token:
    """ "8 GB for the Jenkins VM, no, 16": where only a size can be meant, the number is one."""
    near = kept[max(0, len(kept) - _FARTHEST) :]
    sizes = [token for token in near if token.kind in _SIZES]
    if value.kind != "number" or not sizes or any(token.kind == "number" for token in near):
        return value
    number = re.search(r"[0-9]+(?:[.,][0-9]+)?", sizes[-1].text)
    unit = GIB if number is None and sizes[-1].kind != "cpu" else 1
    if number is not None and sizes[-1].kind != "cpu":
        unit = int(sizes[-1].value / float(number[0].replace(",", ".")))
    return value.become(sizes[-1].kind, int(value.value * unit))


def _recount(kept: list[Token], value: Token | None, tokens: list[Token]) -> Token | None:
    """ "2 web servers and a database. Make it 3 web servers": the number of the same noun, with others behind it."""
    noun = next((t for t in tokens if value and t.start >= value.end), None)
    if value is None or noun is None or value.kind != "number" or noun.kind not in _NOUNS:
        return None
    near = range(len(kept) - 1, 0, -1)
    same = next((n for n in near if _are_same(kept[n], noun) and kept[_first_noun(kept, n) - 1].kind in _COUNTS), None)
    if same is None or not (_has_other_nouns(kept[same:], noun) or _is_said_later(kept[same:], tokens, noun)):
        return None
    place = _first_noun(kept, same) - 1
    kept[place] = kept[place].become("number", value.value, said=value)
    return value


def _first_noun(kept: list[Token], place: int) -> int:
    """Where the nouns begin that this one is the last of: "three Memcached nodes"."""
    while place > 1 and kept[place - 1].kind in ("role", "software"):
        place -= 1
    return place


def _has_other_nouns(kept: list[Token], noun: Token) -> bool:
    return any(token.kind in _NOUNS and not _are_same(token, noun) for token in kept)


def _is_said_later(kept: list[Token], tokens: list[Token], noun: Token) -> bool:
    """A sentence of its own that says nothing but the number."""
    behind = [token for token in tokens if token.start > noun.start]
    sentence = takewhile(lambda token: token.kind != "stop", behind)
    return any(token.kind == "stop" for token in kept) and not any(token.kind in _SIZES for token in sentence)


def _are_same(one: Token, other: Token) -> bool:
    return (one.kind, one.value) == (other.kind, other.value)


def _is_of_others(kept: list[Token], place: int) -> bool:
    """ "… everything 4 GB. The database should rather have 8 GB": what was said of all stays."""
    stop = next((n for n in range(len(kept) - 1, -1, -1) if kept[n].kind == "stop"), -1)
    if place > stop or not any(token.kind in _NOUNS for token in kept[stop + 1 :]):
        return False
    return any(token.kind == "all" for token in kept[max(0, place - 2) : place])


def _is_version(kept: list[Token], value: Token) -> bool:
    """ "Ubuntu 22.04, make it 24.04"."""
    last = next((token for token in reversed(kept) if token.kind not in ("comma", "dash", "stop")), None)
    is_behind = last is not None and last.kind == "os" and "-" in str(last.value)
    return value.kind == "number" and (is_behind or ("." in value.text and any(token.kind == "os" for token in kept)))


def _kind_at(tokens: list[Token], position: int) -> str:
    return tokens[position].kind if 0 <= position < len(tokens) else ""
