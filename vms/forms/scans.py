"""Starting a scan, and which findings are shown."""

from typing import Any, cast

from django import forms

from alma.accounts.actors import Actor
from vms.models import Cluster, Guest, SecurityScan
from vms.scans.findings import Severity
from vms.scans.rules import REGISTER

VIEWS = (("", "Findings"), ("controls", "Controls"), ("unassessed", "Not assessed"), ("subjects", "Looked at"))


class ScanForm(forms.Form):
    """What is scanned, and how closely. `where` is empty for everything, else the slug of a cluster."""

    where = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(choices=SecurityScan.Kind.choices, initial=SecurityScan.Kind.VULNERABILITY)
    is_deep = forms.BooleanField(required=False, initial=True)
    has_surroundings = forms.BooleanField(required=False, initial=True)

    def __init__(self, data: Any = None, *, by: Actor) -> None:
        super().__init__(data)
        self._actor = by
        clusters = Cluster.objects.visible_to(by).enabled().values_list("slug", "name")
        where = cast("forms.ChoiceField", self.fields["where"])
        where.choices = [("", "Every guest"), *((slug, f"Guests of {name}") for slug, name in clusters)]

    def guests(self) -> list[Guest] | None:
        """The guests of the chosen cluster, None for all."""
        slug = self.cleaned_data["where"]
        if not slug:
            return None
        return list(
            Guest.objects.visible_to(self._actor).machines().filter(cluster__slug=slug).select_related("cluster")
        )


class FindingFilter(forms.Form):
    """What of a scan is shown, from the query string. What makes no sense there is left out."""

    view = forms.ChoiceField(choices=[(name, name) for name, _ in VIEWS if name], required=False)
    severity = forms.ChoiceField(choices=[(one.value, one.value) for one in Severity], required=False)
    rule = forms.ChoiceField(choices=[(name, name) for name in REGISTER], required=False)
    q = forms.CharField(max_length=100, required=False)

    def values(self) -> dict[str, str]:
        """The values that make sense, the others empty."""
        self.is_valid()
        return {name: str(self.cleaned_data.get(name) or "") for name in self.fields}
