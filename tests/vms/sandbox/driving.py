"""A core on a clock moved by hand: tests of the simulation need neither socket nor sleep."""

from dataclasses import dataclass
from typing import Any

import pytest

from vms.sandbox.core.api import ALL_ROUTES
from vms.sandbox.core.clock import ManualClock
from vms.sandbox.core.core import Core, Request, Response
from vms.sandbox.core.errors import NeedsTime
from vms.sandbox.core.identity import Identity
from vms.sandbox.core.state import State
from vms.sandbox.core.world import Options
from vms.sandbox.credentials import SandboxCredentials
from vms.sandbox.opening import build

ROOT = Identity("root@pam")
SECRETS = SandboxCredentials("root@pam", "correct horse", "root@pam!alma", "3f1c", "00" * 32, "ca.pem")

UNDERSCORED = {name for part in ALL_ROUTES for route in part.all for name in route.table if "_" in name}
"""Parameters that Proxmox itself spells with an underscore; in all others it stands for a dash."""


class Refused(Exception):
    """An answer of 400 or more."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status} {response.message} {response.errors}")
        self.status, self.message, self.errors = response.status, response.message, response.errors


@dataclass
class Cluster:
    core: Core
    clock: ManualClock
    identity: Identity = ROOT

    def answer(self, method: str, path: str, /, **params: Any) -> Response:
        """Ask once, waiting on the clock as the server would."""
        named = {name if name in UNDERSCORED else name.rstrip("_").replace("_", "-"): params[name] for name in params}
        request = Request(method, path, named, self.identity)
        while True:
            try:
                return self.core.handle(request)
            except NeedsTime as wait:
                self.clock.move_to(wait.until)

    def call(self, method: str, path: str, /, **params: Any) -> Any:
        response = self.answer(method, path, **params)
        if response.status >= 400:
            raise Refused(response)
        return response.data

    def get(self, path: str, /, **params: Any) -> Any:
        return self.call("GET", path, **params)

    def post(self, path: str, /, **params: Any) -> Any:
        return self.call("POST", path, **params)

    def put(self, path: str, /, **params: Any) -> Any:
        return self.call("PUT", path, **params)

    def delete(self, path: str, /, **params: Any) -> Any:
        return self.call("DELETE", path, **params)

    def refusal(self, method: str, path: str, /, **params: Any) -> Refused:
        """The refusal that this call must get."""
        with pytest.raises(Refused) as caught:
            self.call(method, path, **params)
        return caught.value

    def finish(self, upid: str) -> str:
        """Let time pass until the task has ended; its exit status."""
        task = self.core.state.tasks.get(upid)
        assert task is not None, upid
        self.clock.move_to(task.due_at)
        self.core.tick()
        return task.exitstatus

    def log(self, upid: str) -> list[str]:
        return [line["t"] for line in self.get(f"/nodes/{upid.split(':')[1]}/tasks/{upid}/log", limit=0)]

    def machine(self, vmid: int = 100, node: str = "pve1", **params: Any) -> int:
        """A finished virtual machine."""
        upid = self.post(f"/nodes/{node}/qemu", vmid=vmid, **({"scsi0": "local-lvm:8", "name": f"m{vmid}"} | params))
        assert self.finish(upid) == "OK"
        return vmid

    def power(self, vmid: int, action: str, node: str = "pve1", kind: str = "qemu", **params: Any) -> str:
        return self.finish(self.post(f"/nodes/{node}/{kind}/{vmid}/status/{action}", **params))

    def config(self, vmid: int, node: str = "pve1", kind: str = "qemu", **params: Any) -> dict[str, Any]:
        config: dict[str, Any] = self.get(f"/nodes/{node}/{kind}/{vmid}/config", **params)
        return config


def make_cluster(state: State | None = None, **options: Any) -> Cluster:
    clock = ManualClock()
    return Cluster(build(state or State(), clock, Options(**options), SECRETS), clock)
