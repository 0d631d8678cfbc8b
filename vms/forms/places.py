"""The forms in which networks, their rules and storages are wished for."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from alma.accounts.actors import Actor
from alma.errors import DomainError
from vms.models import Cluster, ClusterNetwork, ClusterNode
from vms.operations import rules, storages, wishes

_PLAIN = ProhibitNullCharactersValidator()
NETWORK_KINDS = (
    ("vlan", "VLAN", "On a bridge that every node has"),
    ("vnet", "Virtual network", "Stays on its node; can give out addresses"),
    ("bridge", "Bridge", "On one node, without a port"),
)
STORAGE_KINDS = (
    ("dir", "Directory"), ("nfs", "NFS"), ("cifs", "SMB/CIFS"), ("pbs", "Proxmox Backup Server"), ("zfspool", "ZFS"),
    ("lvmthin", "LVM-thin"), ("lvm", "LVM"), ("btrfs", "Btrfs"), ("rbd", "Ceph RBD"), ("cephfs", "CephFS"),
)  # fmt: skip
_CONTENT = {
    "images": "Disks of VMs", "rootdir": "Disks of containers", "vztmpl": "Archives of containers", "iso": "ISO images",
    "backup": "Backups", "snippets": "Snippets", "import": "Images to import",
}  # fmt: skip
_HINTS = {
    "path": "/srv/more", "server": "nas.example.org", "export": "/tank/vms", "share": "backup", "volume_group": "vg1",
    "thin_pool": "data", "pool": "tank/vms", "datastore": "store1",
}  # fmt: skip


def words(value: str) -> tuple[str, ...]:
    """Words with commas or spaces between them, each once."""
    return tuple(dict.fromkeys(word for word in re.split(r"[,\s]+", value) if word))


class PlaceForm(forms.Form):
    """The base: which cluster, and what the services object to beside the fields."""

    moved: Mapping[str, str] = {}
    """Fields of the domain that have another name here."""

    def text(self, name: str) -> str:
        """A field without spaces around it, empty when it is not there."""
        return str(self.cleaned_data.get(name) or "").strip()

    def object(self, error: DomainError) -> None:
        """Show what a service objects to."""
        details = error.details if isinstance(error.details, list) else []
        for one in details:
            name = self.moved.get(one["field"], one["field"])
            self.add_error(name if name in self.fields else None, f"{one['message'][:1].upper()}{one['message'][1:]}.")
        if not details:
            self.add_error(None, error.message)


def _text(
    label: str, *, hint: str = "", help_text: str = "", required: bool = False, most: int = 100
) -> forms.CharField:
    attrs = {"placeholder": hint, "spellcheck": "false", "autocomplete": "off"}
    return forms.CharField(
        label=label, max_length=most, required=required, validators=[_PLAIN], help_text=help_text,
        widget=forms.TextInput(attrs=attrs),
    )  # fmt: skip


def clusters_of(actor: Actor) -> list[tuple[str, str]]:
    """The clusters on which something can be made."""
    return list(Cluster.objects.visible_to(actor).enabled().order_by("is_sandbox", "pk").values_list("slug", "name"))


def _choices(values: Iterable[str], first: str) -> list[tuple[str, str]]:
    return [("", first), *((value, value) for value in dict.fromkeys(values))]


class NetworkForm(PlaceForm):
    """A network that is wanted."""

    moved = {"dhcp_range": "first", "dhcp_enabled": "has_dhcp"}

    name = _text("Name", hint="development", required=True, most=60)
    cluster = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(choices=[(value, label) for value, label, _ in NETWORK_KINDS], initial="vlan")
    vlan_id = forms.IntegerField(
        min_value=1, max_value=4094, required=False, label="VLAN number", help_text="1 to 4094."
    )
    uplink = forms.ChoiceField(required=False, label="Carried by", help_text="A bridge that every node has.")
    node = forms.ChoiceField(required=False, help_text="On which it is made.")
    subnet = _text("Subnet", hint="192.168.2.0/24")
    gateway = _text("Gateway", hint="192.168.2.1", help_text="On a bridge it is the node’s own address.")
    dns_servers = _text("DNS servers", hint="9.9.9.9, 149.112.112.112")
    has_dhcp = forms.BooleanField(
        required=False, label="Give out addresses",
        help_text="Proxmox does it on virtual networks; a VLAN’s own DHCP server has to.",
    )  # fmt: skip
    first = _text("First address", hint="192.168.2.100")
    last = _text("Last address", hint="192.168.2.200")

    def __init__(self, data: Any = None, *, by: Actor) -> None:
        super().__init__(data)
        bridges = ClusterNetwork.objects.visible_to(by).filter(kind="bridge").order_by("bridge")
        nodes = ClusterNode.objects.visible_to(by).filter(is_online=True).order_by("name")
        for name, choices in (
            ("cluster", clusters_of(by)),
            ("uplink", _choices(bridges.values_list("bridge", flat=True), "The usual one")),
            ("node", _choices(nodes.values_list("name", flat=True), "None")),
        ):
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def wish(self) -> wishes.Network:
        """The same in terms of the domain; what belongs to another kind is left out."""
        kind = self.cleaned_data["kind"]
        has_dhcp = self.cleaned_data["has_dhcp"]
        return wishes.Network(
            name=self.text("name"), kind=kind, subnet=self.text("subnet"), gateway=self.text("gateway"),
            vlan_id=self.cleaned_data["vlan_id"] if kind == "vlan" else None, dns_servers=words(self.text("dns_servers")),
            uplink=self.text("uplink") if kind == "vlan" else "", node=self.text("node") if kind == "bridge" else "",
            has_dhcp=has_dhcp, dhcp_range=(self.text("first"), self.text("last")) if has_dhcp else None,
        )  # fmt: skip


class RuleForm(PlaceForm):
    """A rule of a network's firewall."""

    action = forms.ChoiceField(choices=[("allow", "Allow"), ("deny", "Deny")])
    protocol = forms.ChoiceField(
        choices=[("", "Any protocol"), ("tcp", "TCP"), ("udp", "UDP"), ("icmp", "ICMP")], required=False
    )
    port = _text("Port", hint="22 or 80,443")
    source = _text("From", hint="192.168.0.0/16")
    destination = _text("To", hint="anywhere")

    def rule(self) -> rules.Rule:
        """The same in terms of the domain."""
        return rules.Rule(
            action=self.text("action"), protocol=self.text("protocol"), port=self.text("port"), source=self.text("source"),
            destination=self.text("destination"),
        )  # fmt: skip


class StorageForm(PlaceForm):
    """A storage of one type; its fields are those that the type can have."""

    name = _text("Name", hint="tank", required=True)
    cluster = forms.ChoiceField(required=False)
    content = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="Nothing ticked: what is usual for the type."
    )
    nodes = _text("Nodes", hint="pve1, pve2", help_text="Empty: all nodes.", most=2000)
    shared = forms.BooleanField(
        required=False, label="The same on all nodes", help_text="All nodes see the same data there."
    )

    def __init__(self, data: Any = None, *, kind: str, by: Actor) -> None:
        super().__init__(data)
        self.kind, plugin = kind, storages.PLUGINS[kind]
        self.fields["cluster"].choices = clusters_of(by)  # type: ignore[attr-defined]
        self.fields["content"].choices = [(name, _CONTENT[name]) for name in plugin.content]  # type: ignore[attr-defined]
        if plugin.is_shared:
            del self.fields["shared"]
        for name in (*plugin.needed, *plugin.optional):
            self.fields[name] = self._setting(name, is_needed=name in plugin.needed)

    @staticmethod
    def _setting(name: str, *, is_needed: bool) -> forms.CharField:
        label = name.replace("_", " ").capitalize()
        if name not in storages.HIDDEN:
            return _text(label, hint=_HINTS.get(name, ""), required=is_needed, most=200)
        return forms.CharField(
            label=label, max_length=4000, required=is_needed, validators=[_PLAIN],
            widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
            help_text="Handed to Proxmox once, and kept nowhere.",
        )  # fmt: skip

    def wish(self) -> storages.Storage:
        """The same in terms of the domain."""
        plugin = storages.PLUGINS[self.kind]
        given = {name: self.text(name) for name in (*plugin.needed, *plugin.optional)}
        return storages.Storage(
            name=self.text("name"), plugin=self.kind, content=tuple(self.cleaned_data["content"]),
            nodes=words(self.text("nodes")), is_shared=bool(self.cleaned_data.get("shared")),
            settings={name: value for name, value in given.items() if value},
        )  # fmt: skip
