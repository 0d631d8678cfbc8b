"""What can be done with Infrastructure Pull Requests and deployments."""

from iprs.services.deploying import (
    cancel_deployment,
    deploy,
    deploy_blueprint,
    dry_run,
    force_cancel_deployment,
    retry_deployment,
)
from iprs.services.drifting import answer_drift
from iprs.services.drifting import obstacle as drift_obstacle
from iprs.services.opening import open_ipr, reopen, replan, uses_of_blueprint, wait_for_plan, withdraw
from iprs.services.reviewing import comment, review, settle, settle_outrun
from iprs.services.rolling import roll_back, rollback_body, undo_body

__all__ = [
    "answer_drift",
    "cancel_deployment",
    "comment",
    "deploy",
    "deploy_blueprint",
    "drift_obstacle",
    "dry_run",
    "force_cancel_deployment",
    "open_ipr",
    "reopen",
    "replan",
    "retry_deployment",
    "review",
    "roll_back",
    "rollback_body",
    "settle",
    "settle_outrun",
    "undo_body",
    "uses_of_blueprint",
    "wait_for_plan",
    "withdraw",
]
