"""Forms of the pages."""

from vms.forms.clusters import ClusterForm, initial_of
from vms.forms.filters import KINDS, ORIGINS, SORTS, STATUSES, FilterForm

__all__ = ["KINDS", "ORIGINS", "SORTS", "STATUSES", "ClusterForm", "FilterForm", "initial_of"]
