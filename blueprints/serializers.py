"""What the API answers, as shapes for its schema and as the body of what was just saved."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, JsonValue

from blueprints.models import Blueprint
from blueprints.schema import BlueprintDocument, Resource


class BlueprintBody(BaseModel):
    """A saved blueprint: the document, and who saved it when."""

    id: int
    version: str
    name: str
    description: str
    resources: list[Resource]
    metadata: dict[str, JsonValue]
    created_at: datetime
    updated_at: datetime
    created_by: str
    revision: int


class RevisionBody(BaseModel):
    """One saved version."""

    number: int
    digest: str
    created_by: str
    created_at: datetime
    document: BlueprintDocument


class MessageBody(BaseModel):
    """A sentence."""

    message: str


def body(blueprint: Blueprint) -> dict[str, Any]:
    """A blueprint that is already loaded, with the keys of BlueprintBody."""
    return {name: getattr(blueprint, _FIELDS.get(name, name)) for name in BlueprintBody.model_fields}


_FIELDS = {"revision": "revision_number"}
