"""Events of IPRs and deployments in words, for timelines and the activity feed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Data = Mapping[str, Any]
Words = tuple[str, str]
_LEVELS = {"succeeded": "info", "failed": "error", "succeeded_with_warnings": "warning"}
_VERBS = {"running": "begins", "succeeded": "done", "succeeded_with_warnings": "done, with warnings"}
_ACTIONS = {"create": "+", "update": "~", "replace": "-/+", "delete": "−"}


@dataclass(frozen=True)
class Line:
    """What is shown of an event: icon, tone, and words that follow the actor's name."""

    icon: str
    tone: str
    words: str


def _planned(data: Data) -> Line:
    if data.get("status") != "ready":
        return Line("alert", "bad", "computed a plan that cannot be carried out")
    numbers = data.get("summary", {})
    counts = " ".join(f"{sign}{numbers[name]}" for name, sign in _ACTIONS.items() if numbers.get(name))
    return Line("blueprint", "neutral", f"computed plan {data.get('plan', '')}: {counts or 'no changes'}")


def _pending(data: Data) -> Line:
    reason = data.get("reason")
    if reason:
        return Line("refresh", "neutral", f"brought it back into review: {reason}")
    return Line("ring-dot", "warn", "took the approval back: something it relied on has changed")


def _revised(data: Data) -> Line:
    revision = data.get("revision")
    source = f", from revision {revision} of the blueprint" if revision else ""
    return Line("refresh", "neutral", f"asked for a new plan{source}")


def _reviewed(data: Data) -> Line:
    looks = {
        "approve": ("ring-check", "ok", "approved"),
        "reject": ("disc-x", "bad", "rejected"),
        "request_changes": ("ring-minus", "warn", "requested changes to"),
    }
    return Line(*looks.get(str(data.get("action")), ("chat", "neutral", "reviewed")))


def _deploying(data: Data) -> Line:
    return Line("deploy", "run", "took the deployment up again" if data.get("retry") else "started the deployment")


def _begun(data: Data) -> Line:
    return Line(
        "deploy", "run", "took up again the deployment of" if data.get("retry") else "started the deployment of"
    )


def _always(icon: str, tone: str, words: str) -> Callable[[Data], Line]:
    line = Line(icon, tone, words)
    return lambda data: line


IPR_EVENTS: Mapping[str, Callable[[Data], Line]] = {
    "ipr.opened": _always("review", "neutral", "opened it"),
    "ipr.planned": _planned,
    "ipr.revised": _revised,
    "ipr.reviewed": _reviewed,
    "ipr.commented": _always("chat", "neutral", "commented"),
    "ipr.pending": _pending,
    "ipr.approved": _always("ring-check", "ok", "marked it approved: nothing is missing any more"),
    "ipr.changes_requested": _always("ring-minus", "warn", "sent it back to its author"),
    "ipr.rejected": _always("disc-x", "bad", "closed it as rejected"),
    "ipr.deploying": _deploying,
    "ipr.deployed": _always("disc-up", "ok", "finished the deployment: reality is as planned"),
    "ipr.failed": _always("octagon-x", "bad", "stopped the deployment before its end"),
    "ipr.rolled_back": _always("undo", "neutral", "rolled the deployment back"),
    "ipr.cancelled": _always("undo", "neutral", "withdrew it"),
}
FEED: Mapping[str, Callable[[Data], Line]] = {
    "ipr.opened": _always("review", "neutral", "opened"),
    "ipr.reviewed": _reviewed,
    "ipr.commented": _always("chat", "neutral", "commented on"),
    "ipr.approved": _always("ring-check", "ok", "marked as approved"),
    "ipr.cancelled": _always("undo", "neutral", "withdrew"),
    "ipr.deploying": _begun,
    "ipr.deployed": _always("disc-up", "ok", "finished the deployment of"),
    "ipr.failed": _always("octagon-x", "bad", "stopped the deployment of"),
    "ipr.rolled_back": _always("undo", "neutral", "rolled back the deployment of"),
}


def ipr_line(kind: str, data: Data) -> Line:
    """An event of an IPR's own stream."""
    words = IPR_EVENTS.get(kind)
    return words(data) if words else Line("info", "neutral", kind.replace(".", " ").replace("_", " "))


def _step(data: Data) -> Words:
    state = str(data.get("state", ""))
    return _LEVELS.get(state, "debug"), f"{data.get('title')}: {_VERBS.get(state, state)}"


def _resource(data: Data) -> Words:
    evidence = data.get("evidence") or {}
    where = f": VMID {evidence['vmid']} on {evidence.get('node', '')}" if evidence.get("vmid") else ""
    return ("success" if where else "info"), f"{data.get('key')} is as planned{where}"


def _said(data: Data) -> Words:
    return str(data.get("level", "info")), f"{data.get('key')}: {data.get('message')}"


def _error(data: Data) -> Words:
    return "error", f"{data.get('message', '')} [{data.get('code', '')}]"


def _failed(data: Data) -> Words:
    return "error", f"Stopped after {data.get('duration_seconds', 0)} s [{data.get('code', 'DEPLOYMENT_FAILED')}]"


def _completed(data: Data) -> Words:
    return "success", f"Finished in {data.get('duration_seconds', 0)} s"


_RUN: Mapping[str, Callable[[Data], Words]] = {
    "step": _step,
    "resource": _resource,
    "log": _said,
    "error": _error,
    "failed": _failed,
    "completed": _completed,
    "queued": lambda data: ("info", "Queued"),
    "started": lambda data: ("info", "Started"),
    "retried": lambda data: ("info", "Taken up again"),
    "cancelling": lambda data: ("warning", "Cancel asked for"),
    "cancelled": lambda data: ("warning", "Cancelled by force" if data.get("forced") else "Cancelled"),
    "rollback_queued": lambda data: ("info", "A rollback is queued"),
    "rolling_back": lambda data: ("warning", "Rolling back"),
    "undone": lambda data: ("success", f"{data.get('key')} is undone"),
    "rolled_back": lambda data: ("success", f"Rolled back in {data.get('duration_seconds', 0)} s"),
    "rollback_failed": lambda data: ("error", f"The rollback stopped [{data.get('code', 'ROLLBACK_FAILED')}]"),
}
RUN_KINDS = tuple(f"deployment.{kind}" for kind in _RUN)


def run_words(kind: str, data: Data) -> Words:
    """An event of a run's own stream: how grave it is (debug, info, success, warning, error), and what it says."""
    what = kind.partition(".")[2]
    words = _RUN.get(what)
    return words(data) if words else ("info", what.capitalize())
