"""Making a backup, and bringing a machine back from one."""

from typing import Any

from django import forms

from vms.backups.restoring import Copy
from vms.backups.services import COMPRESSIONS, Wish
from vms.backups.targets import targets
from vms.models import Backup, Guest

_SHORT = 500


class TakeForm(forms.Form):
    """Where a backup goes and how it is kept; without a storage the best one is found."""

    storage = forms.ChoiceField(required=False, help_text="Those that its node reaches, as they were last read.")
    compression = forms.ChoiceField(
        choices=[(name, name) for name in reversed(COMPRESSIONS)], initial="zstd",
        help_text="A Proxmox Backup Server compresses by itself.",
    )  # fmt: skip
    is_encrypted = forms.BooleanField(
        required=False, label="Encrypted", help_text="Only on a Proxmox Backup Server with a key."
    )
    description = forms.CharField(max_length=_SHORT, required=False)

    def __init__(self, *args: Any, guest: Guest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [one.storage for one in targets(guest.cluster, guest.node)]
        self.fields["storage"].choices = [("", "The one with most room"), *((name, name) for name in names)]  # type: ignore[attr-defined]

    def wish(self) -> Wish:
        """The same in terms of the domain."""
        given = self.cleaned_data
        return Wish(
            storage=given["storage"], compression=given["compression"], is_encrypted=given["is_encrypted"],
            description=given["description"],
        )  # fmt: skip


class RestoreForm(forms.Form):
    """As a new machine, or in the place of the old one, whose name has to be typed."""

    how = forms.ChoiceField(choices=[("new", "new"), ("place", "place")], initial="new", required=False)
    name = forms.RegexField(
        r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$", required=False, label="Name of the new machine",
        help_text="Letters, digits and hyphens; without one it is called after the old one.",
    )  # fmt: skip
    is_started = forms.BooleanField(
        required=False, label="Start it", help_text="It has the addresses within that the old one had."
    )
    confirm = forms.CharField(max_length=128, required=False)

    def __init__(self, *args: Any, backup: Backup, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = backup.guest.name if backup.guest and not backup.guest.missing_since else ""

    @property
    def is_in_place(self) -> bool:
        """Whether the machine itself is to be put back."""
        return self.cleaned_data.get("how") == "place"

    def clean_confirm(self) -> str:
        """Only whoever typed the name overwrites."""
        given = str(self.cleaned_data["confirm"]).strip()
        if self.data.get("how") == "place" and given != self.expected:
            raise forms.ValidationError(f"Type {self.expected} to say that what it has now may be lost.")
        return given

    def copy_of(self) -> Copy:
        """The new machine in terms of the domain."""
        return Copy(name=self.cleaned_data["name"], is_started=self.cleaned_data["is_started"])
