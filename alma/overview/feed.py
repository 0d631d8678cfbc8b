"""Events in words: who did what to what, when, and where that is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.events.models import Event
from iprs.telling import FEED, IPR_EVENTS, RUN_KINDS, Line, run_words

Data = Mapping[str, Any]
Place = tuple[str, str]
"""What something is called, and the address of its page; none where it has no page."""
_TONES = {"success": "ok", "warning": "warn", "error": "bad"}


@dataclass(frozen=True)
class Entry:
    """One line: who did what to what."""

    key: str
    at: datetime
    who: str
    line: Line
    target: str = ""
    url: str = ""

    @property
    def day(self) -> str:
        """Under which heading it stands."""
        day, today = timezone.localdate(self.at), timezone.localdate()
        if day == today:
            return "Today"
        return "Yesterday" if day == today - timedelta(days=1) else f"{day:%A}, {day.day} {day:%B %Y}"


def _guest(words: str, icon: str, tone: str) -> Callable[[Data], Line]:
    return lambda data: Line(icon, tone, words)


def _always(icon: str, words: str) -> Callable[[Data], Line]:
    return lambda data: Line(icon, "neutral", words)


def _status(data: Data) -> Line:
    status = str(data.get("status", ""))
    words = {"running": "saw a guest start:", "stopped": "saw a guest stop:"}
    return Line(
        "play" if status == "running" else "stop", "neutral", words.get(status, f"saw a guest become {status}:")
    )


def _instance(data: Data) -> Line:
    """The reason is the first line of it; the page of the instance has its log."""
    status, reason = str(data.get("status", "")), str(data.get("reason", ""))
    tone = {"running": "ok", "failed": "bad", "restarting": "warn", "unhealthy": "warn"}.get(status, "neutral")
    icon = {"running": "play", "stopped": "stop"}.get(status, "alert" if tone != "neutral" else "refresh")
    return Line(icon, tone, f"saw an instance become {status}{f' ({reason})' if reason else ''}:")


def _drifted(data: Data) -> Line:
    words = {"gone": "no longer finds its guest", "unmarked": "no longer finds its mark on the guest"}
    fields = ", ".join(str(change.get("field", "")) for change in data.get("changes", ()))
    return Line("alert", "warn", words.get(str(data.get("drift")), f"sees that somebody changed ({fields})"))


def _unreachable(data: Data) -> Line:
    return Line("alert", "bad", f"cannot read the cluster: {data.get('reason', '')}".rstrip(": "))


def _node(data: Data) -> Line:
    name, is_online = data.get("node", ""), data.get("is_online")
    return Line("cluster", "ok" if is_online else "bad", f"sees {name} {'online' if is_online else 'offline'} in")


def _scanned(data: Data) -> Line:
    """The score, and the findings that one would ask about first."""
    score, found = data.get("score"), data.get("findings", {})
    worst = f"{found.get('critical', 0)} critical and {found.get('high', 0)} high findings"
    said = "nothing could be assessed" if score is None else f"score {score} %, {worst}"
    return Line("shield", "ok" if score == 100 else "neutral", f"scanned {data.get('guests', 0)} guests ({said}):")


def _read(data: Data) -> Line:
    nouns = {
        "vm.created": "new", "vm.deleted": "gone", "vm.status_changed": "changed", "vm.drifted": "drifted",
        "vm.drift_settled": "as they were left again", "vm.orphan_found": "in quarantine", "vm.stray_found": "of others",
    }  # fmt: skip
    said = ", ".join(f"{number} guests {nouns.get(kind, kind)}" for kind, number in data.get("counts", {}).items())
    return Line("cluster", "neutral", f"read the cluster ({said}):" if said else "read the cluster")


WORDS: Mapping[str, Callable[[Data], Line]] = {
    **FEED,
    "project.created": _always("blueprint", "created the project"),
    "project.updated": _always("blueprint", "changed the project"),
    "project.deleted": _always("trash", "deleted the project"),
    "project.blueprint_added": _always("blueprint", "added a blueprint to the project"),
    "project.blueprint_removed": _always("blueprint", "took a blueprint out of the project"),
    "agent.created": _always("sparkle", "created the agent"),
    "agent.updated": _always("sparkle", "changed the agent"),
    "agent.deleted": _always("trash", "deleted the agent"),
    "session.opened": _always("chat", "began a session with"),
    "blueprint.created": lambda data: Line("blueprint", "neutral", "saved the new blueprint"),
    "blueprint.updated": lambda data: Line("blueprint", "neutral", f"saved revision {data.get('revision', '')} of"),
    "blueprint.deleted": lambda data: Line("trash", "neutral", "deleted the blueprint"),
    "vm.created": _guest("found a new guest:", "vm", "neutral"),
    "vm.deleted": _guest("no longer finds the guest", "vm", "warn"),
    "vm.status_changed": _status,
    "vm.moved": _guest("sees on another node the guest", "cluster", "neutral"),
    "vm.console_opened": _guest("asked for a console of", "terminal", "neutral"),
    "vm.drifted": _drifted,
    "vm.drift_settled": lambda data: Line("ring-check", "ok", f"no longer sees drift ({data.get('why', '')}):"),
    "vm.orphan_found": _guest("put into quarantine the guest that nobody stands for:", "alert", "warn"),
    "vm.orphan_kept": _guest("will not remove the orphan", "shield", "neutral"),
    "vm.orphan_removing": _guest("removes the orphan", "trash", "warn"),
    "vm.orphan_removed": _guest("removed the orphan", "trash", "ok"),
    "vm.stray_found": _guest("found in its range a guest that it did not make:", "alert", "neutral"),
    "vm.stray_left": _guest("has nothing to do with this guest any more:", "ring-check", "neutral"),
    "instance.created": _always("sparkle", "made the instance"),
    "instance.updated": _always("pencil", "changed the instance"),
    "instance.deleted": _always("trash", "deleted the instance"),
    "instance.start_asked": _always("play", "asked for a start of"),
    "instance.let_go": _always("stop", "lets go of"),
    "instance.stop_asked": _always("stop", "asked for an end of"),
    "instance.restart_asked": _always("refresh", "asked for a restart of"),
    "instance.status_changed": _instance,
    "cluster.drifted": _read,
    "cluster.unreachable": _unreachable,
    "cluster.reachable": lambda data: Line("cluster", "ok", "can read the cluster again"),
    "cluster.read": _read,
    "cluster.registered": _always("cluster", "registered the cluster"),
    "cluster.changed": _always("cluster", "changed the settings of the cluster"),
    "cluster.enabled": _always("cluster", "switched on the cluster"),
    "cluster.disabled": _always("cluster", "switched off the cluster"),
    "cluster.tls_unverified": lambda data: Line("alert", "bad", "turned off the verification of the certificate of"),
    "cluster.node_changed": _node,
    "queue.frozen": lambda data: Line(
        "alert", "bad", f"hears of no worker any more ({data.get('waiting_jobs', 0)} jobs wait):"
    ),
    "queue.moving": _always("ring-check", "hears of workers again:"),
    "doctor.alarmed": lambda data: Line(
        "alert", "bad", f"found what must not be ({', '.join(data.get('codes', ()))}):"
    ),
    "sandbox.fault_added": lambda data: Line(
        "bolt", "warn", f"let go wrong ({data.get('fault', {}).get('kind', '')}) on"
    ),
    "sandbox.healed": lambda data: Line("ring-check", "ok", "healed the sandbox"),
    "sandbox.speed_set": lambda data: Line(
        "clock", "neutral", f"let time run {data.get('speed', '')} times as fast on"
    ),
    "sandbox.reset": lambda data: Line("refresh", "warn", "began anew the sandbox"),
    "security.scan_completed": _scanned,
    "security.scan_failed": lambda data: Line("shield", "bad", f"could not end the scan ({data.get('message', '')})"),
    "security.scan_cancelled": _always("shield", "cancelled the scan"),
    "webhook.disabled": lambda data: Line("alert", "bad", "turned off the webhook, which kept failing:"),
    "webhook.created": _always("bolt", "added the webhook"),
    "webhook.changed": _always("bolt", "changed the webhook"),
    "webhook.secret_replaced": _always("key", "replaced the secret of the webhook"),
    "webhook.turned_off": _always("pause", "turned off the webhook"),
    "webhook.turned_on": _always("play", "turned on the webhook"),
    "webhook.deleted": _always("trash", "deleted the webhook"),
    "key.created": _always("key", "made the key"),
    "key.limits_changed": _always("key", "set what models may be asked with the key"),
    "key.revoked": _always("ring-slash", "revoked the key"),
    "member.added": lambda data: Line("user", "neutral", f"added as {data.get('role', 'member')}:"),
    "member.invited": _always("link", "made a new link for"),
    "member.role_changed": lambda data: Line(
        "user", "neutral", f"made {data.get('now', '')} of the {data.get('was', '')}"
    ),
    "member.removed": _always("user", "removed the member"),
    "policy.environment_changed": _always("shield", "changed the rule of"),
    "policy.organization_renamed": _always("pencil", "renamed the organization to"),
}
KINDS = frozenset({*WORDS, *IPR_EVENTS, *RUN_KINDS})
"""What can be asked for by name; the feed without a filter tells of WORDS alone."""


def entry_of(event: Event, actor: Actor) -> Entry:
    """An event in words, with a link where the actor may follow it."""
    area = event.kind.partition(".")[0]
    target, url = _PLACES.get(area, _anything)(event)
    if not actor.has(_NEEDED.get(area, "deployment:read")):
        url = ""
    return Entry(f"event-{event.pk}", event.at, event.actor or "ALMA", _line(event), target.strip(), url)


def _line(event: Event) -> Line:
    if event.kind in WORDS:
        return WORDS[event.kind](event.data)
    if event.kind in RUN_KINDS:
        level, words = run_words(event.kind, event.data)
        return Line("deploy", _TONES.get(level, "neutral"), f"{words} –")
    return Line("info", "neutral", event.kind.replace(".", " ").replace("_", " "))


# -- what it is about -----------------------------------------------------------------------------
def _ipr(event: Event) -> Place:
    data = event.data
    return f"#{data['ipr']} {data.get('title', '')}", reverse("iprs:detail", args=[data["ipr"]])


def _blueprint(event: Event) -> Place:
    name = str(event.data.get("name", ""))
    is_gone = event.kind == "blueprint.deleted"
    return name, "" if is_gone else reverse("blueprints:detail", args=[event.data["blueprint_id"]])


def _run(event: Event) -> Place:
    public_id = event.stream.name.partition(":")[2]
    return public_id, reverse("iprs:deployment", args=[public_id])


def _project(event: Event) -> Place:
    public_id = event.stream.name.partition(":")[2] if event.kind != "project.deleted" else ""
    return str(event.data.get("name", "")), _activity_of(projectId=public_id)


def _agent(event: Event) -> Place:
    """A session is with an agent, or with the planner, which is none."""
    return str(event.data.get("name", "")), _activity_of(agentId=str(event.data.get("agent", "")))


def _instance_place(event: Event) -> Place:
    name = str(event.data.get("name", ""))
    return name, "" if event.kind == "instance.deleted" else _activity_of(kind="instance", search=name)


def _activity_of(**wanted: str) -> str:
    """What has no page of its own is found by all that happened to it."""
    return f"{reverse('overview:mission-control')}?{urlencode(wanted)}" if all(wanted.values()) else ""


def _vm(event: Event) -> Place:
    """Its page; of one that is gone, or was told of before machines had an id, what a search finds."""
    name, number = str(event.data.get("name", "")), str(event.data.get("id", "")).removeprefix("vm-")
    has_page = number.isdecimal() and event.kind != "vm.deleted"
    vmid = event.data.get("vmid", "")
    found = f"{reverse('vms:list')}?{urlencode({'q': f'id:{vmid}'})}"
    return f"{name} ({vmid})", reverse("vms:guest", args=[int(number)]) if has_page else found


def _cluster(event: Event) -> Place:
    return str(event.data.get("cluster", "")), reverse("vms:list")


def _key(event: Event) -> Place:
    return str(event.data.get("name", "")), reverse("accounts:keys")


def _member(event: Event) -> Place:
    return str(event.data.get("member", "")), reverse("accounts:members")


def _policy(event: Event) -> Place:
    now = event.data.get("now")
    return str(event.data.get("environment") or now or ""), reverse("accounts:organization")


def _webhook(event: Event) -> Place:
    is_gone = event.kind == "webhook.deleted"
    pk = event.stream.name.partition(":")[2]
    return str(event.data.get("webhook", "")), "" if is_gone else reverse("webhooks:detail", args=[pk])


def _scan(event: Event) -> Place:
    public_id = str(event.data.get("id") or event.stream.name)
    number = public_id.removeprefix("scan-")
    return public_id, reverse("vms:scan", args=[int(number)]) if number.isdecimal() else reverse("vms:scans")


def _queue(event: Event) -> Place:
    return "this installation", f"{reverse('jobs:pages')}?{urlencode({'state': 'active'})}"


def _doctor(event: Event) -> Place:
    return "this installation", reverse("monitoring:doctor")


def _anything(event: Event) -> Place:
    data = event.data
    return str(data.get("name") or data.get("title") or data.get("key") or event.stream.name), ""


_PLACES: Mapping[str, Callable[[Event], Place]] = {
    "ipr": _ipr, "blueprint": _blueprint, "deployment": _run, "project": _project, "vm": _vm, "cluster": _cluster, "sandbox": _cluster,
    "key": _key, "member": _member, "policy": _policy, "webhook": _webhook,
    "agent": _agent, "session": _agent, "instance": _instance_place, "security": _scan, "queue": _queue, "doctor": _doctor,
}  # fmt: skip
_NEEDED = {
    "webhook": "admin:write", "instance": "instance:read", "member": "admin:read", "key": "key:read", "policy": "policy:read",
    "security": "security:read", "queue": "job:read", "doctor": "admin:read",
}  # fmt: skip
"""The right that the page of a thing asks for, where it is another than the feed's own."""
