"""Where machines go: the narrowest resource decides, machines of a role keep apart, and the reason says it in words."""

from dataclasses import replace
from typing import Any

from iprs.planner import Target
from tests.iprs.readings import node, storage, template
from tests.iprs.test_planner import TARGET, plan, vm

SHARED = tuple(storage("ceph", name, is_shared=True) for name in ("pve1", "pve2", "pve3"))
FREE = {"templates": (), "ostemplates": ()}


def placed(*resources: dict[str, Any], target: Target = TARGET, **cluster: Any) -> dict[str, tuple[str, str, str]]:
    draft = plan(*resources, target=target, **cluster)
    assert draft.problems == ()
    found = {}
    for item in draft.items:
        where = {row["field"]: row["after"] for row in item.changes}
        found[item.key] = (item.node, str(where["storage"]), item.reasons[0])
    return found


def test_a_full_storage_counts_as_much_as_full_memory() -> None:
    nodes = (node("pve1", used=8), node("pve2", used=30))
    storages = (storage("local-lvm", "pve1", free=60), storage("local-lvm", "pve2", free=900))
    where, _, why = placed(vm(), nodes=nodes, storages=storages, **FREE)["web"]
    assert where == "pve2"
    assert why == "On pve2: memory 50 % full afterwards; pve1: local-lvm 96 % full afterwards."


def test_busy_cores_are_a_bottleneck() -> None:
    nodes = (replace(node("pve1", cores=8), cpu_load=0.9), node("pve2", used=40, cores=8))
    where, _, why = placed(vm(), nodes=nodes, **FREE)["web"]
    assert where == "pve2"
    assert "pve1: CPU 115 % full afterwards" in why


def test_what_does_not_fit_is_said_in_figures() -> None:
    nodes = (node("pve1", memory=64, used=23), node("pve2", memory=128))
    _, _, why = placed(vm(memory="48GB"), nodes=nodes, **FREE)["web"]
    assert "pve1 has 41.0 GiB of memory free, needs 48.0" in why


def test_machines_of_a_role_keep_apart_before_anything_else() -> None:
    nodes = (node("pve1", used=2), node("pve2", used=50), node("pve3", used=40))
    storages = tuple(storage("local-lvm", name) for name in ("pve1", "pve2", "pve3"))
    found = placed(*(vm(f"web-{n}", role="web") for n in (1, 2, 3)), nodes=nodes, storages=storages, **FREE)
    assert sorted(where for where, _, _ in found.values()) == ["pve1", "pve2", "pve3"]
    assert "pve1 has 1 of web already" in found["web-3"][2]


def test_a_template_on_shared_storage_is_cloned_to_any_node_with_shared_disks() -> None:
    nodes = (node("pve1", used=60), node("pve2"), node("pve3", used=20))
    storages = (*SHARED, storage("local-lvm", "pve2", free=990))
    source = {"templates": (template(9000, "debian-12", "pve1"),), "nodes": nodes, "storages": storages}
    where, disk, _ = placed(vm(os="debian-12"), shared_templates=frozenset({9000}), **source)["web"]
    assert (where, disk) == ("pve2", "ceph"), "local-lvm has more room, but Proxmox clones to shared storage alone"
    where, _, why = placed(vm(os="debian-12"), **source)["web"]
    assert where == "pve1"
    assert "pve2 does not hold its template" in why


def test_only_chosen_nodes_and_storages_are_used_and_guests_join_the_pool() -> None:
    storages = (storage("local-lvm", "pve1"), storage("local-lvm", "pve2", free=900), storage("small", "pve2", free=50))
    target = replace(TARGET, chosen_nodes=("pve2",), chosen_storages=("small",), pool="alma")
    draft = plan(vm(), target=target, storages=storages, **FREE)
    (item,) = draft.items
    assert item.node == "pve2"
    assert item.steps[0].params["storage"] == "small"
    assert item.steps[0].params["pool"] == "alma"
    assert "pve1 is not among the nodes that ALMA may use" in item.reasons[0]


def test_one_pool_of_shared_storage_is_not_filled_twice() -> None:
    storages = tuple(storage("ceph", name, free=30, is_shared=True) for name in ("pve1", "pve2"))
    draft = plan(vm("a"), vm("b"), storages=storages, **FREE)
    assert "ceph on pve1 has 10 GiB free, needs 20" in draft.problems[0]
