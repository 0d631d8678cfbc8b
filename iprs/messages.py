"""Events of deployments as alma-api.txt words them: both documented vocabularies in one message."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Data = Mapping[str, Any]


def _status(status: str, event: str) -> Callable[[Data], dict[str, Any]]:
    return lambda data: {"type": "status_change", "event": event, "status": status, **data}


def _step(data: Data) -> dict[str, Any]:
    return {
        "type": "progress", "event": "StepChanged", "percentage": data["percentage"], "step": data["title"],
        "step_number": data["step"], "kind": data["kind"], "resource": data["key"], "state": data["state"],
    }  # fmt: skip


def _resource(data: Data) -> dict[str, Any]:
    return {
        "type": "progress", "event": "ResourceProvisioned", "percentage": data["percentage"], "step": "provisioning",
        "resource": data["key"], "evidence": data.get("evidence", {}),
    }  # fmt: skip


def _log(data: Data) -> dict[str, Any]:
    return {
        "type": "log", "event": "LogLine", "message": data["message"], "level": data["level"],
        "step_number": data.get("step"), "resource": data.get("key"),
    }  # fmt: skip


def _error(data: Data) -> dict[str, Any]:
    return {
        "type": "error", "event": "StepFailed", "message": data["message"], "code": data["code"],
        "step_number": data.get("step"), "resource": data.get("key"),
    }  # fmt: skip


def _failed(data: Data) -> dict[str, Any]:
    return {
        "type": "error", "event": "DeploymentFailed", "status": "failed",
        "message": data.get("message", "The deployment failed."), "code": data.get("code", "DEPLOYMENT_FAILED"),
        "leftovers": data.get("leftovers", []), "duration_seconds": data.get("duration_seconds", 0),
    }  # fmt: skip


def _undone(data: Data) -> dict[str, Any]:
    return {
        "type": "progress", "event": "ResourceRolledBack", "percentage": data["percentage"], "step": "rolling back",
        "resource": data["key"], "evidence": data.get("evidence", {}),
    }  # fmt: skip


def _rollback_failed(data: Data) -> dict[str, Any]:
    return {
        "type": "error", "event": "DeploymentRollbackFailed", "status": "rollback_failed",
        "message": data.get("message", "The rollback stopped."), "code": data.get("code", "ROLLBACK_FAILED"),
        "leftovers": data.get("leftovers", []), "duration_seconds": data.get("duration_seconds", 0),
    }  # fmt: skip


def _completed(data: Data) -> dict[str, Any]:
    return {
        "type": "complete", "event": "DeploymentCompleted", "status": "completed",
        "duration_seconds": data["duration_seconds"], "resources_created": data["resources_created"],
    }  # fmt: skip


_WORDS: Mapping[str, Callable[[Data], dict[str, Any]]] = {
    "deployment.queued": _status("queued", "DeploymentQueued"),
    "deployment.started": _status("in_progress", "DeploymentStarted"),
    "deployment.retried": _status("in_progress", "DeploymentStarted"),
    "deployment.cancelling": _status("cancelling", "DeploymentCancelling"),
    "deployment.cancelled": _status("cancelled", "DeploymentCancelled"),
    "deployment.step": _step,
    "deployment.resource": _resource,
    "deployment.log": _log,
    "deployment.error": _error,
    "deployment.failed": _failed,
    "deployment.completed": _completed,
    "deployment.rollback_queued": _status("rolling_back", "DeploymentRollbackQueued"),
    "deployment.rolling_back": _status("rolling_back", "DeploymentRollingBack"),
    "deployment.undone": _undone,
    "deployment.rolled_back": _status("rolled_back", "DeploymentRolledBack"),
    "deployment.rollback_failed": _rollback_failed,
}


def message(stream: str, seq: int, kind: str, data: Data, at: datetime) -> dict[str, Any] | None:
    """The message for an event of a `deployment:<id>` stream, or None for a kind that the document does not know."""
    words = _WORDS.get(kind)
    if words is None:
        return None
    _, _, public_id = stream.partition(":")
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**words(data), "deployment_id": public_id, "seq": seq, "timestamp": stamp}
