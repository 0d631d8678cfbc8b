"""The error codes of the documents, by status, and what else they name differently from the domain."""

ALUMIA_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    402: "PAYMENT_REQUIRED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    411: "LENGTH_REQUIRED",
    413: "PAYLOAD_TOO_LARGE",
    422: "VALIDATION_ERROR",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
PROXMOX_CODES = {
    400: "VALIDATION_ERROR",
    401: "INVALID_TOKEN",
    403: "INSUFFICIENT_PERMISSIONS",
    404: "RESOURCE_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
PROXMOX_NAMES = {
    "INVALID_CREDENTIALS": "INVALID_CREDENTIALS",
    "MAINTENANCE_MODE": "MAINTENANCE_MODE",
    "RESOURCE_LIMIT_EXCEEDED": "RESOURCE_LIMIT_EXCEEDED",
    "PAYMENT_REQUIRED": "RESOURCE_LIMIT_EXCEEDED",
}
LLAMACTL_NAMES = {"PAYMENT_REQUIRED": "RESOURCE_LIMIT_EXCEEDED"}
OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
    503: "service_unavailable_error",
}
ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}
OPENAI_NAMES = {"PAYMENT_REQUIRED": "INSUFFICIENT_QUOTA"}
