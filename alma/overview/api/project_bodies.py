"""What is sent and answered at `/api/v1/projects`, with the bounds of each field."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from alma.api.bodies import CamelModel, PatchModel
from alma.api.bounds import Json, bounded, trimmed

MOST_METADATA, MOST_SETTINGS = 32 * 1024, 8 * 1024
DEEPEST_METADATA, DEEPEST_SETTINGS = 12, 8
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise ValueError("must be lower case letters and digits with single hyphens between them")
    return value


def _number(value: object) -> Decimal:
    """A JSON number as it was written."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number_type", "must be a number")
    return Decimal(str(value))


Name = Annotated[str, StringConstraints(min_length=1, max_length=100), trimmed(1)]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=50), AfterValidator(_slug)]
Description = Annotated[str, StringConstraints(max_length=2000), trimmed()]
Metadata = Annotated[Json, AfterValidator(bounded(MOST_METADATA, DEEPEST_METADATA))]
Settings = Annotated[Json, AfterValidator(bounded(MOST_SETTINGS, DEEPEST_SETTINGS))]
Budget = Annotated[
    Decimal,
    Field(ge=0, max_digits=12, decimal_places=2),
    BeforeValidator(_number),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 9_999_999_999.99}),
]


class ProjectCreate(CamelModel):
    """A new project. `monthlyBudget` is in the currency of the table of prices; null is no bound."""

    name: Name
    slug: Slug | None = None
    description: Description = ""
    monthly_budget: Budget | None = None
    metadata: Metadata = Field(default_factory=dict)
    settings: Settings = Field(default_factory=dict)


class ProjectPatch(PatchModel):
    """What to change; what is left out stays."""

    name: Name = ""
    slug: Slug = ""
    description: Description = ""
    monthly_budget: Budget | None = None
    metadata: Metadata = Field(default_factory=dict)
    settings: Settings = Field(default_factory=dict)


class ProjectBody(CamelModel):
    """A project; `monthlyCommitted` is what is deployed of it costs."""

    id: str
    slug: str
    name: str
    description: str
    currency: str
    monthly_budget: float | None
    monthly_committed: float
    blueprint_count: int
    metadata: dict[str, JsonValue]
    settings: dict[str, JsonValue]
    created_at: datetime
    updated_at: datetime


class ProjectDeleted(CamelModel):
    """That it is gone, and since when."""

    id: str
    deleted_at: datetime


class Placement(CamelModel):
    """Which blueprint."""

    blueprint_id: int = Field(ge=1, le=10**18 - 1)


class ProjectBlueprint(CamelModel):
    """A blueprint of a project."""

    blueprint_id: int
    name: str
    version: str
    revision: int
    updated_at: datetime
