"""How drf-spectacular shows the blueprint document, and the parameters of its routes."""

from typing import Any

from drf_spectacular.contrib.pydantic import PydanticExtension
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter

BLUEPRINT_ID = OpenApiParameter("blueprint_id", int, OpenApiParameter.PATH, description="Blueprint ID")
NUMBER = OpenApiParameter("number", int, OpenApiParameter.PATH, description="Number of the revision, from 1")
_REFERENCE = "#/components/schemas/{model}"


class DocumentExtension(PydanticExtension):
    """Shows what is read. What pydantic would write has free-form specs, and such a schema would say nothing."""

    target_class = "blueprints.schema.document.BlueprintDocument"
    match_subclasses = False
    priority = 1

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """The JSON schema of validation, its parts as components of the API."""
        schema: dict[str, Any] = self.target.model_json_schema(ref_template=_REFERENCE, mode="validation")
        for name, part in schema.pop("$defs", {}).items():
            component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema=part)
            auto_schema.registry.register_on_missing(component)
        return schema
