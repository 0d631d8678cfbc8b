"""A sandbox process for measurements: `python -m tests.bench.sandbox FOLDER SECONDS` where each task takes so long."""

import asyncio
import signal
import sys
from pathlib import Path

from vms.sandbox.core.world import Options, World
from vms.sandbox.opening import open_sandbox
from vms.sandbox.server import SandboxServer, run

MINIMUM = 0.001
"""Seconds of a task on a sandbox that counts as instant."""


async def serve(folder: Path, seconds: float) -> None:
    """Until SIGTERM; the port is printed when it listens."""
    finished = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, finished.set)
    World.scaled = lambda world, _: max(MINIMUM, seconds)  # type: ignore[method-assign]
    core, store = open_sandbox(folder, Options(unauthorized_delay=0.0))
    with store:
        server = SandboxServer(core, store, folder)
        await run(server, "127.0.0.1", 0, on_ready=_announce, until=finished)


def _announce(port: int) -> None:
    print(port, flush=True)  # noqa: T201 - read by whoever started this


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2])))
