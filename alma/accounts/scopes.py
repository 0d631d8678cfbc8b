"""What a credential may do: `area:verb`, and the presets that roles and keys are made from."""

AREAS = (
    "blueprint", "ipr", "deployment", "tool", "vm", "network", "storage", "backup", "security", "job",
    "webhook", "instance", "inference", "key", "policy", "admin",
)  # fmt: skip
READ = frozenset(f"{area}:read" for area in AREAS if area != "admin")
EVERYTHING = frozenset(
    {f"{area}:{verb}" for area in AREAS for verb in ("read", "write")}
    | {"ipr:review", "ipr:deploy", "ipr:override", "ipr:breakglass", "inference:use"}
)
VIEWER = READ
REQUESTER = READ | {"blueprint:write", "ipr:write", "tool:write", "inference:use"}
REVIEWER = REQUESTER | {"ipr:review"}
DEPLOYER = REVIEWER | {"ipr:deploy", "deployment:write"}
OPERATOR = DEPLOYER | {"vm:write", "network:write", "storage:write", "backup:write", "security:write", "job:write",
                       "instance:write", "webhook:write"}  # fmt: skip
ADMIN = EVERYTHING - {"ipr:breakglass"}
SERVICE = EVERYTHING - {"admin:read", "admin:write", "ipr:breakglass"}
FOR_PEOPLE = frozenset({"admin:read", "admin:write"})
"""Who belongs to an organization is settled by people alone."""
OVERVIEW = ("blueprint:read", "ipr:read", "deployment:read", "vm:read")
"""To read what tells of all of these at once: the event log, and figures of the whole organization."""
INFERENCE = frozenset({"inference:use"})

CI = READ | {"blueprint:write", "ipr:write", "ipr:deploy", "deployment:write", "tool:write"}
PRESETS = {"management": SERVICE, "inference": INFERENCE, "ci": CI, "read": READ}
"""What keys are usually made for."""
_WORDS = {
    SERVICE: "everything but managing members",
    INFERENCE: "use models",
    CI: "read, propose and deploy",
    READ: "read everything",
    EVERYTHING: "everything",
}
_NOUNS = {
    "ipr": "IPRs", "vm": "machines", "policy": "rules", "storage": "storage", "security": "security",
    "inference": "models", "admin": "members",
}  # fmt: skip
_SHOWN = 3

ROLE_SCOPES = {
    "viewer": VIEWER,
    "requester": REQUESTER,
    "reviewer": REVIEWER,
    "deployer": DEPLOYER,
    "operator": OPERATOR,
    "admin": ADMIN,
}


def in_words(scopes: frozenset[str]) -> str:
    """What somebody with these scopes may do, short enough for a row of a list."""
    if scopes in _WORDS:
        return _WORDS[scopes]
    names = [_spoken(scope) for scope in sorted(scopes)]
    more = len(names) - _SHOWN
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown or "nothing"


def _spoken(scope: str) -> str:
    """`vm:read` is «read machines»."""
    area, _, verb = scope.partition(":")
    return f"{verb} {_NOUNS.get(area, f'{area}s')}"
