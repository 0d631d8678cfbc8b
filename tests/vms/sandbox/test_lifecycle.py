"""The life of a guest through the stock client."""

from tests.fixtures.sandbox import RunningSandbox


def test_lifecycle_of_a_machine(fresh_sandbox: RunningSandbox) -> None:
    client = fresh_sandbox.proxmoxer()
    vmid = client.cluster.nextid.get()
    assert vmid == "100"
    upid = client.nodes("pve1").qemu.post(
        vmid=vmid,
        name="web-1",
        cores=2,
        memory=2048,
        scsi0="local-lvm:8,iothread=1",
        net0="virtio,bridge=vmbr0",
        tags="B,a",
    )
    assert upid.startswith("UPID:pve1:") and upid.endswith(":qmcreate:100:root@pam!alma:")
    assert fresh_sandbox.wait(upid) == "OK"
    config = client.nodes("pve1").qemu(vmid).config.get()
    assert config["scsi0"] == "local-lvm:vm-100-disk-0,iothread=1,size=8G"
    assert config["tags"] == "a;b"
    assert fresh_sandbox.wait(client.nodes("pve1").qemu(vmid).status.start.post()) == "OK"
    assert client.nodes("pve1").qemu(vmid).status.current.get()["status"] == "running"
    rows = {row["vmid"]: row for row in client.cluster.resources.get(type="vm")}
    assert rows[100]["name"] == "web-1"
    assert fresh_sandbox.wait(client.nodes("pve1").qemu(vmid).status.stop.post()) == "OK"
    assert fresh_sandbox.wait(client.nodes("pve1").qemu(vmid).delete()) == "OK"
    assert 100 not in {row["vmid"] for row in client.cluster.resources.get(type="vm")}
