"""What the planner decides, from documents and readings alone."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.schema import parse_document
from iprs.planner import Draft, Target, draft_plan, facts_of, moved_facts
from tests.iprs.readings import GIB, node, owned, reading, storage, template

TARGET = Target(cluster_id=1, owner="env:1/blueprint:1", tags=("alma", "staging"), note="a note")


def vm(name: str = "web", needs: tuple[str, ...] = (), kind: str = "vm", **specs: Any) -> dict[str, Any]:
    sizes = {"cpu": 2, "memory": "2GB", "disk": "20GB"}
    return {"name": name, "type": kind, "specs": {**sizes, **specs}, "dependencies": list(needs)}


def plan(*resources: dict[str, Any], have: tuple[Any, ...] = (), target: Target = TARGET, **cluster: Any) -> Draft:
    document = parse_document({"version": "1.0", "name": "shop", "resources": list(resources)})
    return draft_plan(document, reading(**cluster), have, target)


def changes(draft: Draft, key: str = "web") -> dict[str, tuple[Any, Any]]:
    item = next(item for item in draft.items if item.key == key)
    return {row["field"]: (row["before"], row["after"]) for row in item.changes}


def test_a_new_machine_is_created_with_every_value_and_its_cause() -> None:
    draft = plan(vm(memory="4GB", os="debian-12"))
    (item,) = draft.items
    assert (item.action, item.node, draft.problems) == ("create", "pve1", ())
    rows = {row["field"]: (row["after"], row["cause"]) for row in item.changes}
    assert rows["memory"] == (4 * GIB, "specs.memory")
    assert rows["image"] == ("debian-12", "specs.os")
    assert rows["network"] == ("vmbr0, DHCP", "default")
    assert [step.kind for step in item.steps] == ["guest.create", "guest.configure", "guest.start", "guest.verify"]


def test_what_is_as_wanted_is_left_alone() -> None:
    draft = plan(vm(), have=(owned("web"),))
    assert draft.summary() == {"noop": 1}
    assert draft.items[0].steps == ()


def test_changed_memory_restarts_a_running_guest_and_says_so() -> None:
    draft = plan(vm(memory="8GB"), have=(owned("web"),))
    (item,) = draft.items
    assert (item.action, item.vmid, item.needs_restart) == ("update", 5001, True)
    assert changes(draft) == {"memory": (2 * GIB, 8 * GIB)}
    assert [step.kind for step in item.steps] == REBOOTED


OFFLINE = ["guest.stop", "guest.configure", "guest.start", "guest.verify"]
REBOOTED = ["guest.configure", "guest.reboot", "guest.verify"]


@pytest.mark.parametrize(
    ("specs", "now", "steps"),
    [
        ({"memory": "8GB"}, {"config": {"hotplug": "disk,network,memory"}}, OFFLINE),
        ({"memory": "1GB"}, {"config": {"hotplug": "disk,network,cpu"}}, OFFLINE),
        ({"memory": "1GB"}, {"config": {"hotplug": "disk,network"}}, REBOOTED),
        ({"memory": "1GB"}, {}, REBOOTED),
        ({"memory": "8GB", "kind": "lxc"}, {"kind": "lxc", "disk": "rootfs", "disks": {"rootfs": 20 * GIB}}, REBOOTED),
        ({"memory": "1GB", "kind": "lxc"}, {"kind": "lxc", "disk": "rootfs", "disks": {"rootfs": 20 * GIB}}, OFFLINE),
    ],
)
def test_what_must_not_change_while_it_runs_is_changed_when_it_is_stopped(specs: Any, now: Any, steps: Any) -> None:
    assert kinds(plan(vm(**specs), have=(owned("web", **now),)), "web") == steps


def test_a_grown_disk_needs_no_restart() -> None:
    draft = plan(vm(disk="40GB"), have=(owned("web"),))
    assert (draft.items[0].action, draft.items[0].needs_restart) == ("update", False)
    assert changes(draft) == {"disk": (20 * GIB, 40 * GIB)}


def test_a_shrunk_disk_is_a_problem_not_a_surprise() -> None:
    draft = plan(vm(disk="10GB"), have=(owned("web"),))
    assert "cannot shrink" in draft.problems[0]
    assert draft.items[0].action == "noop"


def test_a_disk_that_its_template_made_larger_is_no_difference() -> None:
    big = (template(9000, "debian-12", "pve1", disk=20),)
    assert plan(vm(disk="10GB"), templates=big).items[0].changes[3]["after"] == 20 * GIB
    assert plan(vm(disk="10GB"), have=(owned("web"),), templates=big).summary() == {"noop": 1}


def test_a_stopped_guest_that_should_run_is_started() -> None:
    draft = plan(vm(), have=(owned("web", status="stopped"),))
    assert changes(draft) == {"power": ("stopped", "running")}


def test_what_the_document_no_longer_has_is_deleted_last() -> None:
    draft = plan(vm("db"), vm("web", ("db",)), have=(owned("old", vmid=5009),))
    actions = [(item.action, item.key) for item in draft.items]
    assert actions == [("create", "db"), ("create", "web"), ("delete", "old")]
    levels = {item.key: {step.level for step in item.steps} for item in draft.items}
    assert max(levels["db"]) < min(levels["web"]) <= max(levels["web"]) < min(levels["old"])


def kinds(draft: Draft, key: str) -> list[str]:
    return [step.kind for item in draft.items if item.key == key for step in item.steps]


def test_a_machine_that_others_need_is_seen_up_before_they_begin() -> None:
    draft = plan(vm("db", os="debian-12", software=["postgresql"], ip="10.0.0.5/24"), vm("web", ("db",)))
    wait = draft.items[0].steps[-1]
    assert kinds(draft, "db")[-2:] == ["guest.verify", "guest.await"] and "guest.await" not in kinds(draft, "web")
    assert (wait.title, wait.level) == ("Wait until VM db is up", max(step.level for step in draft.items[0].steps))
    asked = {name: wait.params[name] for name in ("timeout", "has_system", "port", "address")}
    assert asked == {"timeout": 180, "has_system": True, "port": 5432, "address": "10.0.0.5"}
    assert wait.level < min(step.level for step in draft.items[1].steps)


def test_the_wait_is_part_of_what_is_approved() -> None:
    resources = (vm("db"), vm("web", ("db",)))
    assert plan(*resources).digest() != plan(*resources, target=replace(TARGET, ready_seconds=60)).digest()


def test_nobody_is_waited_for_whom_nobody_needs_now() -> None:
    assert "guest.await" not in kinds(plan(vm("db"), vm("web")), "db")
    assert kinds(plan(vm("db"), vm("web", ("db",)), have=(owned("db"),)), "db") == [], "it was not started"
    idle = plan(vm("db", memory="8GB"), vm("web", ("db",)), have=(owned("db"), owned("web", vmid=5002)))
    assert kinds(idle, "db") == REBOOTED


def test_a_machine_that_is_restarted_is_waited_for_like_a_new_one() -> None:
    assert kinds(plan(vm("db", memory="8GB"), vm("web", ("db",)), have=(owned("db"),)), "db")[-1] == "guest.await"


def test_nobody_listens_on_an_empty_disk_or_in_a_bare_archive() -> None:
    bare = plan(vm("db", role="postgresql"), vm("web", ("db",)), templates=())
    assert bare.items[0].steps[-1].params["has_system"] is False
    boxed = plan(vm("db", kind="lxc", software=["redis"]), vm("web", ("db",)))
    assert boxed.items[0].steps[-1].params["port"] is None


def test_another_system_is_a_replacement() -> None:
    both = (template(9000, "debian-12", "pve1"), template(9001, "ubuntu-24.04", "pve1"))
    target = replace(TARGET, made_from={"web": "debian-12"})
    draft = plan(vm(os="ubuntu-24.04"), have=(owned("web"),), target=target, templates=both)
    (item,) = draft.items
    assert (item.action, changes(draft)["image"]) == ("replace", ("debian-12", "ubuntu-24.04"))
    kinds = [step.kind for step in item.steps]
    assert kinds.index("guest.delete") < kinds.index("guest.create")


def test_a_guest_without_our_mark_is_not_touched() -> None:
    for resources in ([vm()], []):
        draft = plan(*resources, have=(owned("web", is_ours=False),))
        assert draft.items == ()
        assert "no longer carries" in draft.problems[0]


def test_a_guest_that_is_gone_is_made_again_with_a_remark() -> None:
    draft = plan(vm(), have=(owned("web", gone=True),))
    assert draft.items[0].action == "create"
    assert any("is gone" in remark for remark in draft.remarks)


def test_a_reserved_guest_is_finished_not_duplicated() -> None:
    draft = plan(vm(), have=(owned("web", state="reserved"),))
    assert draft.summary() == {"create": 1}


def test_a_role_is_spread_over_nodes() -> None:
    draft = plan(*(vm(f"web-{n}", role="web") for n in (1, 2)), templates=())
    assert {item.node for item in draft.items} == {"pve1", "pve2"}


def test_placement_counts_what_the_same_plan_places() -> None:
    small = {"nodes": (node("pve1", memory=16, used=0), node("pve2", memory=16, used=0)), "templates": ()}
    draft = plan(*(vm(f"m-{n}", memory="10GB") for n in (1, 2, 3)), **small)
    assert draft.summary() == {"create": 2}
    assert "m-3 fits nowhere" in draft.problems[0]
    assert "6.0 GiB of memory free, needs 10.0" in draft.problems[0]


def test_shared_storage_is_counted_once() -> None:
    shared = tuple(storage("ceph", on, free=30, is_shared=True) for on in ("pve1", "pve2"))
    draft = plan(vm("a"), vm("b"), storages=shared, templates=())
    assert draft.summary() == {"create": 1}


def test_an_unknown_image_is_named_with_what_there_is() -> None:
    draft = plan(vm(os="windows-2022"))
    assert "windows-2022" in draft.problems[0]
    assert "debian-12" in draft.problems[0]


def test_a_container_goes_where_its_image_is() -> None:
    draft = plan(vm("proxy", kind="lxc", os="debian-12"))
    (item,) = draft.items
    assert (item.kind, item.action) == ("lxc", "create")
    assert item.steps[0].params["ostemplate"].endswith("amd64.tar.zst")


def test_no_online_node_is_a_problem() -> None:
    draft = plan(vm(), nodes=(node("pve1", is_online=False),))
    assert "fits nowhere" in draft.problems[0]


def test_what_is_not_carried_out_is_said() -> None:
    network = {"name": "lan", "type": "network", "specs": {}}
    for software, words in ((["nginx"], "nginx is not installed"), (["nginx", "php"], "nginx, php are not installed")):
        draft = plan(vm(software=software), network)
        assert any(words in remark for remark in draft.remarks)
    assert any("lan" in remark for remark in draft.remarks)


def test_a_type_that_nobody_knows_is_a_problem() -> None:
    draft = plan({"name": "thing", "type": "flux-capacitor", "specs": {}})
    assert "flux-capacitor" in draft.problems[0]


def test_the_same_inputs_give_the_same_digest_and_others_another() -> None:
    first, second = plan(vm()), plan(vm())
    assert first.digest("r1") == second.digest("r1")
    assert len({first.digest("r1"), first.digest("r2"), plan(vm(memory="3GB")).digest("r1")}) == 3


def test_free_memory_that_breathes_does_not_move_a_plan() -> None:
    busy = (node("pve1", used=9), node("pve2", used=17))
    assert plan(vm()).digest() == plan(vm(), nodes=busy).digest()


FACT_CHANGES = {
    "node/pve1": {"nodes": (node("pve1", is_online=False), node("pve2"))},
    "template/9000": {"templates": (template(9000, "debian-13", "pve1"),)},
    "storage/pve1/local-lvm": {"storages": (storage("local-lvm", "pve2"),)},
}


@pytest.mark.parametrize("name", FACT_CHANGES)
def test_a_fact_that_was_relied_on_is_noticed_when_it_moves(name: str) -> None:
    (item,) = plan(vm()).items
    assert moved_facts(item.facts, facts_of(reading(), ())) == []
    (moved,) = moved_facts(item.facts, facts_of(reading(**FACT_CHANGES[name]), ()))
    assert moved.startswith(name)


def test_a_guest_that_appeared_or_changed_is_noticed() -> None:
    (created,) = plan(vm()).items
    assert "guest/web" in moved_facts(created.facts, facts_of(reading(), (owned("web"),)))[0]
    (updated,) = plan(vm(memory="4GB"), have=(owned("web"),)).items
    edited = facts_of(reading(), (owned("web", digest="d2"),))
    assert "guest/web" in moved_facts(updated.facts, edited)[0]


def test_facts_that_nobody_read_move_nothing() -> None:
    (item,) = plan(vm()).items
    other = reading(templates=(template(9000, "debian-12", "pve1"), template(9007, "fedora", "pve2")))
    assert moved_facts(item.facts, facts_of(other, (owned("unrelated"),))) == []


@given(
    st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True),
    st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True),
)
def test_a_plan_never_names_a_guest_that_is_neither_wanted_nor_owned(wanted: list[str], have: list[str]) -> None:
    draft = plan(*(vm(key) for key in wanted), have=tuple(owned(key, vmid=5000 + n) for n, key in enumerate(have)))
    named = {item.key: item.action for item in draft.items}
    assert set(named) == set(wanted) | set(have)
    assert {key for key, action in named.items() if action == "delete"} == set(have) - set(wanted)
    assert {key for key, action in named.items() if action == "create"} == set(wanted) - set(have)
