"""The form in which a machine is wished for: the body of `POST /v1/vms`, for people."""

from collections.abc import Iterable
from typing import Any

from django import forms

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.api.bodies import read
from alma.errors import DomainError
from vms.api.making import MachineWish
from vms.forms.places import PlaceForm, text_field, words
from vms.models import Cluster, ClusterImage, Guest
from vms.proxmox.values import GIB

_SIGN = "|"
SCHEDULES = (
    ("", "Not by the calendar"), ("hourly", "Every hour"), ("daily", "Every day"), ("weekly", "Every week"),
    ("monthly", "Every month"),
)  # fmt: skip
Choice = tuple[str, str]


def sources_of(actor: Actor) -> list[tuple[str, list[Choice]]]:
    """What machines can be made from, cluster by cluster, as it was last read: templates, disk images, ISO images."""
    clusters = Cluster.objects.visible_to(actor).enabled().order_by("is_sandbox", "pk")
    templates = Guest.objects.visible_to(actor).present().filter(is_template=True, kind="vm").order_by("name", "vmid")
    images = ClusterImage.objects.visible_to(actor).exclude(kind=ClusterImage.Kind.VZTMPL)
    named = list(templates.values_list("cluster_id", "vmid", "name"))
    files = {(row.cluster_id, row.kind, row.volume): row for row in images}
    found = []
    for cluster in clusters:
        mine = [(str(vmid), name or str(vmid)) for pk, vmid, name in named if pk == cluster.pk]
        groups = [("templates", mine)]
        for kind, title in ((ClusterImage.Kind.IMPORT, "disk images"), (ClusterImage.Kind.ISO, "ISO images")):
            groups.append((title, [
                (volume, f"{row.name} on {row.storage}, {_size(row)}")
                for (pk, of, volume), row in files.items() if (pk, of) == (cluster.pk, kind)
            ]))  # fmt: skip
        found += [
            (f"{cluster.name}: {title}", [(f"{cluster.slug}{_SIGN}{value}", label) for value, label in rows])
            for title, rows in groups if rows
        ]  # fmt: skip
    return found


def _size(row: ClusterImage) -> str:
    return f"{row.size_bytes / GIB:.1f} GiB"


class MachineForm(PlaceForm):
    """A machine that is wanted. What is wrong with it the model of the API says."""

    moved = {
        "template": "source", "image": "source", "cluster": "source", "backup.schedule": "schedule",
        "backup.retention_days": "retention_days",
    }  # fmt: skip

    shapes = {
        "name": "Letters, digits and hyphens, and no hyphen at either end.",
        "tags": "Each of letters, digits, dots, hyphens, underscores and plus signs.",
        "user": "Lower case letters, digits, hyphens and underscores; a letter first.",
    }  # fmt: skip

    name = text_field("Name", hint="app-server-01", required=True, most=63)
    source = forms.ChoiceField(label="Made from")
    description = text_field("Description", most=2000)
    environment = forms.ChoiceField(required=False)
    cpu_cores = forms.IntegerField(label="Cores", initial=2)
    memory_mb = forms.IntegerField(label="Memory in MiB", initial=2048)
    storage_gb = forms.IntegerField(
        label="Disk in GiB", required=False, help_text="Never less than what it is made from; an ISO image needs it."
    )
    vlan_id = forms.IntegerField(label="VLAN number", required=False)
    static_ip = text_field("Address", hint="192.168.1.102/24", help_text="Without one it asks by DHCP.")
    gateway = text_field("Gateway", hint="192.168.1.1")
    user = text_field("User", hint="deploy", help_text="Made by cloud-init; else that of the template.", most=32)
    ssh_keys = forms.CharField(
        label="SSH keys", required=False, max_length=100_000, help_text="One on each line.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono"}),
    )  # fmt: skip
    enable_firewall = forms.BooleanField(
        label="Firewall", required=False, help_text="Without rules of its own it lets SSH in, and nothing else."
    )
    encrypt_disk = forms.BooleanField(
        label="Encrypted disk",
        required=False,
        help_text="On a storage that an operator has named as one that encrypts.",
    )
    tags = text_field("Tags", hint="web, nginx", most=1000)
    schedule = forms.ChoiceField(label="Backups", choices=SCHEDULES, required=False)
    retention_days = forms.IntegerField(label="Days that backups are kept", required=False)

    def __init__(self, data: Any = None, *, by: Actor, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        places = Environment.objects.visible_to(by).order_by("is_protected", "position", "slug")
        self.wish: MachineWish | None = None
        self._offer("source", [("", "Choose a template or an image"), *sources_of(by)])
        self._offer("environment", list(_places(places)))

    def _offer(self, name: str, choices: Iterable[Any]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> None:
        """Hold it against the model of the API."""
        if not self.errors:
            try:
                self.wish = read(MachineWish, self._body())
            except DomainError as error:
                self.object(error)

    def _body(self) -> dict[str, Any]:
        """What a client would send."""
        given = self.cleaned_data
        slug, _, source = given["source"].partition(_SIGN)
        network = _given(given, "vlan_id", "static_ip", "gateway")
        sizes = _given(given, "cpu_cores", "memory_mb", "storage_gb")
        keys = [key.strip() for key in given["ssh_keys"].splitlines() if key.strip()]
        backup = {"enabled": True, **_given(given, "schedule", "retention_days")} if given["schedule"] else None
        return {
            **_given(given, "name", "description", "environment"), "cluster": slug,
            "image" if ":" in source else "template": source, "configuration": {**sizes, "network": network},
            "security": {
                **_given(given, "user", "enable_firewall", "encrypt_disk"), "ssh_keys": keys,
            },
            "tags": list(words(given["tags"])), "backup": backup,
        }  # fmt: skip


def _given(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """Those that say something."""
    return {name: values[name] for name in names if values[name] not in {"", None}}


def _places(rows: Iterable[Environment]) -> Iterable[Choice]:
    for row in rows:
        yield row.slug, f"{row.name}: people agree first" if row.is_protected else row.name
