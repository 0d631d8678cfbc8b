"""The constraints that may come with a description: budget, region, environment."""

import math
import re
from dataclasses import dataclass, field

from alma.errors import BadRequest

_ENVIRONMENTS = {
    "prod": "production",
    "production": "production",
    "live": "production",
    "stage": "staging",
    "staging": "staging",
    "dev": "development",
    "development": "development",
    "test": "test",
    "testing": "test",
    "qa": "test",
}
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_OTHERS = {
    "budget": "max_cost",
    "max_budget": "max_cost",
    "monthly_budget": "max_cost",
    "max_monthly_cost": "max_cost",
    "env": "environment",
    "location": "region",
    "operating_system": "os",
}
"""Other names for the same."""
KNOWN = ("max_cost", "region", "environment", "os")


@dataclass(frozen=True, slots=True)
class Constraints:
    """Checked. `remarks` are about what was not understood."""

    max_cost: float | None = None
    region: str = ""
    environment: str = ""
    os: str = ""
    remarks: list[str] = field(default_factory=list)


def read_constraints(value: object) -> Constraints:
    """BadRequest when a constraint cannot mean anything."""
    if value is None:
        return Constraints()
    if not isinstance(value, dict):
        raise BadRequest('Field constraints: must be an object, for example {"max_cost": 500}.')
    value = dict[object, object]((_OTHERS.get(str(key), key), one) for key, one in value.items())
    environment = _text(value, "environment")
    return Constraints(
        max_cost=_cost(value.get("max_cost")),
        region=_text(value, "region"),
        environment=_ENVIRONMENTS.get(environment.lower(), environment),
        os=_text(value, "os"),
        remarks=[
            f'The constraint "{str(key)[:60]}" is not known and was not used.' for key in value if key not in KNOWN
        ],
    )


def _cost(value: object) -> float | None:
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 < value < 1e12
        or not math.isfinite(value)
    ):
        raise BadRequest("Field constraints.max_cost: must be a number greater than 0.")
    return float(value)


def _text(constraints: dict[object, object], name: str) -> str:
    value = constraints.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or _WORD.fullmatch(value) is None:
        raise BadRequest(f"Field constraints.{name}: must be a short text of letters and digits.")
    return value
