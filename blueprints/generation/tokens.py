"""Text cut into tokens: numbers, sizes, addresses, words and the marks that end a thought."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from alma.errors import BadRequest
from blueprints.generation.lexicon import fold
from blueprints.schema.sizes import GIB, TIB, UNITS, parse_size

_TOKEN = re.compile(
    r"""(?P<fraction>\b(?:half\s+(?:of\s+)?an?|a\s+half|(?:un\s+|d')?demi|medio|mezzo|ein(?:en)?\s+halbe[sn]?|(?:(?:a|one)\s+quarter|three\s+quarters)\s+of\s+an?|ein\s+viertel|drei\s?viertel|(?:un\s+quart|trois\s+quarts)\s+de|(?:un\s+cuarto|tres\s+cuartos)\s+de|(?:un\s+quarto|tre\s+quarti)\s+di)[\s-]*(?:t[eé]ra\w*|tb|to|giga\w*|gigs?|gb|go)\b)
    |(?P<factor>\b(?:[0-9]+(?:\.[0-9]+)?\s?(?:%|percent|per\scent)\s(?:more|less|bigger|larger|smaller)\b|(?:the\s)?same(?=\s(?:with|but|plus|memory|ram|cpu|cores|disk|amount|quantity|number)\b|[,.;]|\s*$)|(?:the\s)?same\s(?:again|as|sizes?|specs?|sizing|dimensions|resources)\b
        |(?:twice|double|triple|quadruple|half|(?:two|three|four|five|six|eight|ten|[0-9]+)\stimes|(?:an?|one)\s(?:third|quarter|fifth|sixth|eighth|tenth)|two\sthirds|three\squarters)(?=\s(?:that|it|this|those|these|the|its|their|of|as|what|them)\b)|half(?=\s(?:with|having|at)\s[0-9])))
    |(?P<part>\b(?:(?:la\s|die\s)(?:moiti[ée]|mitad|h[äa]lfte|met[àa])|(?:el|le|il|das)\s(?:doble|double|doppio|doppelte)|doppelt\sso\sviel|halb\sso\sviel|deux\sfois\splus)\b)
    |(?P<noise>\b(?:[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./](?:19|20)[0-9]{2}(?![.0-9])|[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2}(?![.0-9])|(?:0[0-9]/[0-9]{1,2}|[0-9]{1,2}/0[0-9])/[0-9]{2}(?![0-9])|24\s?[x/]\s?7|[0-9]+(?:st|nd|rd|th|%)
        |(?-i:[A-Z]{2,}[0-9]*-?[0-9]{4,})|ports?\s[0-9]+(?:(?:,\s?|\sand\s|/)[0-9]+)*|(?:since|in|until|by|seit|depuis|desde|dal|nel)\s(?:19|20)[0-9]{2}(?![0-9.]|:[0-9a-f:])
        |\#[0-9]+|0[0-9]{2,}(?:[\s/-][0-9]{2,})*(?![.,]?[0-9])|(?:priority|prio|priorität|priorité|prioridad|priorità|floor|room|raum|page|phase)\s[0-9]{1,3}(?:\.[0-9]+)?\b|(?:version|release|edition)\s[0-9]+(?=\s(?:of|von|der|des|de|du|di|del|della)\b)
        |(?:building|rack|cabinet|desk|ticket|case|extension|project|cost\scent(?:er|re)|gebäude|zimmer|etage|schrank|durchwahl|kostenstelle|projekt|vorgang|bâtiment|salle|étage|bureau|poste|dossier|projet|edificio|planta|piso|sala|despacho|extensión|expediente|proyecto|stanza|piano|ufficio|interno|pratica|progetto)\s[0-9]{1,6}(?=\s*(?:[,;:)|\n]|/\s|\.\s|\.?$))|(?:tel|phone|fon|ext)[.:]?\s[+0-9][0-9\s()/-]{4,}|https?://\S+|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.]{1,64})|\+[0-9][0-9\s()/-]{6,})
    |(?P<model>\b(?:(?:meta[\s-])?(?:llama|mistral|phi|falcon|gemma|qwen|deepseek|gpt-oss)(?:[\s-]?v?[0-9]+(?:\.[0-9]+)?)?(?:[\s:-][a-z]+)?[\s:-]*[0-9]+(?:\.[0-9])?\s?b|mixtral(?:[\s:-]*[0-9]+x[0-9]+b)?|codestral)\b)
    |(?P<six>(?<![\w:.])(?=[0-9a-f:]*[0-9a-f])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?)(?:/[0-9]{1,3})?(?![\w:]))
    |(?P<cidr>[0-9]{1,3}(?:\.[0-9]{1,3}){3}/[0-9]{1,2}(?![0-9]))
    |(?P<ip_tail>(?<![\w.])\.[0-9]{1,3}(?!\w|\.\w))
    |(?P<ip>(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9]))
    |(?P<region>\b[a-z]{2}-(?:[a-z]+-)?(?:north|south|east|west|central|northeast|southeast)[a-z]*-[0-9]\b)
    |(?P<compact>\b[0-9]+c[0-9]+g(?:[0-9]+[gt])?\b)|(?P<without>\bw/o\b)
    |(?P<tb_and_half>\b(?:(?:a|one|1)\s+(?:tera\w*|tb)\s+and\s+a\s+half|(?:one|1)\s+and\s+a\s+half\s+(?:tera\w*|tb))\b)
    |(?P<dozen_and_half>\b(?:a|one|1)\s+dozen\s+and\s+a\s+half\b)
    |(?P<half_dozen>\bhalf\s+a\s+dozen\b|\bhalbes\s+dutzend\b|\bdemi[\s-]douzaine\b|\bmedia\s+docena\b|\bmezza\s+dozzina\b)
    |(?P<money>[$€£]\s?[0-9]+(?:[.,][0-9]+)?|[0-9]+(?:[.,][0-9]+)?\s?[$€£])
    |(?P<size>(?:\b|(?<=[0-9][x×]))[0-9]+(?:[.,][0-9]{1,3})?(?:[\s-]?(?:[kmgtp]i?b|[kmgt]byte|gigs?|gigabytes?|megs?|megabytes?|terabytes?|go|mo)|(?-i:\s?T[oO])|to(?!\s?[0-9])|\s?[GT]|[gmt])\b)
    |(?P<days>\b[0-9]+d\b)|(?P<weeks>\b[0-9]+w(?:ks?)?\b)
    |(?P<cores>\b[0-9]+\s?c\b)
    |(?P<times>\b[0-9]+(?:\s?(?:pcs?|pieces?|st(?:ü|ue)ck|stk|uds|unidades|pz|pezzi|pi(?:è|e)ces?)(?=\.?\s{0,9}(?:[,;/)|\n]|$))|\s?[x×](?=\s|[,;)]|[0-9]+\s?[gmt]b|$)|[x×](?=[a-z]))|(?<!\w)[x×]\s?[0-9]+\b)
    |(?P<thousands>\b[0-9]{1,3}(?:,[0-9]{3})+\b)
    |(?P<number>\b[0-9]+(?:\.[0-9]+)?(?![0-9]))
    |(?P<word>[^\W\d_][^\W_]*)
    |(?P<arrow>-+>|=>|→)
    |(?P<stop>[.!?…](?=[\s)"'”»]|$)|[;|\n]|(?<=\s)/(?=\s[a-z]{2,20}(?:\s[a-z]{2,20}){0,3}(?::\s|,\s(?:[a-z0-9. ]{2,30}:\s|\Z)))|\.\.\.|…)
    |(?P<comma>,)|(?P<colon>[:=])|(?P<open>\()|(?P<close>\))|(?P<and>[&+])|(?P<slash>/)|(?P<dash>[–—]|(?<=[0-9])-(?=[0-9])|\s--?\s)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PART = re.compile(r"[0-9]+[a-z]", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_QUARTER = re.compile(r"\b(?:quart|(?:drei)?viertel|cuarto)", re.IGNORECASE)
_THREE = re.compile(r"\b(?:three|drei|trois|tres?)", re.IGNORECASE)
_PARTS = {"third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
_TIMES = {
    "twice": 2,
    "double": 2,
    "triple": 3,
    "quadruple": 4,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "eight": 8,
    "ten": 10,
}
_ATTACHED = re.compile(
    r"(?:ubuntu|debian|deb|rocky|rhel|alpine|centos|fedora|windows|win|w2k|alma|almalinux|vlan)(?=[0-9])"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the request. `value` is what it means, `text` what was written."""

    kind: str
    value: Any
    text: str
    start: int
    end: int
    high: Any = None
    said: "Token | None" = None
    """Where the value stands when somebody took back what stood here."""

    def become(self, kind: str, value: Any, *, until: "Token | None" = None, said: "Token | None" = None) -> "Token":
        """The same place with another meaning, perhaps reaching as far as a later token."""
        return replace(self, kind=kind, value=value, end=until.end if until else self.end, said=said or self.said)


def tokenise(text: str, names: Iterable[Token] = ()) -> Iterator[Token]:
    """Every token, in order; names of hosts and programs with numbers in them have been found before."""
    position = 0
    for name in names:
        yield from _between(text, position, name.start)
        yield name
        position = name.end
    yield from _between(text, position, len(text))


def _between(text: str, start: int, end: int) -> Iterator[Token]:
    for match in _TOKEN.finditer(text, start, end):
        if match.lastgroup != "noise":
            yield from _tokens_of(match)


def _tokens_of(match: re.Match[str]) -> Iterator[Token]:
    kind, text, start, end = match.lastgroup or "", match[0], match.start(), match.end()
    if kind == "word":
        yield from _word(text, start)
    elif kind == "compact":
        for part in _PART.finditer(text):
            name, value = _READ["cores" if part[0][-1] in "cC" else "size"](part[0])
            yield Token(name, value, part[0], start + part.start(), start + part.end())
    elif kind in _READ:
        new_kind, value = _READ[kind](text)
        yield Token(new_kind, value, text, start, end)
    else:
        yield Token(kind, text, text, start, end)


def _word(text: str, start: int) -> Iterator[Token]:
    folded = fold(text)
    attached = _ATTACHED.match(folded)
    if attached is None:
        yield Token("word", folded, text, start, start + len(text))
        return
    cut = attached.end()
    yield Token("word", folded[:cut], text[:cut], start, start + cut)
    yield Token(
        "number", Decimal(folded[cut:]) if folded[cut:].isdigit() else 0, text[cut:], start + cut, start + len(text)
    )


def _number(text: str) -> Decimal:
    found = _DIGITS.search(text.replace(",", "."))
    return Decimal(found[0]) if found else Decimal(0)


def _size(text: str) -> tuple[str, int]:
    number, unit = text[: -len(_trailing(text))].strip(" -"), _trailing(text).lower().replace("byte", "b")
    try:
        return "size", parse_size(f"{_plain(number, unit)}{unit if unit in UNITS else unit[0] + 'b'}")
    except ValueError as error:
        raise BadRequest(
            _("“%(words)s” is no size that a machine can have. Write it as 8 GB or 500 GB.") % {"words": text[:40]}
        ) from error


def _plain(number: str, unit: str) -> str:
    """ "40,000 GB" and "1.500 GB" are thousands; "0,512 TB" and "3.725 TB" are not."""
    has_groups = re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", number) and ("," in number or not unit.startswith("t"))
    return re.sub("[.,]", "" if has_groups else ".", number)


def _factor(text: str) -> Decimal:
    """ "50 % more", "twice", "a third", "two thirds", "three times", "the same"."""
    if "same" in text:
        return Decimal(1)
    if percent := re.match(r"([0-9.]+)\s?(?:%|per)", text):
        return 1 + Decimal(percent[1]) / (-100 if re.search(r"less|smaller", text) else 100)
    first, *_ = words = text.split()
    if len(words) > 1 and (parts := _PARTS.get(words[1].removesuffix("s"))):
        return Decimal(_TIMES.get(first, 1)) / parts
    return Decimal("0.5") if first == "half" else Decimal(_TIMES.get(first) or first)


def _fraction(text: str) -> int:
    """ "half a gig", "a quarter of a terabyte", "three quarters of a terabyte"."""
    parts = 4 if _QUARTER.search(text) else 2
    unit = TIB if _trailing(text).lower().startswith("t") else GIB
    return unit // parts * (3 if parts == 4 and _THREE.match(text) else 1)


def _trailing(text: str) -> str:
    return _LETTERS.findall(text)[-1]


_READ = {
    "size": _size,
    "part": lambda text: ("factor", Decimal(2) if re.search("do[bup]|deux", text.lower()) else Decimal("0.5")),
    "factor": lambda text: ("factor", _factor(text.lower())),
    "fraction": lambda text: ("size", _fraction(text)),
    "six": lambda text: ("cidr" if "/" in text else "ip", text.lower()),
    "without": lambda text: ("without", "no"),
    "tb_and_half": lambda text: ("size", 3 * TIB // 2),
    "thousands": lambda text: ("number", Decimal(text.replace(",", ""))),
    "dozen_and_half": lambda text: ("number", Decimal(18)),
    "half_dozen": lambda text: ("number", Decimal(6)),
    "money": lambda text: ("money", float(_number(text))),
    "days": lambda text: ("days", int(_number(text))),
    "weeks": lambda text: ("days", 7 * int(_number(text))),
    "cores": lambda text: ("cpu", int(_number(text))),
    "times": lambda text: ("number", _number(text)),
    "number": lambda text: ("number", _number(text)),
}
