"""The one definition of a blueprint: API, editor, generation and planning all read documents through it."""

import hashlib
import json
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints

from blueprints.schema import names
from blueprints.schema.spec_values import Slug
from blueprints.schema.specs import Specs, Strict

MAX_RESOURCES = 200
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_. -]{0,63}$")]
GuestName = Annotated[str, AfterValidator(names.check_guest_name)]
Title = Annotated[str, StringConstraints(max_length=names.MAX_NAME), AfterValidator(names.check_title)]


def _or_empty_text(value: object) -> object:
    return "" if value is None else value


def _or_empty_object(value: object) -> object:
    return {} if value is None else value


def _or_empty_list(value: object) -> object:
    return [] if value is None else value


_Text = Annotated[str, StringConstraints(max_length=10_000)]
_Names = Annotated[list[str], Field(max_length=MAX_RESOURCES)]
Metadata = dict[str, JsonValue]
Description = Annotated[_Text, BeforeValidator(_or_empty_text, json_schema_input_type=_Text | None)]


def _with_depends_on(schema: dict[str, Any]) -> None:
    schema["properties"]["depends_on"] = {
        **schema["properties"]["dependencies"],
        "title": "Another spelling of dependencies",
    }


class Resource(Strict):
    """One thing to build; `count` in its specs makes it several of a kind."""

    model_config = ConfigDict(json_schema_extra=_with_depends_on)

    name: GuestName
    type: Identifier
    description: Description = ""
    provider: Slug | None = None
    specs: Annotated[Specs, BeforeValidator(_or_empty_object, json_schema_input_type=Specs | None)] = Field(
        default_factory=Specs
    )
    dependencies: Annotated[_Names, BeforeValidator(_or_empty_list, json_schema_input_type=_Names | None)] = Field(
        default_factory=list, validation_alias=AliasChoices("dependencies", "depends_on")
    )

    def as_given(self) -> dict[str, Any]:
        """The resource as it was written, with the alias of dependencies resolved."""
        plain = self.model_dump(exclude_unset=True, exclude={"specs", "dependencies"})
        ordered = {"dependencies": self.dependencies} if "dependencies" in self.model_fields_set else {}
        return {**plain, "specs": self.specs.given(), **ordered}


class BlueprintDocument(Strict):
    """What is wanted, complete and consistent."""

    version: Annotated[str, StringConstraints(pattern=r"^\d{1,4}(\.\d{1,4}){0,2}$")] = "1.0"
    name: Title
    description: Description = ""
    resources: Annotated[list[Resource], Field(max_length=MAX_RESOURCES)]
    metadata: Annotated[Metadata, BeforeValidator(_or_empty_object, json_schema_input_type=Metadata | None)] = Field(
        default_factory=dict
    )

    def as_dict(self) -> dict[str, Any]:
        """The document as the API answers it: sizes and specs in the words of its author."""
        return {
            "version": self.version,
            "name": self.name,
            "description": self.description,
            "resources": [resource.as_given() for resource in self.resources],
            "metadata": self.metadata,
        }

    def canonical_json(self) -> str:
        """The same text for the same document, whatever the order of keys."""
        return json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex: the identity of this content."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()

    @cached_property
    def by_name(self) -> dict[str, Resource]:
        return {resource.name: resource for resource in self.resources}

    @cached_property
    def needs(self) -> dict[str, list[str]]:
        """Which resource depends on which."""
        return {resource.name: resource.dependencies for resource in self.resources}


def document_json_schema() -> dict[str, Any]:
    """JSON schema of a document, for OpenAPI, the editor and constrained generation."""
    return BlueprintDocument.model_json_schema(mode="validation")
