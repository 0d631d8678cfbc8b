"""proxmox-client, plain requests with a ticket in a cookie: what it reads of nodes, storages and guests."""

import json
import os
import sys

from proxmox_client.client import ProxmoxClient

if __name__ == "__main__":
    url = f"https://localhost:{os.environ['PVE_PORT']}"
    client = ProxmoxClient(url, "root@pam", os.environ["PVE_PASSWORD"])
    upid = client.connect("post", "nodes/pve3/qemu/130/status/start", {})["data"]
    report = {
        "cluster": client.getClusterStatus()["data"][0]["type"],
        "next": client.getClusterVmNextId()["data"],
        "nodes": sorted(row["node"] for row in client.getNodes()["data"]),
        "machines": sorted(int(row["vmid"]) for row in client.getNodeVirtualIndex("pve1")["data"]),
        "containers": sorted(int(row["vmid"]) for row in client.getNodeContainerIndex("pve1")["data"]),
        "bridges": [row["iface"] for row in client.getNodeNetworks("pve1")["data"]],
        "storages": sorted(row["storage"] for row in client.getNodeStorage("pve1")["data"]),
        "started": client.getNodeTaskStatusByUPID("pve3", upid)["data"]["type"],
    }
    json.dump(report, sys.stdout)
