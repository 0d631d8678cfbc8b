"""Noun phrases: "three small nginx web servers", "the brokers", "a 4-core Postgres server". What stands before the noun is
in them; everything else stays a token."""

from dataclasses import dataclass, field

from blueprints.generation.lexicon import software_facts
from blueprints.generation.nouns import VALUES, core_end, count_behind, told_what_for
from blueprints.generation.tokens import Token

_MODIFIERS = (
    *VALUES,
    "size_word",
    "another",
    "own",
    "ha",
    "exact",
    "environment",
    "slash",
    "dash",
    "each",
    "all",
    "existing",
)
_DETERMINERS = (
    "number",
    "article",
    "definite",
    "another",
    "own",
    "exact",
    "each",
    "all",
    "part",
    "existing",
    "several",
)
_BEFORE_A_NUMBER = ("number", "article", "definite", "another", "own", "exact", "each", "all", "part", "existing")
_MOST_WORDS = 3
OF = ("of", "de", "di", "d", "von", "an", "des")


@dataclass(slots=True)
class Phrase:
    """What is meant and how many; `first` and `last` are its tokens."""

    tokens: list[Token]
    role: str = ""
    software: list[str] = field(default_factory=list)
    kind: str = ""
    member: str = ""
    count: Token | None = None
    before: list[Token] = field(default_factory=list)
    is_definite: bool = False
    is_part: bool = False
    is_several: bool = False
    is_key: bool = False
    bundle: list[str] = field(default_factory=list)

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end

    @property
    def insists(self) -> bool:
        """Counted, not only "a"."""
        return self.count is not None and self.count.kind == "number"

    @property
    def is_machine(self) -> bool:
        """A machine without a purpose."""
        return bool(self.kind) and not self.role and not self.software

    @property
    def is_member(self) -> bool:
        return bool(self.member) and not self.role and not self.software

    def is_key_of(self, elements: "list[Element]", position: int) -> bool:
        """Followed by a colon: "Servers: 4 cores"."""
        after = elements[position + 1 : position + 2]
        return bool(after) and isinstance(after[0], Token) and after[0].kind == "colon"

    def has(self, *kinds: str) -> bool:
        """Whether one of these stands before the noun."""
        return any(token.kind in kinds for token in self.before)


Element = Phrase | Token


def phrased(tokens: list[Token], counted: frozenset[str]) -> list[Element]:
    """The tokens of one sentence, with its noun phrases put together."""
    elements: list[Element] = []
    tokens, position = told_what_for(tokens), 0
    while position < len(tokens):
        end = core_end(tokens, position)
        if end == position:
            elements.append(tokens[position])
            position += 1
            continue
        phrase = _phrase(tokens[position:end])
        _take_before(phrase, elements, counted)
        position = _take_after(phrase, tokens, end)
        elements.append(phrase)
        _join_apposition(elements)
        _join_tight(elements)
    return elements


def _join_apposition(elements: list[Element]) -> None:
    """ "lb x2 haproxy": a counted role, and right behind it the software that plays it."""
    if len(elements) < 2:
        return
    first, second = elements[-2:]
    if not isinstance(first, Phrase) or not isinstance(second, Phrase):
        return
    if _is_addon_of(first, second):
        first.software, first.tokens = [*second.software, *first.software], first.tokens + second.tokens
        first.role = second.role
        elements[-2:] = [first]
    elif _counts_the_noun_before(first, second):
        first.count, first.kind, first.tokens = second.count, first.kind or second.kind, first.tokens + second.tokens
        elements[-2:] = [first]
    elif first.insists and second.count is None:
        _join_software(elements, first, second)


def _is_addon_of(first: Phrase, second: Phrase) -> bool:
    """ "a two-node Patroni Postgres": right behind what only runs beside others, what it runs beside."""
    are_addons = bool(first.software) and all(software_facts(name).get("addon") for name in first.software)
    is_bare = bool(second.software) and second.count is None and not second.before
    return are_addons and is_bare and not software_facts(second.software[0]).get("addon")


def _counts_the_noun_before(first: Phrase, second: Phrase) -> bool:
    """ "nginx 2 servers"."""
    is_named = bool(first.software or first.role) and first.role != "kubernetes" and first.count is None
    is_counted = second.insists and not second.before
    return is_named and second.is_machine and (is_counted or _is_dedicated(second)) and not first.kind


def _is_dedicated(phrase: Phrase) -> bool:
    """ "Valheim dedicated server": what runs there, and its machine."""
    return phrase.count is None and bool(phrase.before) and all(t.text.lower() == "dedicated" for t in phrase.before)


def _join_software(elements: list[Element], first: Phrase, second: Phrase) -> None:
    if first.role and not first.software and software_facts((second.software or [""])[0]).get("role") == first.role:
        second.role, second.count, second.tokens = first.role, first.count, first.tokens + second.tokens
        elements[-2:] = [second]


def _join_tight(elements: list[Element]) -> None:
    """ "keepalived+haproxy": written without a blank, it is one machine with both."""
    if len(elements) < 3:
        return
    first, mark, second = elements[-3:]
    if not isinstance(first, Phrase) or not isinstance(second, Phrase) or not isinstance(mark, Token):
        return
    if _is_tight(first, mark, second) and first.software and second.software and second.count is None:
        second.software = [*(s for s in first.software if s not in second.software), *second.software]
        second.software.sort(key=lambda name: bool(software_facts(name).get("addon")))
        second.count, second.before = first.count, first.before + second.before
        second.is_definite, second.tokens = first.is_definite, first.tokens + second.tokens
        elements[-3:] = [second]


def _is_tight(first: Phrase, mark: Token, second: Phrase) -> bool:
    if mark.start != first.end or mark.end != second.start:
        return False
    is_single = first.count is not None and first.count.value == 1 and not first.kind
    if mark.text == "/" and is_single and second.kind in ("vm", "lxc"):  # "a Sonarr/Radarr container"
        return True
    return mark.text == "+" or (mark.text == "/" and any(software_facts(name).get("addon") for name in first.software))


def _phrase(core: list[Token]) -> Phrase:
    phrase = Phrase(tokens=core)
    for token in core:
        if token.kind == "role":
            phrase.role = token.value
        elif token.kind == "software":
            phrase.bundle = software_facts(token.value).get("contains", [])
            phrase.software += phrase.bundle or [token.value]
        elif token.kind == "machine":
            phrase.kind = token.value if phrase.kind in ("", "any") else phrase.kind
        elif token.kind == "member":
            phrase.member = token.value
        else:
            phrase.kind = "any"
            phrase.before.append(token)
    return phrase


def _take_before(phrase: Phrase, elements: list[Element], counted: frozenset[str]) -> None:
    """Move count and modifiers from the elements into the phrase."""
    found = _before(elements, counted)
    if found == len(elements):
        return
    taken = [token for token in elements[found:] if isinstance(token, Token)]
    del elements[found:]
    numbers = [token for token in taken if token.kind == "number"] or [t for t in taken if t.kind == "article"]
    phrase.count = numbers[-1] if numbers else None
    phrase.is_definite = any(token.kind == "definite" for token in taken)
    phrase.is_several = any(token.kind == "several" for token in taken)
    phrase.is_part = any(token.kind == "part" for token in taken)
    phrase.before += [
        token for token in taken if token.kind not in ("number", "article", "definite", "word", "join", "several")
    ]
    phrase.tokens = taken + phrase.tokens


def _before(elements: list[Element], counted: frozenset[str]) -> int:
    """Where the words before the noun begin."""
    best, words = len(elements), 0
    for place in range(len(elements) - 1, -1, -1):
        token = elements[place]
        if isinstance(token, Phrase):
            break
        if _is_counted(elements[best:]):
            best = place if token.kind in _BEFORE_A_NUMBER and place + 1 == best else best
            if best != place:
                break
            continue
        words += token.kind == "word"
        if words > _MOST_WORDS or not _may_stand_before(token, counted, elements, place, is_taken=best < len(elements)):
            break
        best = _taken(elements, place, best, words)
    return best


def _is_counted(taken: list[Element]) -> bool:
    return any(isinstance(token, Token) and token.kind == "number" for token in taken)


def _may_stand_before(
    token: Token, counted: frozenset[str], elements: list[Element], place: int, *, is_taken: bool
) -> bool:
    if token.kind == "word":
        return token.value not in counted or _is_said_of_noun(elements, place)
    if token.kind == "existing" and token.end - token.start > len(token.text):
        return False
    if token.kind == "join":
        return token.text.lower() in OF and place > 0 and _is_quantity(elements[place - 1])
    return token.kind in _DETERMINERS or (
        token.kind in _MODIFIERS and (not is_taken or token.kind not in VALUES or token.kind == "os")
    )


def _is_said_of_noun(elements: list[Element], place: int) -> bool:
    """ "twenty student VMs": right before the noun, people say what the machines are for."""
    token = elements[place]
    return place + 1 == len(elements) and isinstance(token, Token) and not token.text.lower().endswith("s")


def _taken(elements: list[Element], place: int, best: int, words: int) -> int:
    """How far the phrase reaches with this token in it."""
    token = elements[place]
    if isinstance(token, Phrase) or token.kind == "word":
        return best
    if token.kind == "join":
        return place
    if token.kind in _DETERMINERS:
        return place
    return place if words == 0 and _stands_near(elements, place) else best


def _is_quantity(element: Element) -> bool:
    return isinstance(element, Token) and element.kind in ("number", "article")


def _stands_near(elements: list[Element], place: int) -> bool:
    """ "2 GB Redis" is Redis with 2 GB; in "nginx 2 GB Redis" and "with 2 GB Redis" it is not."""
    token = elements[place]
    if isinstance(token, Token) and token.kind not in VALUES:
        return token.kind not in ("slash", "dash")
    if isinstance(token, Token) and token.kind == "os":
        return True
    back = place - 1
    while back >= 0 and _is_value(elements[back]):
        back -= 1
    return back < 0 or (isinstance(elements[back], Token) and elements[back].kind in ("comma", "number", "article"))


def _is_value(element: Element) -> bool:
    return isinstance(element, Token) and element.kind in (*VALUES, "slash", "dash", "size_word")


def _take_after(phrase: Phrase, tokens: list[Token], end: int) -> int:
    """A count after the noun, and the place behind it."""
    count, until = (None, end) if phrase.insists else count_behind(tokens, end)
    if count is not None:
        phrase.count, phrase.is_key = count, tokens[end].kind in ("colon", "slash")
    return until
