"""Whose changes redraw the pages of machines."""

from django.conf import settings

from vms.models import Cluster


def topics(*clusters: Cluster) -> str:
    """What happens on these clusters, and jobs about machines from their beginning on."""
    kinds = sorted(f"{kind}:*" for kind in settings.ALMA_JOB_KINDS if kind.startswith("vm_"))
    return " ".join([*(cluster.stream for cluster in clusters), *kinds])
