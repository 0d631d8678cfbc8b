"""The methods of the API, one module per part of the tree."""

from vms.sandbox.core.api import (
    access,
    agent,
    backups,
    cloudinit,
    cluster,
    config,
    consoles,
    content,
    copies,
    guests,
    moving,
    nodes,
    pools,
    sandbox,
    snapshots,
    storage,
    upkeep,
)
from vms.sandbox.core.api.wide import WIDE_ROUTES

ALL_ROUTES = (
    access.routes, cluster.routes, pools.routes, nodes.routes, storage.routes, guests.routes, config.routes, consoles.routes,
    copies.routes, snapshots.routes, cloudinit.routes, agent.routes, content.routes, backups.routes, moving.routes, sandbox.routes, upkeep.routes,
    *WIDE_ROUTES,
)  # fmt: skip
