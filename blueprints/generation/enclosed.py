"""Text within marks that speaks to the machine: brackets, quotes, fences, tags and quoted mail. Where one sentence in it gives
orders, all of it does; and what is described around the marks is read."""

import re

_LINES = re.compile(
    r"```.*?(?:```|\Z)|(?<!-)-{3,9}[ \t]*BEGIN\b.*?(?:-{3,9}[ \t]*END\b[^\n]*|\Z)|(?:^[ \t]*>[^\n]*(?:\n|\Z))+",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_INLINE = re.compile(
    r"<(?P<tag>\w+)>[^<]{0,2000}</(?P=tag)>|\[[^\[\]]{0,2000}\]|\([^()]{0,2000}\)|\{[^{}]{0,2000}\}"
    r"|(?<!\w)\"[^\"\n]{10,1000}\"(?!\w)|“[^”]{10,1000}”|«[^»]{10,1000}»|„[^“”]{10,1000}[“”]"
)
_SIZE = re.compile(r"\d\s?(?:[gmt]i?b|go|to|g|cores?|v?cpus?|kerne?n?|ram)\b", re.IGNORECASE)
_LEAST_AROUND = 3
"""With fewer words around it, what is enclosed is the request."""
_BEGINS = re.compile(r"[.!?]\s|\n")
_CALLING = re.compile(
    r"^\W*(?:(?:and|then|und|dann|et|puis|y|e)\s+)?(?:(?:re)?name|call|(?:be)?nenne|nomme|appelle|nombra|llama|llámal|chiama)\w*\b",
    re.IGNORECASE,
)


def without_enclosed(text: str, orders: re.Pattern[str]) -> str:
    """The text with such insertions blanked."""
    text = _LINES.sub(lambda found: _blanked(found, orders, may_describe=True), text)
    return _INLINE.sub(lambda found: _blanked(found, orders, may_describe=False), text)


def goes_on(sentence: str) -> bool:
    """ "Call them …", right behind an order: more of it."""
    return _CALLING.match(sentence) is not None


def _is_all(found: re.Match[str]) -> bool:
    return len(f"{found.string[: found.start()]} {found.string[found.end() :]}".split()) < _LEAST_AROUND


def _blanked(found: re.Match[str], orders: re.Pattern[str], *, may_describe: bool) -> str:
    """From the sentence that gives orders to the end of what is enclosed."""
    inside = found[0]
    order = orders.search(inside)
    if order is None or _is_all(found):
        return inside
    start = max((begin.end() for begin in _BEGINS.finditer(inside, 0, order.start())), default=0)
    if may_describe and _SIZE.search(inside, start):
        return inside
    return inside[:start] + re.sub(r"[^\n]", " ", inside[start:])
