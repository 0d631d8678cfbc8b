"""The options of a program, read from the text that it prints itself for `--help`.

llama.cpp adds, renames and drops options every month, so no list of ours says what a build understands; it says so itself.
Both layouts are read, that of llama.cpp and that of Python's argparse.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

_ROW = re.compile(r"^ {0,4}(?=-{1,2}[A-Za-z])")
_DEEP = " " * 8
LONGEST_ABOUT = 400
_FLAG = re.compile(r"^(-{1,2}[A-Za-z][\w.+-]*)(?:[ =](.+))?$")


def spelled(flag: str) -> str:
    """A flag without its dashes, in snake case: `--ctx-size` and `ctx-size` are `ctx_size`."""
    return flag.lstrip("-").replace("-", "_")


@dataclass(frozen=True)
class Option:
    """One option: the flags that set it, those that unset it, the hint at its value, empty for a switch, and what the program
    says about it."""

    flags: tuple[str, ...]
    negatives: tuple[str, ...] = ()
    hint: str = ""
    about: str = field(default="", compare=False)

    @property
    def takes_value(self) -> bool:
        """Whether a value follows."""
        return bool(self.hint)

    @property
    def may_stand_alone(self) -> bool:
        """Whether the value can be left out, as in `--flash-attn [on|off|auto]`."""
        return self.hint.startswith("[")

    @property
    def flag(self) -> str:
        """How it is written: the first long flag."""
        return next((flag for flag in self.flags if flag.startswith("--")), self.flags[0])

    @property
    def names(self) -> frozenset[str]:
        """All spellings in snake case, without those that unset it."""
        return frozenset(map(spelled, self.flags))


@dataclass(frozen=True)
class Found:
    """An option as somebody named it; `is_negated` when the name means its opposite, as `no_mmap` for `mmap`."""

    option: Option
    is_negated: bool = False


@dataclass(frozen=True)
class Catalogue:
    """All options of a program."""

    options: tuple[Option, ...]

    @cached_property
    def _named(self) -> dict[str, Found]:
        named: dict[str, Found] = {}
        for option in self.options:
            for flag in option.negatives:
                named.setdefault(spelled(flag), Found(option, is_negated=True))
            for flag in option.flags:
                named[spelled(flag)] = Found(option)
        return named

    def find(self, name: str) -> Found | None:
        """The option of any spelling: long or short, with dashes or underscores, `no_` before what can only be unset."""
        name = spelled(name)
        found = self._named.get(name)
        if found is None and (opposite := self._named.get(f"no_{name}")):
            return Found(opposite.option, is_negated=not opposite.is_negated)
        return found

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None


def read(text: str) -> Catalogue:
    """The catalogue of a help text. Rows that describe no option are passed over."""
    return Catalogue(tuple(_options(text)))


def _options(text: str) -> Iterator[Option]:
    found, about = None, list[str]()
    for line in text.splitlines():
        if _ROW.match(line) and (parts := _parts(line)):
            if found:
                yield replace(found, about=" ".join(about)[:LONGEST_ABOUT])
            found, about = _option(parts), _columns(line)[1:]
        elif line.startswith(_DEEP):
            about.append(line.strip())
    if found:
        yield replace(found, about=" ".join(about)[:LONGEST_ABOUT])


def _columns(line: str) -> list[str]:
    """The flags with their hints, and the explanation, which two blanks part from them."""
    return re.split(r" {2,}", re.sub(r",\s+(?=-)", ",\0", line.strip()), maxsplit=1)


def _parts(line: str) -> list[tuple[str, str]]:
    """Flags and hints of a row."""
    head = _columns(line)[0]
    found = [_FLAG.match(part.strip()) for part in head.split(",\0")]
    return [(match[1], (match[2] or "").strip()) for match in found if match]


def _option(parts: list[tuple[str, str]]) -> Option:
    flags = [flag for flag, _ in parts]
    hint = next((hint for _, hint in parts if hint), "")
    positives = [flag for flag in flags if flag.startswith("--") and not flag.startswith("--no-")]
    if not positives:
        return Option(tuple(flags), hint=hint)
    has_opposite = any(flag.startswith("--no-") for flag in flags)
    negatives = tuple(flag for flag in flags if has_opposite and _unsets(flag))
    return Option(tuple(flag for flag in flags if flag not in negatives), negatives, hint)


def _unsets(flag: str) -> bool:
    return flag.startswith("--no-") or (not flag.startswith("--") and flag.startswith("-n"))
