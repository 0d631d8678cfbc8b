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
