"""The product's own documentation, cut into sections at its headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

_HEADING = re.compile(r"(#{1,4})\s+(.+?)\s*#*")
_FENCE = re.compile(r"\s*(```|~~~)")
_DRAWING = re.compile(r"^```mermaid$.*?^```$", re.MULTILINE | re.DOTALL)
_BREAK = re.compile(r"\n\s*\n")
_LIST_OR_TABLE = re.compile(r"\n(?=\s*(?:[-*|]|\d+\.)\s?)")
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*`]+|^[\s>|-]+", re.MULTILINE)
_NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Section:
    """What stands below one heading of a file."""

    path: str
    title: str
    heading: str
    passages: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Where it is, as code hosts write it."""
        words = _NOT_IN_ANCHOR.sub("", self.heading.lower()).strip()
        return f"{self.path}#{words.replace(' ', '-')}"


@cache
def sections() -> tuple[Section, ...]:
    """All of README.md and docs/*.md; read once, as a process does not outlive an update."""
    root = Path(settings.BASE_DIR)
    files = [path for path in (root / "README.md", *sorted((root / "docs").glob("*.md"))) if path.is_file()]
    return tuple(
        section for path in files for section in cut(path.read_text(encoding="utf-8"), str(path.relative_to(root)))
    )


def cut(text: str, path: str) -> Iterator[Section]:
    """The sections of a Markdown text that say something; the source of a drawing says nothing to a reader."""
    title = ""
    for heading, lines in _blocks(_DRAWING.sub("", text)):
        title = title or heading
        passages = tuple(_passages("\n".join(lines)))
        if passages:
            yield Section(path, title or path, heading or title or path, passages)


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each heading with the lines below it; a # within a block of code is none."""
    heading, lines, is_code = "", [], False
    for line in text.splitlines():
        is_code ^= bool(_FENCE.match(line))
        found = None if is_code else _HEADING.fullmatch(line)
        if found is None:
            lines.append(line)
            continue
        yield heading, lines
        heading, lines = plain(found[2]), []
    yield heading, lines


def _passages(text: str) -> Iterator[str]:
    """Paragraphs, and the points of a list or rows of a table one by one, without their markup."""
    for block in _BREAK.split(text):
        parts = [block] if _FENCE.match(block) else _LIST_OR_TABLE.split(block)
        yield from (said for part in parts if (said := plain(part)))


def plain(text: str) -> str:
    """Text without the marks of Markdown, on one line."""
    return " ".join(_MARKUP.sub(r"\1", text).split())
