"""How quick the sandbox is with ten thousand guests: the calls that every client makes, without a socket.

.venv/bin/python -m tests.bench.crowd [guests]
"""

import sys
import time
from collections.abc import Callable

import orjson

from vms.sandbox.core.clock import ManualClock
from vms.sandbox.core.core import Core, Request
from vms.sandbox.core.identity import Identity
from vms.sandbox.core.model import Config, Guest, Volume
from vms.sandbox.core.seed import plant
from vms.sandbox.core.sizes import GIB
from vms.sandbox.core.state import State
from vms.sandbox.core.world import Options

ROOT = Identity("root@pam")
LIMIT_MS = 150
_CALLS = (
    ("/cluster/resources", {}),
    ("/cluster/resources", {"type": "vm"}),
    ("/nodes", {}),
    ("/nodes/pve1/qemu", {}),
    ("/nodes/pve1/storage", {}),
    ("/nodes/pve1/storage/local-lvm/content", {}),
    ("/cluster/nextid", {}),
    ("/nodes/pve1/qemu/101/status/current", {}),
    ("/nodes/pve1/qemu/101/rrddata", {"timeframe": "day"}),
)


def crowded(count: int) -> Core:
    """The seeded cluster with so many more guests, every fifth a container and every fourth off."""
    core = Core(State(), ManualClock(), Options())
    plant(core.world)
    for number in range(count):
        _add(core, 10_000 + number, number)
    core.state.drain()
    return core


def _add(core: Core, vmid: int, number: int) -> None:
    is_container, node = number % 5 == 0, f"pve{number % 3 + 1}"
    disk = f"local-lvm:vm-{vmid}-disk-0,size=8G"
    mac = f"BC:24:11:{number >> 16:02X}:{number >> 8 & 255:02X}:{number & 255:02X}"
    config: Config = {"cores": 2, "tags": "bench;crowd"}
    if is_container:
        config |= {"hostname": f"ct-{vmid}", "memory": 2048, "rootfs": disk, "net0": f"name=eth0,hwaddr={mac}"}
    else:
        config |= {
            "name": f"vm-{vmid}",
            "memory": "2048",
            "scsi0": disk,
            "boot": "order=scsi0",
            "net0": f"virtio={mac}",
        }
    guest = Guest(vmid, "lxc" if is_container else "qemu", node, config, is_running=number % 4 != 0)
    guest.started_at = core.world.now() - 1000 - number if guest.is_running else 0.0
    core.state.guests.put(guest)
    core.state.volumes.put(
        Volume("local-lvm", node, f"vm-{vmid}-disk-0", "images", "raw", 8 * GIB, 0, 0, vmid=vmid, system="debian-12")
    )


def measured(call: Callable[[], object], *, times: int = 7) -> float:
    """Milliseconds of the quickest run: the others measure what else the machine does."""
    best = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - started)
    return best * 1000


def ask(core: Core, path: str, params: dict[str, str]) -> bytes:
    """The answer as it goes out; the clock moves on by a second, as between two polls."""
    if isinstance(core.world.clock, ManualClock):
        core.world.clock.advance(1)
    response = core.handle(Request("GET", path, params, ROOT))
    if response.status != 200:
        raise SystemExit(f"{path}: {response.status} {response.message}")
    return orjson.dumps({"data": response.data})


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    core = crowded(count)
    print(f"The sandbox with {len(core.state.guests)} guests (limit of /cluster/resources: {LIMIT_MS} ms)")  # noqa: T201 - a table for people
    for path, params in _CALLS:
        shown = path + "".join(f"?{name}={value}" for name, value in params.items())
        took = measured(lambda path=path, params=params: ask(core, path, params))  # type: ignore[misc]
        print(f"{shown:48} {took:8.1f} ms {len(ask(core, path, params)) / 1024:10.0f} KiB")  # noqa: T201


if __name__ == "__main__":
    main()
