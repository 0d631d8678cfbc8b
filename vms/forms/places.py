"""The forms in which networks, their rules and storages are wished for."""

import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from alma.accounts.actors import Actor
from vms.forms.objecting import ObjectingForm
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


class PlaceForm(ObjectingForm):
    """The base: words without the spaces around them."""

    def text(self, name: str) -> str:
        """A field without spaces around it, empty when it is not there."""
        return str(self.cleaned_data.get(name) or "").strip()


def text_field(
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


class NetworkFields(PlaceForm):
    """What every network has that is not a bridge of a node."""

    moved = {"dhcp_range": "first", "dhcp_enabled": "has_dhcp"}

    name = text_field("Name", hint="development", required=True, most=60)
    vlan_id = forms.IntegerField(
        min_value=1, max_value=4094, required=False, label="VLAN number", help_text="1 to 4094."
    )
    subnet = text_field("Subnet", hint="192.168.2.0/24")
    gateway = text_field("Gateway", hint="192.168.2.1", help_text="On a bridge it is the node’s own address.")
    dns_servers = text_field("DNS servers", hint="9.9.9.9, 149.112.112.112")
    has_dhcp = forms.BooleanField(
        required=False, label="Give out addresses",
        help_text="Proxmox does it on virtual networks; a VLAN’s own DHCP server has to.",
    )  # fmt: skip
    first = text_field("First address", hint="192.168.2.100")
    last = text_field("Last address", hint="192.168.2.200")

    def _span(self) -> tuple[str, str] | None:
        return (self.text("first"), self.text("last")) if self.cleaned_data["has_dhcp"] else None


class NetworkForm(NetworkFields):
    """A network that is wanted."""

    cluster = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(choices=[(value, label) for value, label, _ in NETWORK_KINDS], initial="vlan")
    uplink = forms.ChoiceField(required=False, label="Carried by", help_text="A bridge that every node has.")
    node = forms.ChoiceField(required=False, help_text="On which it is made.")

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
        return wishes.Network(
            name=self.text("name"), kind=kind, subnet=self.text("subnet"), gateway=self.text("gateway"),
            vlan_id=self.cleaned_data["vlan_id"] if kind == "vlan" else None, dns_servers=words(self.text("dns_servers")),
            uplink=self.text("uplink") if kind == "vlan" else "", node=self.text("node") if kind == "bridge" else "",
            has_dhcp=self.cleaned_data["has_dhcp"], dhcp_range=self._span(),
        )  # fmt: skip


class NetworkChangeForm(NetworkFields):
    """What may be changed of a network that is there, beginning with how it was wished for."""

    def __init__(self, data: Any = None, *, wish: wishes.Network) -> None:
        first, last = wish.dhcp_range or ("", "")
        known = {"dns_servers": ", ".join(wish.dns_servers), "first": first, "last": last}
        super().__init__(data, initial={**asdict(wish), **known})
        self.wish = wish
        self.fields["gateway"].help_text = ""
        if wish.kind == "vnet":
            del self.fields["vlan_id"]
            self.fields["has_dhcp"].disabled = True
            self.fields["has_dhcp"].help_text = "Proxmox decides it by zone; it stays as it was made."

    def changes(self) -> dict[str, Any]:
        """The fields of the domain that shall be different."""
        values = {
            "name": self.text("name"), "vlan_id": self.cleaned_data.get("vlan_id"), "subnet": self.text("subnet"),
            "gateway": self.text("gateway"), "dns_servers": words(self.text("dns_servers")),
            "has_dhcp": self.cleaned_data["has_dhcp"], "dhcp_range": self._span(),
        }  # fmt: skip
        return {name: value for name, value in values.items() if value != getattr(self.wish, name)}

    def clean(self) -> None:
        """Something has to be different."""
        super().clean()
        if not self.errors and not self.changes():
            raise forms.ValidationError("Nothing is different from how it is.")


class RuleForm(PlaceForm):
    """A rule of a network's firewall."""

    action = forms.ChoiceField(choices=[("allow", "Allow"), ("deny", "Deny")])
    protocol = forms.ChoiceField(
        choices=[("", "Any protocol"), ("tcp", "TCP"), ("udp", "UDP"), ("icmp", "ICMP")], required=False
    )
    port = text_field("Port", hint="22 or 80,443")
    source = text_field("From", hint="192.168.0.0/16")
    destination = text_field("To", hint="anywhere")

    def rule(self) -> rules.Rule:
        """The same in terms of the domain."""
        return rules.Rule(
            action=self.text("action"), protocol=self.text("protocol"), port=self.text("port"), source=self.text("source"),
            destination=self.text("destination"),
        )  # fmt: skip


class StorageForm(PlaceForm):
    """A storage of one type; its fields are those that the type can have."""

    name = text_field("Name", hint="tank", required=True)
    cluster = forms.ChoiceField(required=False)
    content = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="Nothing ticked: what is usual for the type."
    )
    nodes = text_field("Nodes", hint="pve1, pve2", help_text="Empty: all nodes.", most=2000)
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
        self.order_fields(["name", "cluster", *plugin.needed, *plugin.optional, "nodes", "shared", "content"])

    @staticmethod
    def _setting(name: str, *, is_needed: bool) -> forms.CharField:
        label = name.replace("_", " ").capitalize()
        if name not in storages.HIDDEN:
            return text_field(label, hint=_HINTS.get(name, ""), required=is_needed, most=200)
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
