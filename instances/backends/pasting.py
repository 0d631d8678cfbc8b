"""A command that somebody pastes, taken apart into options: quotes, continued lines, negative numbers and all."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from alma.errors import Invalid
from instances.backends.allowed import OURS
from instances.backends.checking import Checker, Options, refuse
from instances.backends.helptext import Catalogue, Found, spelled
from instances.backends.rules import Value

LONGEST = 20_000
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_MODEL = frozenset({"model", "model_path"})
_PORT = frozenset({"port"})
_PREFIXES = frozenset({"env", "exec", "nohup", "sudo", "time"})


@dataclass
class Pasted:
    """What a command says. `left_out` are flags that ALMA sets itself, or that no client may set, with the reason."""

    options: Options = field(default_factory=dict)
    model: str = ""
    port: int | None = None
    left_out: list[dict[str, str]] = field(default_factory=list)


def words_of(command: str) -> list[str]:
    """The words of a command as a shell would see them, without variables in front of it. Raises Invalid."""
    if len(command) > LONGEST:
        raise Invalid(f"A command has at most {LONGEST} characters.", code="INVALID_COMMAND")
    try:
        words = shlex.split(re.sub(r"\\\r?\n", " ", command))
    except ValueError as error:
        raise Invalid("A quotation in this command does not end.", code="INVALID_COMMAND") from error
    while words and (_VARIABLE.fullmatch(words[0]) or words[0] in _PREFIXES):
        words.pop(0)
    if not words:
        raise Invalid("There is no command to read.", code="INVALID_COMMAND")
    return words


def without_program(words: list[str], *, positional_model: bool) -> tuple[list[str], str]:
    """The arguments alone, and the model where it stands without a flag. Arguments may also be pasted alone."""
    first = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    program, rest = words[:first], words[first:]
    if program and program[0].rpartition("/")[2].startswith("python") and rest[:1] == ["-m"]:
        inner, model = without_program(rest[2:] or [""], positional_model=positional_model)
        return inner, model
    model = program[-1] if positional_model and "serve" in program[:-1] else ""
    return rest, model


def read_command(command: str, checker: Checker, *, positional_model: bool = False) -> Pasted:
    """The options of a pasted command. Raises Invalid with a row for each word that nobody understands."""
    arguments, model = without_program(words_of(command), positional_model=positional_model)
    pasted = Pasted(model=model)
    faults: list[dict[str, str]] = []
    for flag, value in _pairs(arguments, checker.catalogue):
        try:
            _take(pasted, flag, value, checker)
        except ValueError as error:
            faults.append({"field": flag[:60], "message": str(error)})
    refuse(faults)
    return pasted


def _pairs(arguments: list[str], catalogue: Catalogue) -> Iterator[tuple[str, Any]]:
    """Each flag with its value, True for a switch. What takes a value takes the next word, even `-1`."""
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        flag, has_value, value = word.partition("=") if word.startswith("--") else (word, "", "")
        found = catalogue.find(flag) if word.startswith("-") else None
        if has_value:
            yield flag, value
        elif rest and _takes_next(found, flag, rest[0]):
            yield flag, rest.pop(0)
        else:
            yield flag, True


def _takes_next(found: Found | None, flag: str, following: str) -> bool:
    if found is None:
        return flag.startswith("-") and not following.startswith("-")
    if not found.option.takes_value:
        return False
    return not found.option.may_stand_alone or not following.startswith("-")


def _take(pasted: Pasted, flag: str, value: Any, checker: Checker) -> None:
    if not flag.startswith("-"):
        raise ValueError("stands alone: it is no flag, and no flag takes it")
    found = checker.catalogue.find(flag)
    names = {spelled(flag), *(found.option.names if found else ())}
    if names & _MODEL:
        pasted.model = str(value)
    elif names & _PORT:
        pasted.port = _port(value)
    elif found and not names & _settable(checker):
        pasted.left_out.append({"flag": flag, "reason": _reason(flag, checker)})
    else:
        _put(pasted.options, *checker.read(flag, value))


def _settable(checker: Checker) -> set[str]:
    """Every spelling of what a client may set."""
    ours = [found for name in checker.rules if (found := checker.catalogue.find(name))]
    return {spelled(flag) for found in ours for flag in (*found.option.flags, *found.option.negatives)}


def _reason(flag: str, checker: Checker) -> str:
    found = checker.catalogue.find(flag)
    names = {spelled(flag).removeprefix("no_"), *(found.option.names if found else ())}
    return next((OURS[name] for name in sorted(names) if name in OURS), "clients cannot set it")


def _port(value: Any) -> int:
    if not isinstance(value, str) or not value.isdecimal() or not 0 < int(value[:6]) < 65536:
        raise ValueError("must be a port between 1 and 65535")
    return int(value)


def _put(options: Options, key: str, value: Value) -> None:
    """The last one counts, as it does for the program itself."""
    options[key] = value
