"""What stands at a place among tokens, and what may be stepped over."""

from ipaddress import ip_address

from blueprints.generation.tokens import Token

_FILLERS = {
    "of",
    "is",
    "to",
    "from",
    "de",
    "von",
    "d",
    "di",
    "extra",
    "usable",
    "total",
    "a",
    "the",
    "und",
    "vive",
    "local",
}


def kind_at(tokens: list[Token], position: int) -> str:
    return tokens[position].kind if 0 <= position < len(tokens) else ""


def is_at(tokens: list[Token], position: int, kind: str, value: str) -> bool:
    return kind_at(tokens, position) == kind and tokens[position].value == value


def skip(tokens: list[Token], position: int, *, colon: bool = False) -> int:
    """Past small words, and past a colon when asked to."""
    while _is_filler(tokens, position) or (colon and _is_mark(tokens, position)):
        position += 1
    return position


def _is_mark(tokens: list[Token], position: int) -> bool:
    """A colon, or "are" in "the disks are 20 GB each"."""
    return kind_at(tokens, position) == "colon" or is_at(tokens, position, "join", "is")


def _is_filler(tokens: list[Token], position: int) -> bool:
    if kind_at(tokens, position) == "join":
        return tokens[position].value == "with" and tokens[position].text.lower() in _FILLERS
    return kind_at(tokens, position) == "word" and tokens[position].value in _FILLERS


def is_range_mark(tokens: list[Token], position: int, after_between: bool) -> bool:
    if kind_at(tokens, position) == "dash":
        return True
    return kind_at(tokens, position) == "join" and tokens[position].value in (
        ("to", "and") if after_between else ("to",)
    )


def is_address(text: str) -> bool:
    """Whether the text is an address that a machine could have: 300.1.1.1 is none."""
    try:
        return bool(ip_address(text))
    except ValueError:
        return False
