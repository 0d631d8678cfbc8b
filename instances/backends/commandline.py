"""Options as arguments of a program."""

from collections.abc import Iterator, Mapping

from instances.backends.helptext import Catalogue, Found, Option
from instances.backends.rules import Value


def arguments(options: Mapping[str, Value], catalogue: Catalogue) -> list[str]:
    """The arguments in the order of the options. An option that this build does not list is left out: it was there when
    it was set, and whoever starts says so before (`missing`)."""
    return [word for name, value in options.items() if (found := catalogue.find(name)) for word in _words(found, value)]


def missing(options: Mapping[str, Value], catalogue: Catalogue) -> list[str]:
    """The options that this build does not list any more."""
    return [name for name in options if name not in catalogue]


def _words(found: Found, value: Value) -> Iterator[str]:
    option = found.option
    if isinstance(value, bool):
        yield from _switched(option, value != found.is_negated)
    elif option.takes_value:
        yield from (option.flag, _written(value))
    else:  # older builds know as a switch what newer ones give words
        yield from _switched(option, value == "on")


def _switched(option: Option, is_on: bool) -> Iterator[str]:
    """A switch that has no opposite is off when nothing is said."""
    if option.takes_value:
        yield from (option.flag, "on" if is_on else "off")
    elif is_on:
        yield option.flag
    elif option.negatives:
        yield next((flag for flag in option.negatives if flag.startswith("--")), option.negatives[0])


def _written(value: Value) -> str:
    """Numbers as they were given: a seed of 64 bits keeps all of them."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
