"""How people spell the keys of specs, and what to say about keys that are none."""

from rapidfuzz import fuzz, process

_SPELLINGS = {
    "cpu": "cpus cores core vcpu vcpus cpu_cores cpu_count num_cpus vcores cpu_per_node cores_per_node cpu_per_instance",
    "memory": "ram mem memory_size memory_per_node ram_per_node memory_per_instance",
    "disk": "size disk_size root_disk disk_per_node storage_per_node boot_disk rootfs",
    "data_disk": "data_volume data_disk_size",
    "disks": "volumes",
    "disk_type": "storage_type storage_class",
    "storage_pool": "datastore storage_name",
    "min_memory": "balloon",
    "count": "nodes instances replicas instance_count node_count quantity num_nodes",
    "control_planes": "masters control_plane_nodes control_nodes master_nodes",
    "workers": "worker_nodes agents",
    "node": "target_node host proxmox_node",
    "start": "autostart onboot started",
    "gpu": "gpus",
    "os": "operating_system distribution distro os_family",
    "template": "template_id clone_from ostemplate",
    "user": "username ci_user cloud_init_user",
    "ssh_keys": "ssh_key ssh_public_key ssh_public_keys sshkeys ssh_authorized_keys",
    "role": "purpose",
    "software": "applications application",
    "services": "service",
    "packages": "package",
    "network": "network_name",
    "vlan": "vlan_id vlan_tag",
    "ip": "ips ip_address ip_addresses ipv4 address static_ip",
    "gateway": "gw default_gateway",
    "subnet": "cidr",
    "dns": "dns_servers nameserver nameservers",
    "search_domain": "dns_domain searchdomain",
    "ports": "port exposed_ports",
    "virtual_ip": "vip floating_ip",
    "mac": "mac_address",
    "tags": "tag",
    "ha": "high_availability highly_available",
    "anti_affinity": "spread",
    "backup": "backups backup_policy",
    "schedule": "backup_schedule",
    "retention_days": "backup_retention_days retention",
    "env": "environment_variables env_vars",
    "config": "configuration options settings parameters",
    "tls": "ssl https",
    "rules": "firewall_rules",
    "kind": "virtualization guest_type",
    "members": "backends targets upstreams",
}
ALIASES = {alias: key for key, aliases in _SPELLINGS.items() for alias in aliases.split()}
SHOWN = (
    "cores",
    "vcpu",
    "ram",
    "nodes",
    "replicas",
    "instances",
    "cpu_per_node",
    "memory_per_node",
    "disk_per_node",
    "ip_address",
    "port",
    "ssh_key",
)
_UNIT_KEYS = {
    "memory_mb": ("memory", "MB"),
    "memory_gb": ("memory", "GB"),
    "ram_mb": ("memory", "MB"),
    "ram_gb": ("memory", "GB"),
    "disk_gb": ("disk", "GB"),
    "disk_size_gb": ("disk", "GB"),
    "storage_gb": ("disk", "GB"),
}
_SECRETS = ("password", "passwd", "secret", "token", "api_key", "private_key", "credentials")
_HINTS = {
    "vmid": "ALMA assigns VMIDs itself",
    "name": "the name belongs beside specs, not in it",
    "depends_on": "dependencies belong beside specs, not in it",
    "dependencies": "dependencies belong beside specs, not in it",
    "type": "the type belongs beside specs, not in it",
    "metadata": "metadata belongs to the blueprint, not to specs",
}


def written_keys(given: dict[str, object]) -> dict[str, str]:
    """Which key of specs holds each canonical key; ValueError when one thing is given twice."""
    written: dict[str, str] = {}
    for key, value in given.items():
        canonical = canonical_key(key, value)
        if canonical in written:
            raise ValueError(f"{written[canonical]} and {key} mean the same; give one of them")
        written[canonical] = key
    return written


def canonical_key(key: str, value: object) -> str:
    """The one name of what a key means. "storage" is a pool when it is a name, and a disk when it is a size."""
    if key == "storage":
        return "storage_pool" if isinstance(value, str) and value[:1].isalpha() else "disk"
    if key in _UNIT_KEYS:
        return _UNIT_KEYS[key][0]
    return ALIASES.get(key, key)


def canonical_value(key: str, value: object) -> object:
    """memory_mb: 2048 says its unit in the key; say it in the value."""
    if key not in _UNIT_KEYS or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return f"{value}{_UNIT_KEYS[key][1]}"


def unknown_key_message(key: str, known: set[str]) -> str:
    """What is wrong with a key that nobody knows, and what was probably meant."""
    if key in _HINTS:
        return f"is not a key of specs; {_HINTS[key]}"
    if any(word in key.lower() for word in _SECRETS):
        return "is refused: secrets do not belong in a blueprint; use ssh_keys"
    if near := nearest(key, known | set(ALIASES) | set(_UNIT_KEYS)):
        return f'is not a known key; did you mean "{near}"?'
    return 'is not a known key; free settings belong in "config", notes in "metadata"'


def nearest(word: str, known: set[str]) -> str:
    """The known word that this one is a slip of, or nothing."""
    found = process.extractOne(word.lower(), sorted(known), scorer=fuzz.ratio, score_cutoff=72)
    return found[0] if found else ""
