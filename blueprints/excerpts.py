"""Pieces of a request that are not sentences: what stands in fences, and YAML or JSON that stands among words without any."""

import json
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_OPENING = re.compile(r"(?:^|\s)(?P<fence>`{3,}|~{3,})[ \t]*[\w.+-]{0,20}\s*$")
_BEGINS = re.compile(r"""[ \t]*(?:---\s*$|(?:-[ ])?["']?[A-Za-z][\w-]*["']?:(?:\s|$))""")
_GOES_ON = re.compile(r"""\s*$|[ \t]+\S|-[ ]|["']?[A-Za-z][\w-]*["']?:(?:\s|$)|\#|---\s*$|[\]}]""")
_MOST_TRIES = 12
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Block:
    """A piece of a request, on which line of it that begins, from 0, and from which to which letter it stands there."""

    text: str
    line: int
    start: int
    end: int


def blocks(request: str, fits: Callable[[str], bool]) -> Iterator[Block]:
    """What stands in fences; else what fits among the words; else the whole."""
    fenced = list(_fenced(request.splitlines(keepends=True)))
    yield from fenced or list(_unfenced(request, fits)) or [Block(request, 0, 0, len(request))]


def _fenced(lines: list[str]) -> Iterator[Block]:
    """What stands between a line that ends with a fence and the next that is one. A fence that is not closed is none."""
    fence, number, begin, at = "", 0, 0, 0
    for count, line in enumerate(lines):
        before, at = at, at + len(line)
        if fence and line.strip() == fence:
            yield Block(textwrap.dedent("".join(lines[number:count])), number, begin, at)
            fence = ""
        elif not fence and (found := _OPENING.search(line)):
            fence, number, begin = found["fence"], count + 1, before + found.start("fence")


def _unfenced(request: str, fits: Callable[[str], bool]) -> Iterator[Block]:
    found = [block for block in _json(request) if fits(block.text)]
    yield from found or _yaml(request.splitlines(keepends=True), fits)


def _json(request: str) -> Iterator[Block]:
    """Objects and lists of JSON, those within others left out."""
    at = 0
    for _ in range(_MOST_TRIES):
        begin = min((spot for sign in "{[" if (spot := request.find(sign, at)) >= 0), default=-1)
        if begin < 0:
            return
        try:
            _, at = _DECODER.raw_decode(request, begin)
            yield Block(request[begin:at], request.count("\n", 0, begin), begin, at)
        except (ValueError, RecursionError):
            at = begin + 1


def _yaml(lines: list[str], fits: Callable[[str], bool]) -> Iterator[Block]:
    """Stretches of lines that look like YAML, from the first line on from which one fits."""
    number, tries = 0, 0
    while number < len(lines) and tries < _MOST_TRIES:
        if not _BEGINS.match(lines[number]):
            number += 1
            continue
        end = next((at for at in range(number + 1, len(lines)) if not _GOES_ON.match(lines[at])), len(lines))
        text, tries = textwrap.dedent("".join(lines[number:end])), tries + 1
        if not fits(text):
            number += 1
            continue
        yield Block(text, number, sum(map(len, lines[:number])), sum(map(len, lines[:end])))
        number = end
