"""Figures for Prometheus: proposals and deployments by status."""

from django.db.models import Count

from alma.monitoring.figures import Figure, Labels, filled
from iprs.models import IPR, Deployment


def proposals() -> list[Figure]:
    """All of them, of every organization."""
    iprs = IPR.objects.order_by().values_list("status").annotate(Count("pk"))
    runs = Deployment.objects.order_by().values_list("status", "is_dry_run").annotate(Count("pk"))
    deployments: dict[Labels, float] = {(status, _yes(dry)): number for status, dry, number in runs}
    known = [(status, dry) for status in Deployment.Status.values for dry in ("false", "true")]
    return [
        Figure(
            "alma_iprs", "Infrastructure Pull Requests by status.",
            filled([(status,) for status in IPR.Status.values], {(status,): number for status, number in iprs}),
            ("status",),
        ),
        Figure("alma_deployments", "Deployments by status.", filled(known, deployments), ("status", "dry_run")),
    ]  # fmt: skip


def _yes(value: bool) -> str:
    return "true" if value else "false"
