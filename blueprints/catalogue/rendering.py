"""From a template and the values of its parameters to a blueprint. Values are put in as values, never read as text of a
template, so that nothing typed can become part of one."""

from collections.abc import Mapping
from typing import Any

from blueprints.catalogue.addresses import addressed
from blueprints.catalogue.figures import Figures, figures_of
from blueprints.catalogue.parameters import Value, checked
from blueprints.catalogue.templates import Template
from blueprints.pricing import PriceList
from blueprints.schema import BlueprintDocument, parse_document

_LEFT_OUT = object()


def render(
    template: Template, given: Mapping[str, Any] | None = None, prices: PriceList | None = None
) -> BlueprintDocument:
    """The blueprint that these values make; what is not given has its default. Raises Invalid."""
    values = checked(template.parameters, given or {})
    wanted = [row for row in template.resources if _is_wanted(row, values)]
    names = {row["name"]: f"{values['prefix']}-{row['name']}".lstrip("-") for row in wanted}
    resources = [_resource(row, values, names) for row in wanted]
    head = {"version": "1.0", "name": values["name"] or template.id, "description": template.summary}
    plain = addressed({**head, "resources": resources}, values)
    figures = figures_of(parse_document(plain), prices)
    chosen = {name for name, value in (given or {}).items() if value is not None}
    causes = {names[name]: rows for name, rows in _causes(template, values, chosen).items() if name in names}
    return parse_document({**plain, "metadata": {**_metadata(template, values, figures), "causes": causes}})


def _resource(row: Mapping[str, Any], values: Mapping[str, Value], names: Mapping[str, str]) -> dict[str, Any]:
    """One resource; of what it needs, whatever is there."""
    needs = [names[name] for name in row.get("dependencies", ()) if name in names]
    filled = {key: _filled(value, values) for key, value in row.items() if key not in {"when", "dependencies"}}
    return {**filled, "name": names[row["name"]], **({"dependencies": needs} if needs else {})}


def _filled(value: Any, values: Mapping[str, Value]) -> Any:
    """The value with its parameters put in; _LEFT_OUT for what shall not be there."""
    if isinstance(value, str) and value.startswith("$"):
        chosen = values[value[1:]]
        return _LEFT_OUT if chosen is None else chosen
    if isinstance(value, list):
        return [_filled(part, values) for part in value]
    if not isinstance(value, dict):
        return value
    if not _is_wanted(value, values):
        return _LEFT_OUT
    filled = {key: _filled(part, values) for key, part in value.items() if key != "when"}
    kept = {key: part for key, part in filled.items() if part is not _LEFT_OUT}
    return kept or _LEFT_OUT


def _is_wanted(row: Mapping[str, Any], values: Mapping[str, Value]) -> bool:
    return "when" not in row or bool(values[row["when"][1:]])


def _metadata(template: Template, values: Mapping[str, Value], figures: Figures) -> dict[str, Any]:
    return {
        "template": template.id,
        "category": template.category,
        "environment": values["environment"],
        "complexity": figures.complexity,
        "estimated_cost": figures.cost,
        "currency": figures.currency,
        "parameters": {name: value for name, value in values.items() if value not in (None, "")},
    }


def _causes(template: Template, values: Mapping[str, Value], chosen: set[str]) -> dict[str, dict[str, Any]]:
    """Where each value of a resource comes from: a parameter, chosen or by default, or the template itself."""

    def cause(key: str, written: Any) -> dict[str, Any]:
        names = [*_references(written), *(["first_address"] if key == "network" else [])]
        if not names:
            return {"template": template.id}
        name = max(names, key=lambda one: (one in chosen, values[one] is not None))
        return {"parameter": name, "value": values[name], "chosen": name in chosen}

    return {
        row["name"]: {key: cause(key, written) for key, written in row["specs"].items()} for row in template.resources
    }


def _references(value: Any) -> list[str]:
    """The parameters that a value of a template names, in its order."""
    if isinstance(value, str):
        return [value[1:]] if value.startswith("$") else []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [name for part in parts for name in _references(part)]
