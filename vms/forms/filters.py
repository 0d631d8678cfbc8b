"""What lists show, from the query string."""

from django import forms

from vms.models import GuestKind
from vms.pages.listing import SORTS

STATUSES = [(name, name) for name in ("running", "stopped", "paused", "missing", "unknown")]
KINDS = [*GuestKind.choices, ("template", "Template")]
ORIGINS = [("declared", "Made by ALMA"), ("foreign", "Created outside ALMA")]


class FilterForm(forms.Form):
    """What the list shows, from the query string. What makes no sense there is left out."""

    q = forms.CharField(max_length=200, required=False)
    status = forms.ChoiceField(choices=STATUSES, required=False)
    kind = forms.ChoiceField(choices=KINDS, required=False)
    origin = forms.ChoiceField(choices=ORIGINS, required=False)
    cluster = forms.SlugField(max_length=50, required=False)
    sort = forms.ChoiceField(choices=[(name, name) for name in SORTS], required=False)
    order = forms.ChoiceField(choices=[("asc", "asc"), ("desc", "desc")], required=False)

    def values(self) -> dict[str, str]:
        """The values that make sense, the others empty."""
        self.is_valid()
        return {name: str(self.cleaned_data.get(name) or "") for name in self.fields}
