"""manage.py states: the state tables of all models as diagrams, for docs/states.md."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db.models import Field, Model

HEAD = """# States

Written by `make states` from the table `MOVES` of each model; do not edit. A state changes in the model's `move`
and nowhere else, along these arrows and no others.
"""


class Command(BaseCommand):
    """Prints the document."""

    help = "Print the state tables of all models as Mermaid diagrams."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        models = [model for model in apps.get_models() if hasattr(model, "MOVES")]
        self.stdout.write("\n".join([HEAD, *map(section, sorted(models, key=lambda model: model._meta.label))]))


def section(model: type[Model]) -> str:
    """One model: its name, what it is, and its diagram."""
    lines = ["```mermaid", "stateDiagram-v2", *(f"    {arrow}" for arrow in arrows(model)), "```"]
    what = (model.__doc__ or "").strip().splitlines()[0]
    return "\n".join([f"## {model._meta.label}", "", what, "", *lines, ""])


def arrows(model: type[Model]) -> Iterator[str]:
    """From the first state along every allowed move to those that end it, in the order of the enum."""
    moves = _moves(model)
    order = [value for value, _ in state_field(model).flatchoices]
    yield f"[*] --> {state_field(model).default.value}"
    for state in order:
        for target in sorted(moves[state], key=order.index):
            yield f"{state} --> {target}"
        if not moves[state]:
            yield f"{state} --> [*]"


def _moves(model: type[Model]) -> Mapping[str, frozenset[str]]:
    """The table of a model that has one."""
    found: Mapping[str, frozenset[str]] = vars(model)["MOVES"]
    return found


def state_field(model: type[Model]) -> Any:
    """The field that MOVES is about: the one whose choices are its keys."""
    states = set(_moves(model))
    fields: list[Field[Any, Any]] = [field for field in model._meta.get_fields() if isinstance(field, Field)]
    return next(field for field in fields if {value for value, _ in field.flatchoices} == states)
