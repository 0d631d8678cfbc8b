"""proxmox-sdk, asynchronous, by password over verified TLS: a template cloned, configured, started, snapshot, removed."""

import asyncio
import json
import os
import sys

from proxmox_sdk.sdk import ProxmoxSDK, ResourceException, Tasks


async def main() -> dict:
    port, password = int(os.environ["PVE_PORT"]), os.environ["PVE_PASSWORD"]
    async with ProxmoxSDK("localhost", port=port, user="root@pam", password=password, verify_ssl=True) as api:

        async def done(upid: str) -> str:
            status = await Tasks.blocking_status(api, upid, polling_interval=0.02)
            return str(status["exitstatus"])

        vmid = int(await api.cluster.nextid.get())
        node = api.nodes("pve1")
        ends = [await done(await node.qemu(9000).clone.post(newid=vmid, name="sdk", full=1, storage="local-lvm"))]
        guest = node.qemu(vmid)
        await guest.config.put(
            cores=4, memory=4096, tags="sdk;test", ciuser="ops", ipconfig0="ip=10.0.0.9/24,gw=10.0.0.1"
        )
        ends.append(await done(await guest.resize.put(disk="scsi0", size="+2G")))
        ends.append(await done(await guest.status.start.post()))
        ends.append(await done(await guest.snapshot.post(snapname="before")))
        config, status = await guest.config.get(), await guest.status.current.get()
        try:
            await guest.config.put(cores="many")
        except ResourceException as error:
            refused = str(error)
        ends.append(await done(await guest.status.stop.post()))
        ends.append(await done(await guest.delete()))
        return {
            "ends": ends, "cores": config["cores"], "memory": config["memory"], "status": status["status"],
            "refused": refused, "nodes": sorted(row["node"] for row in await api.nodes.get()),
        }  # fmt: skip


if __name__ == "__main__":
    json.dump(asyncio.run(main()), sys.stdout)
