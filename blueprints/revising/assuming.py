"""What a draft still assumes, after somebody said more."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from blueprints.revising.matching import stem
from blueprints.schema import Resource
from blueprints.sentences import ASSUMPTIONS, MODEL_SIZES, RULED_COUNT, USUAL_SIZES, listed, names_in, retold, values_in

_BY_SIZE = {USUAL_SIZES: "default", MODEL_SIZES: "model"}
"""Sentences about sizes, each true as long as they have causes of this kind."""


def still_assumed(assumptions: Iterable[Any], resources: Sequence[Resource], causes: Mapping[str, Any]) -> list[Any]:
    """The assumptions without the values that have another cause by now; what is gone, or called otherwise, has its own word."""
    said = (_still(line, resources, causes) if isinstance(line, str) else line for line in assumptions)
    return [line for line in said if line]


def _still(line: str, resources: Sequence[Resource], causes: Mapping[str, Any]) -> str:
    """In the language that is spoken now."""
    for message, kind in _BY_SIZE.items():
        if sizes := values_in(line, message):
            alike = _of_kind(sizes["kind"], resources, causes)
            names = [name for name in names_in(sizes["names"]) if any(kind in _cause(rows, name) for rows in alike)]
            return retold(_(message) % {**sizes, "names": listed(names)}, ASSUMPTIONS) if names else ""
    if count := values_in(line, RULED_COUNT):
        alike = _of_kind(count["kind"], resources, causes)
        return "" if any("words" in _cause(rows, "count") for rows in alike) else retold(line, ASSUMPTIONS)
    return retold(line, ASSUMPTIONS)


def _of_kind(kind: str, resources: Sequence[Resource], causes: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [_causes_of(one.name, causes) for one in resources if kind in (one.name, stem(one.name))]


def _causes_of(name: str, causes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of a resource, or of all its siblings."""
    found = causes.get(name) or causes.get(stem(name))
    return found if isinstance(found, Mapping) else {}


def _cause(rows: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = rows.get(name)
    return found if isinstance(found, Mapping) else {}
