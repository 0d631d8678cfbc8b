"""What is sent to Proxmox for a plan's values: pure functions, no network, no database."""

from collections.abc import Mapping
from typing import Any

from alma.jobs.kinds import StepFailed
from vms.models import GuestClaim
from vms.proxmox.paths import image_id, seg, storage_id
from vms.proxmox.readings import GuestReading
from vms.proxmox.values import (
    address_properties,
    decode_keys,
    dns_name,
    encode_keys,
    gib_text,
    join_tags,
    mib,
    parse_tags,
    properties,
    round_up,
)  # fmt: skip
from vms.steps import fittings

Params = Mapping[str, Any]
Call = tuple[tuple[str | int, ...], dict[str, Any]]
OWN_TAG = "alma"
MAX_NOTE = 2000
_CLOUD_INIT_SLOTS = ("ide2", "ide0", "ide3", "scsi30")


def creation(params: Params, claim: GuestClaim) -> Call:
    """Path and values of the request that makes a guest."""
    if params.get("template_vmid"):
        return _clone(params, claim)
    return _new_container(params, claim) if params["kind"] == "lxc" else _new_vm(params, claim)


def description(params: Params, claim: GuestClaim) -> str:
    """The marker, and below it the note for people."""
    return marked(claim.marker, params.get("note", ""))


def marked(marker: str, note: str) -> str:
    """A description that begins with a marker."""
    plain = "".join(sign for sign in note if sign.isprintable() or sign == "\n")
    return f"{marker}\n\n{plain[:MAX_NOTE].strip()}".strip()


def tags(params: Params) -> str:
    """The plan's tags and our own."""
    return join_tags([OWN_TAG, *params.get("tags", ())])


def _pool(params: Params) -> str | None:
    """The pool that a new guest becomes a member of."""
    return seg(params["pool"]) if params.get("pool") else None


def _new_vm(params: Params, claim: GuestClaim) -> Call:
    values = {
        "vmid": claim.vmid, "name": dns_name(params["name"]), "description": description(params, claim),
        "tags": tags(params), "cores": params["cores"], "memory": mib(params["memory_bytes"]), "ostype": "l26",
        "scsihw": "virtio-scsi-single", "scsi0": _first_disk(params),
        "net0": properties("virtio", bridge=params["bridge"], tag=params.get("vlan")), "agent": "1",
        "pool": _pool(params),
    }  # fmt: skip
    if params.get("cloud_init"):
        values |= {"ide2": f"{storage_id(params['storage'])}:cloudinit", **cloud_init(params["cloud_init"])}
    if params.get("cdrom"):
        values["ide2"] = properties(image_id(params["cdrom"]), media="cdrom")
    return ("nodes", params["node"], "qemu"), values


def _first_disk(params: Params) -> str:
    """A new disk, or one that an image is imported to: that is as large as its image, and grows afterwards."""
    storage = storage_id(params["storage"])
    if params.get("import_from"):
        return properties(f"{storage}:0", **{"import-from": image_id(params["import_from"])})
    return f"{storage}:{gib_text(params['disk_bytes'])}"


def _new_container(params: Params, claim: GuestClaim) -> Call:
    if not params.get("ostemplate"):
        raise StepFailed(
            "NO_TEMPLATE", f"{params['name']}: a container needs an archive or a template to be made from."
        )
    init = params.get("cloud_init") or {}
    values = {
        "vmid": claim.vmid, "hostname": dns_name(params["name"]), "description": description(params, claim),
        "tags": tags(params), "cores": params["cores"], "memory": mib(params["memory_bytes"]),
        "ostemplate": properties(params["ostemplate"]), "unprivileged": True,
        "rootfs": f"{storage_id(params['storage'])}:{gib_text(params['disk_bytes'])}",
        "net0": properties(
            name="eth0", bridge=params["bridge"], tag=params.get("vlan"),
            **address_properties(init.get("ip") or "dhcp", init.get("gateway")),
        ),
        "nameserver": init.get("nameserver") or None, "pool": _pool(params),
        "ssh-public-keys": "\n".join(decode_keys(encode_keys(init.get("ssh_keys", ())))) or None,
    }  # fmt: skip
    return ("nodes", params["node"], "lxc"), values


def _clone(params: Params, claim: GuestClaim) -> Call:
    is_container = params["kind"] == "lxc"
    source = params.get("template_node") or params["node"]
    is_full = bool(params.get("full_clone", True))
    values = {
        "newid": claim.vmid, "hostname" if is_container else "name": dns_name(params["name"]), "full": is_full,
        "description": description(params, claim), "storage": storage_id(params["storage"]) if is_full and params["storage"] else None,
        "target": params["node"] if params["node"] != source else None, "pool": _pool(params),
    }  # fmt: skip
    return ("nodes", source, "lxc" if is_container else "qemu", params["template_vmid"], "clone"), values


def cloud_init(init: Params) -> dict[str, Any]:
    """The options of a VM's cloud-init drive."""
    values = {
        "ciuser": init.get("user") or None, "sshkeys": encode_keys(init.get("ssh_keys", ())) or None,
        "ipconfig0": properties(**address_properties(init.get("ip") or "dhcp", init.get("gateway"))),
        "nameserver": init.get("nameserver") or None,
    }  # fmt: skip
    return {name: value for name, value in values.items() if value}


def changes(reading: GuestReading, params: Params) -> dict[str, Any]:
    """Options of the config that differ from what the plan says. What the plan does not say stays."""
    wanted: dict[str, Any] = {}
    if params.get("cores") and reading.cores != params["cores"]:
        wanted |= {"cores": params["cores"]} | ({"sockets": 1} if reading.kind == "vm" else {})
    if params.get("memory_bytes") and reading.memory_bytes != round_up(params["memory_bytes"]):
        wanted["memory"] = mib(params["memory_bytes"])
    if params.get("name") and reading.name != dns_name(params["name"]):
        wanted["hostname" if reading.kind == "lxc" else "name"] = dns_name(params["name"])
    wanted |= _tags(reading, params) | _description(reading, params)
    wanted |= fittings.cards(reading, params) | fittings.volumes(reading, params)
    if params.get("cloud_init") and reading.kind == "vm":
        wanted |= _cloud_init_changes(reading, params)
    return wanted


def restoration(reading: GuestReading, options: Params) -> dict[str, Any]:
    """What gives the config its earlier options back: those that differ, and in `delete` those that were not there."""
    differing = {name: was for name, was in options.items() if str(reading.config.get(name, "")) != str(was or "")}
    gone = sorted(name for name, was in differing.items() if was is None)
    values = {name: was for name, was in differing.items() if was is not None}
    return values | ({"delete": ",".join(gone)} if gone else {})


def _description(reading: GuestReading, params: Params) -> dict[str, str]:
    """New words for people below the mark, which stays."""
    if "description" not in params:
        return {}
    wanted = marked(reading.marker, params["description"])
    return {} if str(reading.config.get("description", "")).strip() == wanted else {"description": wanted}


def _tags(reading: GuestReading, params: Params) -> dict[str, str]:
    """The plan's tags added to those that people gave; none but the plan's with `exact_tags`."""
    planned, present = set(parse_tags(tags(params))), set(reading.tags)
    wanted = planned if params.get("exact_tags") else planned | present
    return {} if wanted == present else {"tags": join_tags(wanted)}


def _cloud_init_changes(reading: GuestReading, params: Params) -> dict[str, Any]:
    config = reading.config
    wanted = cloud_init(params["cloud_init"])
    changed = {name: value for name, value in wanted.items() if str(config.get(name, "")) != str(value)}
    if "sshkeys" in changed and decode_keys(str(config.get("sshkeys", ""))) == decode_keys(changed["sshkeys"]):
        del changed["sshkeys"]
    if not any("cloudinit" in str(config[name]) for name in config if name.startswith(("ide", "scsi", "sata"))):
        free = next((slot for slot in _CLOUD_INIT_SLOTS if slot not in config), None)
        if free is None:
            raise StepFailed("NO_FREE_SLOT", f"VMID {reading.vmid} has no free slot for a cloud-init drive.")
        changed[free] = f"{storage_id(params['storage'])}:cloudinit"
    return changed
