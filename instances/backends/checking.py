"""Options of a client against the allow-list and against what the program itself lists."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alma.errors import Invalid
from instances.backends.allowed import ALIASES, OURS
from instances.backends.helptext import Catalogue, Found, spelled
from instances.backends.rules import Rules, Value

MOST = 100
_SHOWN = 60

Options = dict[str, Value]


class Unfit(ValueError):
    """Why one option cannot be taken: the end of a sentence that begins with its name."""


@dataclass(frozen=True)
class Checker:
    """Judges options of one program."""

    rules: Rules
    catalogue: Catalogue

    def check(self, given: Mapping[str, Any]) -> Options:
        """The options under their own names, those that are null left out. Raises Invalid with a row for each fault."""
        if len(given) > MOST:
            raise Invalid(f"An instance takes at most {MOST} options.", code="INVALID_OPTIONS")
        options: Options = {}
        faults: list[dict[str, str]] = []
        for name, value in given.items():
            try:
                if value is not None:
                    key, read = self.read(name, value)
                    _set(options, key, read)
            except ValueError as error:
                faults.append(_fault(name, error))
        refuse(faults)
        return options

    def names(self, given: Iterable[str]) -> set[str]:
        """Their own names. Raises Invalid with a row for each that is none."""
        names, faults = set[str](), list[dict[str, str]]()
        for name in given:
            try:
                names.add(self.resolve(name)[0])
            except Unfit as error:
                faults.append(_fault(name, error))
        refuse(faults)
        return names

    def read(self, name: str, value: object) -> tuple[str, Value]:
        """One option under its own name. Raises ValueError."""
        key, is_negated = self.resolve(name)
        read = self.rules[key].read(value)
        if not is_negated:
            return key, read
        if not isinstance(read, bool):
            raise Unfit("has no opposite")
        return key, not read

    def resolve(self, name: str) -> tuple[str, bool]:
        """The own name of an option, and whether this one means its opposite. Raises Unfit."""
        asked = spelled(name)
        found = self.catalogue.find(ALIASES.get(asked, asked)) or self.catalogue.find(asked)
        for spelling in _spellings(asked, found):
            if spelling in self.rules:
                return self._present(spelling, found), bool(found and self._turns(found, spelling))
        raise Unfit(self._why_not(asked, found))

    def _turns(self, found: Found, spelling: str) -> bool:
        own = self.catalogue.find(spelling)
        return found.is_negated != bool(own and own.is_negated)

    def _present(self, key: str, found: Found | None) -> str:
        if found is None:
            raise Unfit("is not an option of this build of the backend" + self._nearest(key))
        return key

    def _why_not(self, asked: str, found: Found | None) -> str:
        name = ALIASES.get(asked, asked)
        why = next((OURS[spelling] for spelling in _spellings(name, found) if spelling in OURS), None)
        if why:
            return f"cannot be set: {why}"
        if found:
            return "cannot be set by clients, for their safety and that of this machine"
        return "is not a known option" + self._nearest(asked)

    def _nearest(self, asked: str) -> str:
        names = [name for name in (*self.rules, *ALIASES) if name in self.catalogue]
        near = difflib.get_close_matches(asked, names, n=1, cutoff=0.7)
        return f"; did you mean {near[0]}?" if near else ""


def _fault(name: str, error: ValueError) -> dict[str, str]:
    return {"field": f"options.{name[:_SHOWN]}", "message": str(error)}


def refuse(faults: list[dict[str, str]]) -> None:
    """Nothing when there are no faults. Raises Invalid, whose sentence is the first of them."""
    if faults:
        first = faults[0]
        words = f"{first['field'].removeprefix('options.')} {first['message']}"
        end = "" if words.endswith("?") else "."
        raise Invalid(f"The option {words}{end}", code="INVALID_OPTIONS", details=faults)


def _spellings(asked: str, found: Found | None) -> Iterator[str]:
    """Under which names an option may stand in our lists."""
    yield ALIASES.get(asked, asked)
    if found:
        yield asked.removeprefix("no_")
        names = sorted(found.option.names)
        yield from names
        yield from (ALIASES[name] for name in names if name in ALIASES)
        yield from (name.removeprefix("no_") for name in names if name.startswith("no_"))


def _set(options: Options, key: str, value: Value) -> None:
    if key in options and options[key] != value:
        raise Unfit(f"was given twice, as {options[key]} and as {value}")
    options[key] = value
