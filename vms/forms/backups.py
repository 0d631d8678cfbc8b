"""What the list of backups shows, from the query string."""

from django import forms

STATES = [
    ("running", "Running"), ("completed", "Completed"), ("verified", "Verified"), ("expired", "Expired"),
    ("failed", "Failed"), ("cancelled", "Cancelled"),
]  # fmt: skip
VERIFIED = [("yes", "Verified by a restore"), ("no", "Not verified")]


class BackupFilter(forms.Form):
    """What makes no sense is left out."""

    q = forms.CharField(max_length=200, required=False)
    status = forms.ChoiceField(choices=STATES, required=False)
    verified = forms.ChoiceField(choices=VERIFIED, required=False)
    cluster = forms.SlugField(max_length=50, required=False)

    def values(self) -> dict[str, str]:
        """The values that make sense, the others empty."""
        self.is_valid()
        return {name: str(self.cleaned_data.get(name) or "") for name in self.fields}


ORIGINS = [("declared", "Made by ALMA"), ("foreign", "Created outside ALMA")]
AGES = [("none", "No backup at all"), ("old", "An old one")]


class GapFilter(BackupFilter):
    """What the list of machines without a good backup shows."""

    status = None  # type: ignore[assignment]
    verified = None  # type: ignore[assignment]
    origin = forms.ChoiceField(choices=ORIGINS, required=False)
    age = forms.ChoiceField(choices=AGES, required=False)
