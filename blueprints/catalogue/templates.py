"""The templates that come along: data files beside this one, read once and checked as they are read."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from alma.errors import NotFound
from blueprints.catalogue.parameters import Parameter
from blueprints.schema.spec_keys import nearest

_HERE = Path(__file__).parent
_DOCUMENTED = (
    "simple-web-app", "ha-web-app", "microservices-k8s", "postgres-ha", "data-pipeline", "ml-training",
    "zero-trust-network", "observability-stack", "api-gateway", "redis-cluster",
)  # fmt: skip
"""The ten of the documented product come first, in its order."""


class Template(BaseModel):
    """A template. In `resources`, the text `$name` alone stands for the value of that parameter, and a mapping with
    `when` is there only while that is true and not 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str
    summary: str
    category: str
    parameters: Mapping[str, Parameter]
    resources: tuple[Mapping[str, Any], ...]


@cache
def all_templates() -> dict[str, Template]:
    """Every template by its id."""
    found = {path.stem: _read(path) for path in sorted((_HERE / "definitions").glob("*.yaml"))}
    return {name: found[name] for name in (*_DOCUMENTED, *(name for name in found if name not in _DOCUMENTED))}


def find(template_id: str) -> Template:
    """The template of that id. Raises NotFound with the nearest one."""
    templates = all_templates()
    if template_id in templates:
        return templates[template_id]
    near = nearest(template_id[:60], set(templates))
    hint = f'; did you mean "{near}"?' if near else f"; there are {', '.join(templates)}."
    raise NotFound(f"Template {template_id[:60]} not found{hint}", code="TEMPLATE_NOT_FOUND")


def _read(path: Path) -> Template:
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    own = values.pop("parameters")
    named = {**dict.fromkeys(_shared()), **own}
    parameters = {name: _parameter(name, own.get(name)) for name in _in_order(named)}
    return Template(id=path.stem, parameters=parameters, **values)


def _parameter(name: str, own: Any) -> Parameter:
    """A shared parameter with what the template says of it, or one of its own."""
    said = own if isinstance(own, dict) else {} if own is None else {"default": own}
    return Parameter(name=name, **{**_shared().get(name, {}), **said})


def _in_order(named: Mapping[str, Any]) -> list[str]:
    """Servers first, then what this template alone asks, then what all do."""
    first = [name for name in _shared() if name == "instance_count" or name.endswith("_per_instance")]
    own = [name for name in named if name not in _shared()]
    return [*first, *own, *(name for name in _shared() if name not in first)]


@cache
def _shared() -> dict[str, dict[str, Any]]:
    shared: dict[str, dict[str, Any]] = yaml.safe_load((_HERE / "shared.yaml").read_text(encoding="utf-8"))
    return shared
