"""Pages of IPRs and deployments: each loads what the actor may see, calls one service and answers."""

from iprs.views.deployments import (
    deployment_cancel,
    deployment_detail,
    deployment_list,
    deployment_retry,
    deployment_rollback,
)
from iprs.views.drift import cluster_drift, drift_answer
from iprs.views.iprs import (
    ipr_changes,
    ipr_deploy,
    ipr_detail,
    ipr_list,
    ipr_new,
    ipr_reopen,
    ipr_replan,
    ipr_review,
    ipr_withdraw,
)

__all__ = [
    "cluster_drift",
    "deployment_cancel",
    "deployment_detail",
    "deployment_list",
    "deployment_retry",
    "deployment_rollback",
    "drift_answer",
    "ipr_changes",
    "ipr_deploy",
    "ipr_detail",
    "ipr_list",
    "ipr_new",
    "ipr_reopen",
    "ipr_replan",
    "ipr_review",
    "ipr_withdraw",
]
