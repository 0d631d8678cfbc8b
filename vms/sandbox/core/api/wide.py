"""The methods that are of the whole cluster or of a node, beside guests and storage."""

from vms.sandbox.core.api import (
    abilities,
    ceph,
    datacenter,
    fabrics,
    firewall,
    firewall_sets,
    groups,
    ha,
    ha_status,
    jobs,
    network,
    node_settings,
    registry,
    replication,
    sdn,
    shapes,
    users,
    vnets,
)

WIDE_ROUTES = (
    network.routes, sdn.routes, vnets.routes, ha.routes, ha_status.routes, firewall.routes, firewall_sets.routes,
    users.routes, groups.routes, jobs.routes, replication.routes, registry.routes,
    datacenter.routes, node_settings.routes, fabrics.routes, shapes.routes, ceph.routes, abilities.routes,
)  # fmt: skip
