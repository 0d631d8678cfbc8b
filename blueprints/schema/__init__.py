"""The shape of a blueprint: one definition, read from JSON or YAML, expanded into machines."""

from blueprints.schema.document import BlueprintDocument, Resource, document_json_schema
from blueprints.schema.images import Image
from blueprints.schema.machine import Backup, DataDisk, Expansion, Machine, NetworkCard, Unsupported
from blueprints.schema.machines import expand, expand_machines
from blueprints.schema.names import check_title
from blueprints.schema.parsing import parse_document
from blueprints.schema.specs import Specs
from blueprints.schema.yaml_text import from_yaml, to_yaml

__all__ = [
    "Backup",
    "BlueprintDocument",
    "DataDisk",
    "Expansion",
    "Image",
    "Machine",
    "NetworkCard",
    "Resource",
    "Specs",
    "Unsupported",
    "check_title",
    "document_json_schema",
    "expand",
    "expand_machines",
    "from_yaml",
    "parse_document",
    "to_yaml",
]
