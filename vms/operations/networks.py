"""Making, changing and removing networks: virtual ones of the whole cluster, and bridges of a node."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from vms.models import Cluster, ClusterNetwork, ClusterNode, PlaceClaim
from vms.operations.places import (
    PlaceKind,
    Row,
    begin,
    chosen_cluster,
    claim_of,
    claimed,
    held,
    named_cluster,
    public_id,
    refuse_used,
)
from vms.operations.reaching import begins_work, reach
from vms.operations.wishes import Network, check, kept
from vms.refusing import invalid

MOST_OURS = 500
"""Networks and storages of a cluster that the ledger holds at most."""


def create(wish: Network, *, cluster: str = "", by: Actor) -> tuple[ClusterNetwork, Job]:
    """Begin to make a network. Raises Refused, Invalid, WrongState for what is taken or while another job is at it,
    Unavailable."""
    by.require("network:write")
    check(wish)
    reach(named_cluster(cluster, by=by))
    return _create(wish, cluster, by=by)


@transaction.atomic
def _create(wish: Network, cluster: str, *, by: Actor) -> tuple[ClusterNetwork, Job]:
    place = chosen_cluster(cluster, by=by)
    wish = _placed(wish, place)
    claim = _claim(wish, place)
    row, _ = ClusterNetwork.objects.update_or_create(
        cluster=place, node=claim.node, bridge=claim.handle,
        defaults={"kind": wish.kind, "claim": claim, "seen_at": timezone.now(), "is_active": False, **wish.shown()},
    )  # fmt: skip
    return row, _begin("create", row, claim, goal=wish.layout(claim), before=None, zone=wish.zone, by=by)


def _placed(wish: Network, cluster: Cluster) -> Network:
    """With the bridge that carries it, or the node that it is made on. Raises Invalid."""
    if wish.kind == "vlan":
        return replace(wish, uplink=_uplink(wish.uplink, cluster), node="")
    if wish.uplink:
        raise invalid("uplink", "only a VLAN is carried by a bridge", wish.uplink, reason="not_for_this_type")
    if wish.kind == "vnet":
        return replace(wish, node="")
    nodes = list(cluster.nodes.filter(is_online=True).order_by("name").values_list("name", flat=True))
    if wish.node in nodes:
        return wish
    if wish.node or len(nodes) != 1:
        known = ", ".join(nodes) or "none"
        raise invalid(
            "node", f"name a node that is online (there are: {known})", wish.node, reason="node_not_available"
        )
    return replace(wish, node=nodes[0])


def _uplink(wanted: str, cluster: Cluster) -> str:
    """The bridge that was asked for, the preferred one, or the first that all nodes have."""
    nodes = set(cluster.nodes.filter(is_online=True).values_list("name", flat=True))
    seen: dict[str, set[str]] = {}
    for name, node in cluster.networks.filter(kind="bridge").values_list("bridge", "node"):
        seen.setdefault(name, set()).add(node)
    everywhere = sorted(name for name, at in seen.items() if nodes <= at)
    name = wanted or cluster.default_bridge or next(iter(everywhere), "")
    if name not in everywhere:
        known = ", ".join(everywhere) or "none is known yet"
        raise invalid("uplink", f"a bridge that every node has ({known})", name, reason="no_such_bridge")
    return name


def _claim(wish: Network, cluster: Cluster) -> PlaceClaim:
    """A row of the ledger: a new one, or that of an attempt which ended halfway. Raises WrongState."""
    same = PlaceClaim.objects.active().filter(cluster=cluster, name=wish.name).exclude(kind="storage").first()
    is_there = same is not None and same.state == PlaceClaim.State.LIVE and same.networks.exists()
    if same is not None and (is_there or same.kind != wish.kind):
        raise WrongState(f"There is a network {wish.name} on {cluster.name} already.", code="NAME_TAKEN")
    others = cluster.networks.exclude(claim=same) if same else cluster.networks.all()
    _refuse_taken(wish, others)
    if PlaceClaim.objects.active().filter(cluster=cluster).count() >= MOST_OURS:
        raise WrongState(f"ALMA has {MOST_OURS} networks and storages on {cluster.name}.", code="TOO_MANY_PLACES")
    if same is not None:
        same.wish = kept(wish)
        same.save(update_fields=["wish", "updated_at"])
        return same
    handle = _handle(wish, cluster)
    return claimed(cluster, kind=wish.kind, node=wish.node, handle=handle, name=wish.name, wish=kept(wish))


def _refuse_taken(wish: Network, others: QuerySet[ClusterNetwork]) -> None:
    """Raises WrongState for a name that another network has, and for a VLAN or subnet that its zone has."""
    if row := others.filter(name=wish.name).first():
        raise _taken("NAME_TAKEN", f"There is a network {wish.name} already.", row)
    if wish.kind == "bridge":
        return
    for row in others.filter(zone=wish.zone):
        if wish.vlan_id is not None and row.vlan_id == wish.vlan_id:
            raise _taken("VLAN_TAKEN", f"VLAN {wish.vlan_id} is that of {row.name}.", row)
        if wish.subnet and wish.subnet in (row.subnets or ()):
            raise _taken("SUBNET_TAKEN", f"The subnet {wish.subnet} is that of {row.name}; a zone has each once.", row)


def _taken(code: str, words: str, row: ClusterNetwork) -> WrongState:
    return WrongState(words, code=code, details={"network_id": public_id(row)})


def _handle(wish: Network, cluster: Cluster) -> str:
    """What Proxmox shall call it: a bridge by number, a virtual network by the first letters of its name."""
    taken = set(cluster.networks.values_list("bridge", flat=True))
    taken |= set(PlaceClaim.objects.active().filter(cluster=cluster).values_list("handle", flat=True))
    if wish.kind == "bridge":
        return _free((f"vmbr{number}" for number in range(1, 1000)), taken)
    stem = re.sub(r"[^a-z0-9]", "", wish.name.lower()).lstrip("0123456789") or "net"
    numbered = (f"{stem[:5]}{number}" for number in range(1, 1000))
    return _free([*([stem[:8]] if len(stem) > 1 else []), *numbered], taken)


def _free(names: Any, taken: Collection[str]) -> str:
    found = next((name for name in names if name not in taken), None)
    if found is None:
        raise WrongState("There is no free name for one more network.", code="TOO_MANY_PLACES")
    return str(found)


def changeable(row: ClusterNetwork) -> Network:
    """What a network of ALMA's was wished to be. Raises Refused, WrongState for one that is never changed."""
    claim = claim_of(row)
    if claim.kind == "bridge":
        raise WrongState("A bridge is not changed; delete it, and make another.", code="NOT_CHANGEABLE")
    return Network.of(claim.wish)


@begins_work
def change(row: ClusterNetwork, given: Mapping[str, Any], *, by: Actor) -> Job:
    """Change what is given of a network of ALMA's; the fields are those of `Network`. Raises Refused, Invalid, WrongState,
    Unavailable."""
    claim = held(row, "network:write", by=by)
    before = changeable(row)
    wish = replace(before, **given)
    check(wish)
    if wish.zone != before.zone:
        raise invalid(
            "dhcp_enabled", "Proxmox gives out addresses by zone; make another network for this", reason="cannot_change"
        )
    _refuse_taken(wish, row.cluster.networks.exclude(pk=row.pk))
    goal, was = wish.layout(claim), before.layout(claim)
    return _begin("update", row, claim, goal=goal, before=was, zone=wish.zone, by=by, wish=kept(wish))


def wished(job: Job) -> Network:
    """What a change leads to."""
    return Network.of(job.params["wish"])


@begins_work
def delete(row: ClusterNetwork, *, by: Actor) -> Job:
    """Remove a network of ALMA's that no machine is attached to. Raises Refused, WrongState, Unavailable."""
    claim = held(row, "network:write", by=by)
    refuse_used(row.cluster, "cards", {"bridge": row.bridge}, node=row.node)
    wish = Network.of(claim.wish)
    before = wish.layout(claim) if claim.state == PlaceClaim.State.LIVE else None
    return _begin("delete", row, claim, goal=None, before=before, zone=wish.zone, by=by)


def _begin(
    verb: str, row: ClusterNetwork, claim: PlaceClaim, *, goal: Any, before: Any, zone: str, by: Actor, **more: Any
) -> Job:  # fmt: skip
    kind = "network.interface" if claim.kind == "bridge" else "network.virtual"
    params = {"cluster": claim.cluster_id, "claim": str(claim.pk), "goal": goal, "before": before, "zone": zone}
    steps: Sequence[StepSpec] = [StepSpec(kind, claim.handle, f"{claim.name} ({claim.handle})", 0, 1, params)]
    where = f"node:{claim.node}" if claim.node else "sdn"
    return begin("network", verb, claim, steps, where=where, by=by, network=row.pk, **more)


class NetworkKind(PlaceKind):
    """A job about a network."""

    def row(self, job: Job) -> ClusterNetwork | None:
        """The network that lists show."""
        return ClusterNetwork.objects.select_related("cluster").filter(pk=job.params["network"]).first()

    def take(self, row: Row, claim: PlaceClaim, job: Job) -> None:
        """It is up, as it was wished; the next reading tells the rest, and comes at once."""
        if "wish" in job.params:
            claim.wish, claim.name = job.params["wish"], job.params["wish"]["name"]
            claim.save(update_fields=["wish", "name", "updated_at"])
        if job.kind == "network_rule":
            rules = job.steps.get().evidence["rules"]
            ClusterNetwork.objects.filter(pk=row.pk).update(firewall_rules=rules)
            return
        values = Network.of(claim.wish).shown() | {"is_active": True, "seen_at": timezone.now(), "claim": claim}
        ClusterNetwork.objects.filter(pk=row.pk).update(**values)
        ClusterNode.objects.filter(cluster=row.cluster).update(networks_asked_at=None)
