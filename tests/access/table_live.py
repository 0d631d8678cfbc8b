"""The fields of GraphQL and the actions of sockets, and who may ask for them."""

from typing import NamedTuple

OVERVIEW = ("blueprint:read", "ipr:read", "deployment:read", "vm:read")


class Live(NamedTuple):
    """The rights that are needed, and whether everybody may where reads are public."""

    rights: tuple[str, ...]
    is_opened: bool


def public(*rights: str) -> Live:
    """Everybody, where reads are public."""
    return Live(rights, True)


def keyed(*rights: str) -> Live:
    """Whoever has these rights, anywhere."""
    return Live(rights, False)


FIELDS: dict[str, Live] = {
    "Query.systemStatus": public("job:read"),
    "Query.blueprints": public("blueprint:read"),
    "Query.blueprint": public("blueprint:read"),
    "Query.iprs": public("ipr:read"),
    "Query.ipr": public("ipr:read"),
    "Query.deployments": public("deployment:read"),
    "Query.deployment": public("deployment:read"),
    "Query.vms": keyed("vm:read"),
    "Query.events": keyed(*OVERVIEW),
    "Blueprint.iprs": public("blueprint:read", "ipr:read"),
    "Ipr.plan": public("ipr:read"),
    "Ipr.blueprint": public("ipr:read", "blueprint:read"),
    "Ipr.deployments": public("ipr:read", "deployment:read"),
    "Deployment.ipr": public("deployment:read", "ipr:read"),
    "Deployment.steps": public("deployment:read"),
}
"""What leads to objects. Who asks for one that hangs on another needs the rights of both."""

TOLD: dict[str, str] = {
    "SystemStatus": "status uptimeSeconds activeConnections",
    "Blueprint": "id version name description resources metadata revision createdBy createdAt updatedAt",
    "Ipr": "id title description blueprintId status environment changesSummary createdBy createdByClaimed createdAt updatedAt",
    "Plan": "number status blueprintRevision summary problems remarks estimatedSeconds computedAt hash",
    "Deployment": "deploymentId iprId status dryRun engine createdBy createdAt startedAt finishedAt error leftovers percentage",
    "Step": "ordinal kind key title state attempts startedAt finishedAt",
    "Vm": (
        "vmid name kind status node cluster isTemplate isManaged cores memoryBytes memoryUsedBytes diskBytes cpuLoad "
        "uptimeSeconds tags seenAt"
    ),
    "Event": "stream seq kind actor at data",
}
"""The plain fields of each object: what is told at all."""

SOCKETS: dict[str, Live] = {
    "/api/ws connect": keyed("instance:read"),
    "/api/ws subscribe": keyed("instance:read"),
    "/api/ws unsubscribe": keyed("instance:read"),
    "/ws/console connect": keyed("vm:write"),
    "/ws/console open": keyed("vm:write"),
    "/ws/deployments connect": public("deployment:read"),
    "/ws/deployments subscribe": public("deployment:read"),
    "/ws/deployments unsubscribe": public("deployment:read"),
    "/ws/pages connect": keyed(*OVERVIEW),
    "/ws/pages watch": keyed(*OVERVIEW),
}
