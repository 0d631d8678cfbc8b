"""The options that may be set of a backend, as the program that is installed on a machine describes them."""

from dataclasses import dataclass

from instances.backends.kinds import backend_of
from instances.backends.rules import Number, OneOf, Rule, Several, Switch, Whole
from instances.remote.programs import catalogue_of

MOST = 200


@dataclass(frozen=True)
class Described:
    """An option: what it takes, and what the program says about it."""

    name: str
    takes: str
    about: str


def described(kind: str, search: str = "", *, node: str = "") -> list[Described]:
    """Those that the build of a machine, this one without a name, lists and whose name or explanation has all words. Raises
    Invalid, Unavailable."""
    backend = backend_of(kind)
    catalogue, words = catalogue_of(backend, node), search.lower().replace("-", "_").split()
    rows = [
        Described(name, takes(rule), found.option.about)
        for name, rule in backend.rules.items()
        if (found := catalogue.find(name))
    ]
    return [row for row in rows if all(word in f"{row.name} {row.about}".lower().replace("-", "_") for word in words)][
        :MOST
    ]


def takes(rule: Rule) -> str:
    """What a value may be, in a few words."""
    match rule:
        case Switch():
            return "true or false"
        case OneOf(words=words):
            return ", ".join(words)
        case Whole(least=least, most=most, words=words):
            return ", ".join([f"{least} to {most:,}".replace(",", "\N{NO-BREAK SPACE}"), *words])
        case Number(least=least, most=most):
            return f"a number, {least:g} to {most:g}"
        case Several(what=what, most=most):
            return f"up to {most} {what}"
    return ""
