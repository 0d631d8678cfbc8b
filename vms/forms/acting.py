"""How something is done to machines, and the word by which what cannot be undone is confirmed."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from vms.operations import power, snapshots
from vms.operations.power import Stop
from vms.operations.verbs import Options

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


class ActForm(forms.Form):
    """The base: nothing to choose. `expected` is what must be typed; empty where nothing must."""

    template = ""

    def __init__(self, data: Any = None, *, expected: str = "") -> None:
        super().__init__(data)
        self.expected = expected
        if expected:
            self.fields["confirm"] = forms.CharField(max_length=128)

    def clean_confirm(self) -> str:
        """Only the very word."""
        typed = str(self.cleaned_data["confirm"]).strip()
        if typed != self.expected:
            raise forms.ValidationError(f"Type {self.expected} to confirm.")
        return typed

    def options(self) -> Options:
        """What was chosen."""
        return Options()


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


FORMS: dict[str, type[ActForm]] = {
    "start": ActForm, "stop": StopForm, "restart": StopForm, "snapshot": SnapshotForm, "delete": DeleteForm,
}  # fmt: skip
