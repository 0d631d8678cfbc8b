"""The text as it is read: orders to the machine blanked out, lines joined that only the width of a mail has cut. Every
character keeps its place, so that what is quoted later is what was written."""

import re

from blueprints.generation import dictation, enclosed
from blueprints.generation.lexicon import defence_patterns

_SENTENCE = re.compile(r"(?:(?!\]\]|\[\[)[^.!?\n]|\.(?=\S))*(?:\]\]|\[\[|[.!?\n])*")
"""Double brackets, too, are where somebody pretends that the request ends."""
_COMMENT = re.compile(
    r"<!--.*?(?:-->|\Z)|(?<!-)-{3,9}[ \t]*BEGIN (?:SYSTEM|ADMIN|INSTRUCTION|PROMPT|OVERRIDE).*?(?:-{3,9}[ \t]*END\b[^\n]*|\Z)|^[ \t]*(?:#{1,6}|//)\s*(?:note|new|system|assistant|instruction|ai)\b[^\n]*$",
    re.S | re.I | re.M,
)
_ABBREVIATION = re.compile(
    r"\b(?:i\.\s?e|e\.\s?g|z\.\s?b|d\.\s?h|u\.\s?a|p\.\s?ej|p\.\s?ex|c\.-à-d|ad es|approx|incl|inkl|excl|bzw|ggf|evtl|max|min|ca|resp|vs"
    r"|pos|mr|mrs|ms|dr|prof|hr|fr|sig|sra?|mme)\.(?=,?\s)"
    r"|(?<=[0-9]\s)(?:pcs?|stk|stck|st|pzs?|pz|uds?|u)\.(?=[ \t])",
    re.IGNORECASE,
)
_WRITTEN_OUT = re.compile(
    r"(?:pcs?|stk|stck|st|pzs?|uds?|u|pos|max|min|approx|incl|inkl|resp|bzw|vs|ca|i\.\s?e|d\.\s?h)(?=\.)", re.IGNORECASE
)
_STRUCK = re.compile(
    r"^[ \t]*(?:(?:[-*•–]|\d{1,2}[.)])[ \t]+)?~~[^~\n]+~~[ \t]*$|~~[^~\n]{1,200}~~|<(?P<tag>s|del|strike)>[^<\n]{1,200}</(?P=tag)>",
    re.MULTILINE | re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^(?P<indent>[ \t]*)(?:[-*•–]|\d{1,2}[.)]|\([a-z0-9]\))(?=\s)", re.MULTILINE)
LIST_MARK = "\x02"
"""Stands where a list mark was."""
_TWO_MODES = re.compile(r"\b(acti(?:ve|f|vo)|aktiv|attivo)/(?=acti|aktiv|pas|standby|attiv)", re.IGNORECASE)
"""The stroke in "active/passive" is a hyphen."""
_WIDE = 58
_SOFT_END = re.compile(r"[^\s.:;!?|]\s*$")
_SOFT_START = re.compile(r"[a-zà-ÿ0-9(]")


def without_orders(text: str) -> tuple[str, bool]:
    """The text without sentences that address the machine, and whether there were any."""
    pattern = defence_patterns()
    cleaned = _COMMENT.sub(_blank, struck_out(text))
    cleaned = _without_sentences(enclosed.without_enclosed(cleaned, pattern), pattern)
    return cleaned, cleaned != struck_out(text)


def _without_sentences(text: str, orders: re.Pattern[str]) -> str:
    """Every sentence blanked that gives an order, and those behind it that go on with it."""
    kept: list[str] = []
    was_order = False
    for match in _SENTENCE.finditer(text):
        if match[0].strip():
            was_order = orders.search(match[0]) is not None or (was_order and enclosed.goes_on(match[0]))
        kept.append(_blank(match) if was_order else match[0])
    return "".join(kept)


def struck_out(text: str) -> str:
    """The text without what is struck through: "~~3 web servers~~"."""
    return _STRUCK.sub(_blank, text)


def readable(text: str) -> str:
    """List marks marked, lines joined that belong to one sentence, and points gone that end none."""
    return _joined(
        _LIST_MARK.sub(_unmarked, _ABBREVIATION.sub(_unpointed, _TWO_MODES.sub(r"\1-", dictation.written(text))))
    )


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _unpointed(match: re.Match[str]) -> str:
    """ "e.g." is nothing, "max." is a word."""
    return match[0].replace(".", " ") if _WRITTEN_OUT.match(match[0]) else " " * len(match[0])


def _unmarked(match: re.Match[str]) -> str:
    """A list mark counts nothing: only its place is left, and that there was one."""
    return " " * (len(match[0]) - 1) + LIST_MARK


def _joined(text: str) -> str:
    """A line of prose that goes on in the next one becomes one line with it."""
    lines = text.split("\n")
    for place in range(len(lines) - 1):
        if _goes_on(lines[place], lines[place + 1]):
            lines[place] += "\0"
    return "\n".join(lines).replace("\0\n", " ")


def _goes_on(line: str, following: str) -> bool:
    return len(line) >= _WIDE and bool(_SOFT_END.search(line) and _SOFT_START.match(following))
