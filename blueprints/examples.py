"""The examples of the API document, as the OpenAPI schema shows them."""

from drf_spectacular.utils import OpenApiExample

SPECS = {"cpu": 4, "memory": "8GB", "disk": "100GB"}
DOCUMENT = {
    "version": "1.0",
    "name": "web-app-production",
    "description": "Production web application infrastructure",
    "resources": [{"name": "web-server-1", "type": "vm", "specs": SPECS}],
    "metadata": {"environment": "production", "owner": "devops-team"},
}
SAVED = {
    "id": 1,
    **DOCUMENT,
    "created_at": "2025-11-16T10:30:00Z",
    "updated_at": "2025-11-16T10:30:00Z",
    "created_by": "devops-team",
    "revision": 1,
}
ASK = {
    "description": "I need a highly available web application with 3 servers, load balancer, and PostgreSQL database",
    "constraints": {"max_cost": 500, "region": "us-east-1", "environment": "production"},
}
REVISION = {
    "number": 1,
    "digest": "9f2c…",
    "created_by": "devops-team",
    "created_at": "2025-11-16T10:30:00Z",
    "document": DOCUMENT,
}
NOT_FOUND = {
    "detail": "Blueprint 7 not found",
    "error_code": "BLUEPRINT_NOT_FOUND",
    "timestamp": "2025-11-16T10:30:00Z",
}
FIELD_ERROR = {
    "resource": "web-server-1",
    "field": "specs.memory",
    "message": '8 has no unit and may mean MB or GB; write "8GB" or "8MB"',
    "value": 8,
}
INVALID = {
    "detail": f'Resource "web-server-1", field specs.memory: {FIELD_ERROR["message"]}.',
    "error_code": "VALIDATION_ERROR",
    "timestamp": "2025-11-16T10:30:00Z",
    "errors": [FIELD_ERROR],
}

given = OpenApiExample("As documented", DOCUMENT, request_only=True)
patched = OpenApiExample("Another owner", {"metadata": {"owner": "platform-team"}}, request_only=True)
saved = OpenApiExample("As documented", SAVED, response_only=True, status_codes=["200", "201"])
asked = OpenApiExample("As documented", ASK, request_only=True)
listed = OpenApiExample("As documented", [SAVED], response_only=True, status_codes=["200"])
drafted = OpenApiExample(
    "As documented",
    {**DOCUMENT, "metadata": {"generated_by": "ALMA-planner", "estimated_cost": 450, "complexity_score": 7.5}},
    response_only=True,
    status_codes=["200"],
)
revision = OpenApiExample("A revision", REVISION, response_only=True, status_codes=["200"])
revisions = OpenApiExample("One revision", [REVISION], response_only=True, status_codes=["200"])
not_found = OpenApiExample("Not found", NOT_FOUND, response_only=True, status_codes=["404"])
invalid = OpenApiExample("A size without a unit", INVALID, response_only=True, status_codes=["422"])
deleted = OpenApiExample(
    "As documented", {"message": "Blueprint deleted successfully"}, response_only=True, status_codes=["200"]
)
streamed = OpenApiExample(
    "As documented",
    'data: {"type": "thinking", "content": "Analyzing requirements..."}\n\n'
    'data: {"type": "resource", "content": {"name": "web-server-1", "type": "vm"}}\n\n',
    response_only=True,
    status_codes=["200"],
    media_type="text/event-stream",
)
in_use = OpenApiExample(
    "In use",
    {
        "detail": "web-app-production is in use: IPR 12 proposes it.",
        "error_code": "BLUEPRINT_IN_USE",
        "timestamp": "2025-11-16T10:30:00Z",
        "used_by": ["IPR 12 proposes it"],
    },
    response_only=True,
    status_codes=["400"],
)
