"""How each state of the contract looks: a tone, an icon of its own shape, and the word itself."""

from typing import NamedTuple


class Look(NamedTuple):
    """Tone is the colour, icon the shape; the word is the value."""

    tone: str
    icon: str


UNKNOWN = Look("neutral", "question")

# What a word means wherever it appears.
ANYWHERE: dict[str, Look] = {
    # proposals
    "draft": Look("neutral", "ring-dashed"),
    "planning": Look("run", "spinner"),
    "pending": Look("neutral", "ring"),
    "changes_requested": Look("warn", "ring-minus"),
    "approved": Look("ok", "ring-check"),
    "rejected": Look("bad", "disc-x"),
    "deploying": Look("run", "spinner"),
    "deployed": Look("ok", "disc-up"),
    "rolled_back": Look("neutral", "undo"),
    "stale": Look("warn", "clock"),
    "blocked": Look("warn", "lock"),
    "conflicted": Look("bad", "alert"),
    "superseded": Look("neutral", "ring-slash"),
    # reviews
    "approve": Look("ok", "ring-check"),
    "request_changes": Look("warn", "ring-minus"),
    "reject": Look("bad", "disc-x"),
    "comment": Look("neutral", "chat"),
    "submitted": Look("ok", "ring-check"),
    "dismissed": Look("neutral", "ring-slash"),
    "withdrawn": Look("neutral", "undo"),
    # deployments, jobs and steps
    "queued": Look("neutral", "hourglass"),
    "waiting": Look("neutral", "hourglass"),
    "waiting_lock": Look("warn", "lock"),
    "waiting_approval": Look("warn", "ring-dot"),
    "executing": Look("run", "spinner"),
    "in_progress": Look("run", "spinner"),
    "running": Look("run", "spinner"),
    "completed": Look("ok", "disc-check"),
    "succeeded": Look("ok", "disc-check"),
    "succeeded_with_warnings": Look("warn", "alert"),
    "failed": Look("bad", "octagon-x"),
    "skipped": Look("neutral", "ring-slash"),
    "cancelling": Look("warn", "spinner"),
    "cancelled": Look("neutral", "ring-slash"),
    "rolling_back": Look("warn", "spinner"),
    "rollback_failed": Look("bad", "octagon-x"),
    "compensating": Look("warn", "spinner"),
    "compensated": Look("neutral", "undo"),
    "compensation_failed": Look("bad", "octagon-x"),
    # machines and model servers
    "creating": Look("run", "spinner"),
    "starting": Look("run", "spinner"),
    "stopping": Look("run", "spinner"),
    "restarting": Look("run", "spinner"),
    "snapshotting": Look("run", "spinner"),
    "restoring": Look("run", "spinner"),
    "backing_up": Look("run", "spinner"),
    "migrating": Look("run", "spinner"),
    "resizing": Look("run", "spinner"),
    "deleting": Look("warn", "spinner"),
    "changing": Look("run", "spinner"),
    "unfinished": Look("warn", "alert"),
    "inactive": Look("neutral", "ring-slash"),
    "verifying": Look("run", "spinner"),
    "stopped": Look("neutral", "square"),
    "paused": Look("warn", "ring-pause"),
    "ready": Look("ok", "disc-check"),
    "loading": Look("run", "spinner"),
    "error": Look("bad", "octagon-x"),
    "unknown": UNKNOWN,
    "unreachable": Look("bad", "alert"),
    "reachable": Look("ok", "disc-check"),
    "connected": Look("ok", "disc-check"),
    # checks
    "passed": Look("ok", "ring-check"),
    "warned": Look("warn", "alert"),
    "overridden": Look("warn", "ring-half"),
    # backups, keys, deliveries, conversations
    "verified": Look("ok", "disc-check"),
    "available": Look("ok", "ring-check"),
    "active": Look("ok", "ring-check"),
    "expiring": Look("warn", "hourglass"),
    "expired": Look("neutral", "hourglass"),
    "revoked": Look("neutral", "ring-slash"),
    "delivered": Look("ok", "disc-check"),
    "retrying": Look("warn", "refresh"),
    "dead": Look("bad", "octagon-x"),
    "open": Look("run", "ring-dot"),
    "archived": Look("neutral", "ring-slash"),
    "healthy": Look("ok", "disc-check"),
    "degraded": Look("warn", "alert"),
    "unhealthy": Look("bad", "octagon-x"),
}

# Where the same word means another thing.
BY_KIND: dict[str, dict[str, Look]] = {
    "ipr": {"pending": Look("warn", "ring-dot")},
    "vm": {"running": Look("ok", "disc-check")},
    "drift": {
        "changed": Look("warn", "alert"),
        "gone": Look("bad", "octagon-x"),
        "unmarked": Look("warn", "ring-slash"),
    },
    "stray": {
        "reported": Look("neutral", "info"),
        "quarantined": Look("warn", "hourglass"),
        "removing": Look("warn", "spinner"),
        "kept": Look("neutral", "lock"),
    },
    "severity": {
        "critical": Look("bad", "octagon-x"),
        "high": Look("bad", "alert"),
        "medium": Look("warn", "ring-minus"),
        "low": Look("neutral", "ring-dot"),
        "info": Look("run", "info"),
    },
    "instance": {"running": Look("ok", "disc-check")},
}

# Plan symbols: what is shown, and what is said to somebody who does not see it.
SYMBOLS: dict[str, tuple[str, str]] = {
    "create": ("+", "create"),
    "update": ("~", "update in place"),
    "restart": ("↻", "update, restart needed"),
    "replace": ("-/+", "replace"),
    "delete": ("−", "delete"),
    "noop": ("=", "no change"),
    "unexplained": ("?", "unexplained"),
}
SYMBOL_ALIASES = {
    "+": "create", "add": "create", "~": "update", "change": "update", "modify": "update", "↻": "restart",
    "reboot": "restart", "-/+": "replace", "recreate": "replace", "-": "delete", "−": "delete", "destroy": "delete",
    "remove": "delete", "=": "noop", "no-op": "noop", "no_op": "noop", "none": "noop", "?": "unexplained",
}  # fmt: skip


def look_of(value: str, kind: str = "") -> Look:
    """The look of a state, in its machine where that matters."""
    return BY_KIND.get(kind, {}).get(value) or ANYWHERE.get(value, UNKNOWN)


_SAID = {"waiting_approval": "Waiting for approval"}


def words_of(value: str) -> str:
    """The value as people read it: `changes_requested` is «Changes requested»."""
    if value in _SAID:
        return _SAID[value]
    text = value.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]
