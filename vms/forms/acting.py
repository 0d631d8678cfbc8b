"""How something is done to machines, and the word by which what cannot be undone is confirmed."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from vms.forms.objecting import ObjectingForm
from vms.forms.places import words
from vms.models import ClusterNode, ClusterStorage, Guest
from vms.operations import power, snapshots
from vms.operations.changing import MOST_CORES, MOST_DISK, MOST_MEMORY, MOST_TAGS, TAG, Change
from vms.operations.cloning import Copy
from vms.operations.moving import Move
from vms.operations.power import Stop
from vms.operations.verbs import Options
from vms.proxmox.values import GIB, MIB, dns_name, parse_tags
from vms.steps.payloads import OWN_TAG

DNS = r"\A[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z"

WAYS = (
    ("graceful", "Shut down"),
    ("insist", "Shut down, and cut the power if that takes too long"),
    ("hard", "Cut the power at once"),
)
_MEANT = {
    "graceful": "Its system is asked to shut down. One that does not heed it runs on, and the job says so.",
    "insist": "Its system is asked first. What it has not written after that is lost.",
    "hard": "Like pulling the plug: what is not written yet is lost.",
}


class ActForm(ObjectingForm):
    """The base: nothing to choose. `expected` is what must be typed; empty where nothing must."""

    template = ""

    def __init__(self, data: Any = None, *, expected: str = "", guests: Sequence[Guest] = (), by: Actor) -> None:
        super().__init__(data)
        self.expected = expected
        if expected:
            self.fields["confirm"] = forms.CharField(max_length=128)
        self.offer(guests, by)

    def offer(self, guests: Sequence[Guest], by: Actor) -> None:
        """Fill what can be chosen."""

    def clean_confirm(self) -> str:
        """Only the very word."""
        typed = str(self.cleaned_data["confirm"]).strip()
        if typed != self.expected:
            raise forms.ValidationError(f"Type {self.expected} to confirm.")
        return typed

    def options(self) -> Options:
        """What was chosen."""
        return Options()

    def notes(self) -> list[str]:
        """What people should know once it has begun."""
        return []


class StopForm(ActForm):
    """How machines stop."""

    template = "vms/acting/_stop.html"
    ways = [(name, label, _MEANT[name]) for name, label in WAYS]
    how = forms.ChoiceField(choices=WAYS, initial="graceful")
    seconds = forms.IntegerField(min_value=1, max_value=power.LONGEST, initial=300)

    def options(self) -> Options:
        way = self.cleaned_data["how"]
        seconds = self.cleaned_data["seconds"]
        return Options(how=Stop(is_graceful=way != "hard", seconds=seconds, is_forced=way == "insist"))


class DeleteForm(ActForm):
    """How machines are stopped before they are deleted."""

    template = "vms/acting/_delete.html"
    is_hard = forms.BooleanField(required=False)

    def options(self) -> Options:
        return Options(how=Stop(is_graceful=not self.cleaned_data["is_hard"]))


class SnapshotForm(ActForm):
    """A snapshot to be taken."""

    template = "vms/acting/_snapshot.html"
    name = forms.CharField(
        max_length=40,
        validators=[RegexValidator(snapshots.NAME, "2 to 40 letters, digits, hyphens and underscores; a letter first.")],
    )  # fmt: skip
    description = forms.CharField(max_length=1000, required=False)
    has_memory = forms.BooleanField(required=False)

    def options(self) -> Options:
        chosen = self.cleaned_data
        return Options(name=chosen["name"], description=chosen["description"], has_memory=chosen["has_memory"])


class MoveForm(ActForm):
    """Where machines go."""

    template = "vms/acting/_move.html"
    node = forms.ChoiceField()
    may_restart = forms.BooleanField(required=False)
    takes_disks = forms.BooleanField(required=False)

    def offer(self, guests: Sequence[Guest], by: Actor) -> None:
        """The other nodes that are online."""
        here = {guest.node for guest in guests}
        self.fields["node"].choices = _named(name for name in _nodes(guests) if here != {name})  # type: ignore[attr-defined]

    def options(self) -> Options:
        """A machine that runs is moved as it runs."""
        return Options(move=Move(**{name: self.cleaned_data[name] for name in ("node", "may_restart", "takes_disks")}))


class CopyForm(ActForm):
    """A copy of a machine or a template. Where nothing is chosen it is as with its source."""

    template = "vms/acting/_copy.html"
    name = forms.CharField(
        max_length=63, validators=[RegexValidator(DNS, "Letters, digits and hyphens, and no hyphen at either end.")]
    )
    description = forms.CharField(max_length=1000, required=False)
    environment = forms.ChoiceField(required=False)
    node = forms.ChoiceField(required=False)
    storage = forms.ChoiceField(required=False)
    is_linked = forms.BooleanField(required=False)

    def offer(self, guests: Sequence[Guest], by: Actor) -> None:
        """Environments, nodes and storages that there are."""
        places = Environment.objects.visible_to(by).values_list("slug", "name")
        storages = ClusterStorage.objects.filter(cluster__in=[guest.cluster_id for guest in guests], is_active=True)
        names = storages.order_by("name").values_list("name", flat=True).distinct()
        for name, found in (("environment", places), ("node", _named(_nodes(guests))), ("storage", _named(names))):
            self.fields[name].choices = [("", "As with its source"), *found]  # type: ignore[attr-defined]

    def options(self) -> Options:
        """A linked copy needs a template, and says so where it is none."""
        chosen = {name: self.cleaned_data[name] for name in ("node", "storage", "environment", "description")}
        name, is_full = dns_name(self.cleaned_data["name"]), not self.cleaned_data["is_linked"]
        return Options(copy=Copy(name=name, is_full=is_full, **chosen))


class ChangeForm(ActForm):
    """How large a machine is, and what is said of it. Only what differs from what was shown is changed, so that nobody takes
    back what somebody else changes meanwhile."""

    template = "vms/acting/_change.html"
    moved = {
        "configuration.cpu_cores": "cores",
        "configuration.memory_mb": "memory",
        "configuration.storage_gb": "disk",
    }

    cores = forms.IntegerField(min_value=1, max_value=MOST_CORES, show_hidden_initial=True)
    memory = forms.IntegerField(min_value=16, max_value=MOST_MEMORY, label="Memory in MiB", show_hidden_initial=True)
    disk = forms.IntegerField(
        min_value=1, max_value=MOST_DISK, label="First disk in GiB", required=False, show_hidden_initial=True,
        help_text="Grows at once, and never shrinks; the system within has to take it up.",
    )  # fmt: skip
    tags = forms.CharField(
        max_length=1000, required=False, show_hidden_initial=True,
        help_text="With commas between them. What is left out goes, but for ALMA's own.",
    )  # fmt: skip
    description = forms.CharField(
        max_length=2000, required=False, show_hidden_initial=True, widget=forms.Textarea(attrs={"rows": 4})
    )

    def offer(self, guests: Sequence[Guest], by: Actor) -> None:
        """As the machine was last read; what takes effect at its next start says so."""
        self.guest = guest = guests[0]
        details = getattr(guest, "details", None)
        self.initial = {
            "cores": guest.cores, "memory": guest.memory_bytes // MIB, "disk": round(guest.disk_bytes / GIB) or None,
            "tags": ", ".join(tag for tag in parse_tags(guest.tags) if tag != OWN_TAG),
            "description": details.description if details else "",
        }  # fmt: skip
        if guest.status == "running" and guest.kind == "vm":
            for name in ("cores", "memory"):
                self.fields[name].help_text = "It runs: this takes effect at its next start."

    def clean_tags(self) -> list[str]:
        """Those that Proxmox takes."""
        found = words(self.cleaned_data["tags"])
        if any(not TAG.fullmatch(tag) for tag in found) or len(found) > MOST_TAGS:
            raise forms.ValidationError(
                f"At most {MOST_TAGS}, each of letters, digits, dots, hyphens, underscores and plus signs."
            )
        return list(found)

    def clean(self) -> None:
        """Something has to be otherwise."""
        if not self.errors and not self._wish().params():
            raise forms.ValidationError("Nothing is otherwise than it is now.")

    def options(self) -> Options:
        return Options(change=self._wish())

    def notes(self) -> list[str]:
        """What waits for the next start of the machine."""
        waiting = {"cpu_cores": "cores", "memory_mb": "memory"}
        found = [waiting[name] for name in self._wish().waits_for_restart(self.guest)]
        return (
            [f"Its {' and '.join(found)} will be so from its next start on: restart it when that suits."]
            if found
            else []
        )

    def _wish(self) -> Change:
        given = {name: self.cleaned_data[name] for name in self.changed_data}
        return Change(
            cores=given.get("cores"), memory_mib=given.get("memory"), disk_gib=given.get("disk"), tags=given.get("tags"),
            description=given.get("description"),
        )  # fmt: skip


def _nodes(guests: Sequence[Guest]) -> list[str]:
    """Nodes of their clusters that are online."""
    found = ClusterNode.objects.filter(cluster__in={guest.cluster_id for guest in guests}, is_online=True)
    return list(found.order_by("name").values_list("name", flat=True).distinct())


def _named(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


FORMS: dict[str, type[ActForm]] = {
    "start": ActForm, "stop": StopForm, "restart": StopForm, "snapshot": SnapshotForm, "delete": DeleteForm,
    "move": MoveForm, "clone": CopyForm, "change": ChangeForm,
}  # fmt: skip
