"""Requests that were spoken: "comma" and "full stop" said as words become the marks, every character in its place."""

import re
from functools import partial

_SPOKEN = {
    ",": r"comma|komma|virgule|virgola|coma",
    ".": r"full stop|period|punkt|punto|point",
    ":": r"colon|doppelpunkt|deux[- ]points|dos puntos|due punti",
    "\n": r"new line|newline|new paragraph|neue zeile|neuer absatz|à la ligne|a capo|nueva línea|punto y aparte",
}
_MARKS = re.compile(r"[,;:\n]|\.(?:\s|$)")
_LAST = re.compile(r"(?<=\w)\s(?:full stop|punkt|point final|punto final|punto)\s*$", re.IGNORECASE)
"""At the very end of a text without marks, one is enough."""
_LEAST = 2
_WORDS = {mark: re.compile(rf"(?<=\w)\s(?:{words})(?=\s|$)", re.IGNORECASE) for mark, words in _SPOKEN.items()}


def written(text: str) -> str:
    """The text with its marks, if it has none of its own and several that were said."""
    text = _LAST.sub(partial(_put, "."), text) if not _MARKS.search(text) else text
    said = sum(len(pattern.findall(text)) for pattern in _WORDS.values())
    if said < _LEAST or len(_MARKS.findall(text.strip())) > said // 2:
        return text
    for mark, pattern in _WORDS.items():
        text = pattern.sub(partial(_put, mark), text)
    return text


def _put(mark: str, said: re.Match[str]) -> str:
    """The mark in the place of its name, which keeps its length."""
    return mark.ljust(len(said[0]))
