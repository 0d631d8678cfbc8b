"""Random sequences of calls on the core without a socket: after each the books balance, and every no is Proxmox's.

A short, always equal run by default; `--hypothesis-profile=thorough` looks further, and elsewhere each time."""

import re

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.vms.sandbox.driving import SECRETS, Cluster, make_cluster
from tests.vms.sandbox.random_calls import (
    ARCHIVE,
    DISKS,
    KEYS,
    MOSTLY,
    MOUNTS,
    NAMED,
    NEW,
    NODES,
    STORAGES,
    VMIDS,
    calls,
)
from vms.sandbox.core import resetting
from vms.sandbox.core.consistency import check_consistency
from vms.sandbox.core.core import Request, Response
from vms.sandbox.core.errors import NeedsTime
from vms.sandbox.core.state import State
from vms.sandbox.core.world import Options
from vms.sandbox.opening import build

OURS = re.compile(r"Traceback|internal error|object has no|KeyError|NoneType|not subscriptable|list index|unpack", re.I)


class Calls(RuleBasedStateMachine):
    """One cluster; every rule is followed by all invariants."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster: Cluster = make_cluster()
        self.last: tuple | None = None

    @initialize()
    def guests_of_every_kind(self) -> None:
        ask = self.cluster.post
        tasks = [
            ask("/nodes/pve1/qemu", vmid=300, scsi0="local-lvm:4", net0="virtio,bridge=vmbr0", ide2="shared:cloudinit"),
            ask("/nodes/pve1/qemu", vmid=301, scsi0="shared:4,format=qcow2"),
            ask("/nodes/pve1/lxc", vmid=302, rootfs="local-lvm:4", ostemplate="local:vztmpl/alpine-3.22-default_20250617_amd64.tar.xz"),
        ]  # fmt: skip
        for upid in tasks:
            self.cluster.finish(upid)

    def ask(self, method: str, path: str, params: dict) -> Response:
        self.last = (method, path, params)
        request = Request(method, path, params, self.cluster.identity)
        while True:
            try:
                answer = self.cluster.core.handle(request)
            except NeedsTime as wait:
                self.cluster.clock.move_to(wait.until)
                continue
            if answer.status >= 400:
                assert answer.status in {400, 403, 500, 501, 595, 596}, (self.last, answer)
                assert answer.message.strip() and not OURS.search(answer.message), (self.last, answer)
            return answer

    def of(self, vmid: int) -> str:
        """The path of a guest, or of one that is not there."""
        guest = self.cluster.core.state.guests.get(vmid)
        return f"/nodes/{guest.node}/{guest.kind}/{vmid}" if guest is not None else f"/nodes/pve1/qemu/{vmid}"

    def work(self, method: str, path: str, is_awaited: bool, **params: object) -> None:
        """A call, and mostly the end of the task that it begins."""
        answer = self.ask(method, path, {name.replace("_", "-"): value for name, value in params.items()})
        if is_awaited and isinstance(answer.data, str) and answer.data.startswith("UPID:"):
            self.cluster.finish(answer.data)

    # -- what people do, with what makes sense -----------------------------------------------------
    @rule(vmid=NEW, node=NODES, disk=DISKS, start=st.booleans(), is_awaited=MOSTLY)
    def create_a_machine(self, vmid: int, node: str, disk: str, start: bool, is_awaited: bool) -> None:
        path, net = f"/nodes/{node}/qemu", "virtio,bridge=vmbr0"
        self.work("POST", path, is_awaited, vmid=vmid, scsi0=disk, net0=net, start=int(start))

    @rule(vmid=NEW, mount=MOUNTS, is_awaited=MOSTLY)
    def create_a_container(self, vmid: int, mount: str, is_awaited: bool) -> None:
        self.work("POST", "/nodes/pve1/lxc", is_awaited, vmid=vmid, rootfs="local-lvm:1", mp0=mount, ostemplate=ARCHIVE)

    @rule(source=VMIDS, vmid=NEW, node=NODES, full=st.booleans(), is_awaited=MOSTLY)
    def clone(self, source: int, vmid: int, node: str, full: bool, is_awaited: bool) -> None:
        self.work("POST", f"{self.of(source)}/clone", is_awaited, newid=vmid, full=int(full), target=node)

    @rule(
        vmid=VMIDS,
        action=st.sampled_from(["start", "start", "stop", "shutdown", "reboot", "suspend", "resume"]),
        is_awaited=MOSTLY,
    )
    def switch(self, vmid: int, action: str, is_awaited: bool) -> None:
        self.work("POST", f"{self.of(vmid)}/status/{action}", is_awaited)

    @rule(vmid=VMIDS, key=st.sampled_from(["scsi0", "scsi1", "virtio0", "ide2"]), disk=DISKS)
    def attach_a_disk(self, vmid: int, key: str, disk: str) -> None:
        self.work("PUT", f"{self.of(vmid)}/config", True, **{key: disk})

    @rule(vmid=VMIDS, key=st.sampled_from(["mp0", "mp1"]), mount=MOUNTS)
    def attach_a_mount_point(self, vmid: int, key: str, mount: str) -> None:
        self.work("PUT", f"{self.of(vmid)}/config", True, **{key: mount})

    @rule(vmid=VMIDS, key=st.sampled_from(KEYS))
    def detach(self, vmid: int, key: str) -> None:
        self.work("PUT", f"{self.of(vmid)}/config", True, delete=key)

    @rule(vmid=VMIDS, place=st.sampled_from(["unused0", "unused1"]), key=st.sampled_from(["scsi1", "virtio0", "mp0"]))
    def attach_what_is_unused(self, vmid: int, place: str, key: str) -> None:
        guest = self.cluster.core.state.guests.get(vmid)
        volid = guest.config.get(place) if guest else None
        if volid:
            self.work("PUT", f"{self.of(vmid)}/config", True, **{key: f"{volid},mp=/back" if key == "mp0" else volid})

    @rule(vmid=VMIDS, size=NAMED["size"], key=NAMED["disk"], is_awaited=MOSTLY)
    def resize(self, vmid: int, size: str, key: str, is_awaited: bool) -> None:
        self.work("PUT", f"{self.of(vmid)}/resize", is_awaited, disk=key, size=size)

    @rule(vmid=VMIDS, key=NAMED["disk"], storage=STORAGES, is_freed=st.booleans(), is_awaited=MOSTLY)
    def move_a_disk(self, vmid: int, key: str, storage: str, is_freed: bool, is_awaited: bool) -> None:
        path = self.of(vmid)
        verb, name = ("move_volume", "volume") if "/lxc/" in path else ("move_disk", "disk")
        self.work("POST", f"{path}/{verb}", is_awaited, **{name: key, "storage": storage, "delete": int(is_freed)})

    @rule(vmid=VMIDS, node=NODES, is_awaited=MOSTLY)
    def migrate(self, vmid: int, node: str, is_awaited: bool) -> None:
        self.work("POST", f"{self.of(vmid)}/migrate", is_awaited, target=node, online=1)

    @rule(vmid=st.sampled_from([300, 301, 302]), is_awaited=MOSTLY)
    def make_a_template(self, vmid: int, is_awaited: bool) -> None:
        self.work("POST", f"{self.of(vmid)}/template", is_awaited)

    @rule(
        vmid=VMIDS,
        name=NAMED["snapname"],
        what=st.sampled_from(["take", "take", "memory", "back", "drop"]),
        is_awaited=MOSTLY,
    )
    def snapshot(self, vmid: int, name: str, what: str, is_awaited: bool) -> None:
        base = f"{self.of(vmid)}/snapshot"
        if what in {"take", "memory"}:
            self.work("POST", base, is_awaited, snapname=name, **({"vmstate": 1} if what == "memory" else {}))
        else:
            method, path = ("DELETE", f"{base}/{name}") if what == "drop" else ("POST", f"{base}/{name}/rollback")
            self.work(method, path, is_awaited)

    @rule(vmid=VMIDS, is_awaited=MOSTLY)
    def back_up(self, vmid: int, is_awaited: bool) -> None:
        self.work("POST", "/nodes/pve1/vzdump", is_awaited, vmid=vmid, storage="local", mode="snapshot")

    @rule(vmid=VMIDS, is_purged=st.booleans(), is_awaited=MOSTLY)
    def remove(self, vmid: int, is_purged: bool, is_awaited: bool) -> None:
        self.work("DELETE", self.of(vmid), is_awaited, purge=int(is_purged))

    # -- anything else -----------------------------------------------------------------------------
    @rule(call=calls("guests"))
    def change_a_guest(self, call: tuple[str, str, dict]) -> None:
        self.ask(*call)

    @rule(call=calls("changes"))
    def change_anything(self, call: tuple[str, str, dict]) -> None:
        self.ask(*call)

    @rule(call=calls("reads"))
    def ask_anything(self, call: tuple[str, str, dict]) -> None:
        self.ask(*call)

    @rule(seconds=st.sampled_from([0.2, 1.0, 5.0, 90.0]))
    def wait(self, seconds: float) -> None:
        self.cluster.clock.advance(seconds)
        self.cluster.core.tick()

    @rule(kind=st.sampled_from(["fail", "fail", "full", "slow", "quorum", "heal", "heal", "heal", "heal", "heal"]))
    def break_or_heal(self, kind: str) -> None:
        faults = self.cluster.core.faults
        {
            "fail": lambda: faults.fail_next("*", "injected failure"), "full": lambda: faults.fill("local-lvm"),
            "slow": lambda: faults.slow_down(7), "quorum": lambda: setattr(faults, "is_without_quorum", True),
            "heal": faults.clear,
        }[kind]()  # fmt: skip

    @rule(how=st.sampled_from(["not", "not", "not", "reset", "resumed"]))
    def kill_and_start_again(self, how: str) -> None:
        """What was written, read by another process."""
        if how == "not":
            return
        old, state = self.cluster.core.state, State()
        for change in old.all_rows():
            state.restore(change.kind, change.body or b"")
        core = build(state, self.cluster.clock, Options(is_reset_realistic=how == "reset"), SECRETS)
        self.cluster = Cluster(core, self.cluster.clock)

    @rule(is_wished=st.sampled_from([False] * 19 + [True]))
    def begin_anew(self, is_wished: bool) -> None:
        if is_wished:
            resetting.reset(self.cluster.core.world)

    @invariant()
    def the_books_balance(self) -> None:
        assert check_consistency(self.cluster.core) == [], self.last

    @invariant()
    def no_worker_broke(self) -> None:
        for task in self.cluster.core.state.tasks:
            assert not OURS.search(task.exitstatus), (task.exitstatus, task.type, task.args)


_chosen = settings.get_current_profile_name()
_is_thorough = _chosen == "thorough"
Calls.TestCase.settings = settings(
    max_examples=400 if _is_thorough else 40, stateful_step_count=60 if _is_thorough else 40, deadline=None,
    phases=[Phase.generate], derandomize=not _is_thorough, suppress_health_check=list(HealthCheck),
)  # fmt: skip
TestRandomCalls = Calls.TestCase
