"""What people do to machines on pages, one at a time or many: what it is called, what keeps a machine from it, and how it
begins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alma.accounts.actors import Actor
from alma.jobs.models import Job
from vms.models import Guest
from vms.operations import changing, cloning, moving, power, removal, snapshots
from vms.operations.changing import Change
from vms.operations.cloning import Copy
from vms.operations.moving import Move
from vms.operations.power import Stop

MOST = 100
"""Machines that one form acts on."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How it shall be done; each verb takes what concerns it."""

    how: Stop = Stop()
    name: str = ""
    description: str = ""
    has_memory: bool = False
    move: Move = Move(node="")
    copy: Copy = Copy(name="")
    change: Change = Change()


@dataclass(frozen=True)
class Verb:
    """Something that is done. `told` is what will happen, for people who are about to ask for it. What `is_for_one` is done to
    one machine at a time, and `takes_templates` says whether to a template as well."""

    name: str
    label: str
    icon: str
    told: str
    begin: Callable[[Guest, Options, Actor], Job]
    obstacle: Callable[[Guest], str] = lambda guest: ""
    """Why a machine as it stands has no need of it; empty where it has."""
    is_destructive: bool = False
    needs_options: bool = True
    is_for_one: bool = False
    takes_templates: bool = False


def _start(guest: Guest, options: Options, by: Actor) -> Job:
    return power.start(guest, by=by)


def _stop(guest: Guest, options: Options, by: Actor) -> Job:
    return power.stop(guest, options.how, by=by)


def _restart(guest: Guest, options: Options, by: Actor) -> Job:
    return power.restart(guest, options.how, by=by)


def _snapshot(guest: Guest, options: Options, by: Actor) -> Job:
    has_memory = options.has_memory and guest.kind == "vm" and guest.status == "running"
    _, job = snapshots.take(guest, options.name, description=options.description, has_memory=has_memory, by=by)
    return job


def _move(guest: Guest, options: Options, by: Actor) -> Job:
    return moving.migrate(guest, options.move, by=by)


def _clone(guest: Guest, options: Options, by: Actor) -> Job:
    return cloning.clone(guest, options.copy, by=by)[1]


def _change(guest: Guest, options: Options, by: Actor) -> Job:
    return changing.change(guest, options.change, by=by)


def _delete(guest: Guest, options: Options, by: Actor) -> Job:
    return removal.delete(guest, is_forced=not options.how.is_graceful, keeps_backups=True, by=by)


def _runs(guest: Guest) -> str:
    return "It runs already." if guest.status == "running" else ""


def _stands(guest: Guest) -> str:
    return "It is stopped already." if guest.status == "stopped" else ""


def _is_off(guest: Guest) -> str:
    return "It is stopped; start it instead." if guest.status == "stopped" else ""


VERBS: Mapping[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("start", "Start", "play", "is started", _start, _runs, needs_options=False),
        Verb("stop", "Stop", "stop", "is stopped", _stop, _stands),
        Verb("restart", "Restart", "refresh", "is stopped and started again", _restart, _is_off),
        Verb("move", "Move", "arrow-right", "goes to another node", _move),
        Verb("clone", "Copy", "copy", "is copied; the copy is stopped", _clone, is_for_one=True, takes_templates=True),
        Verb("change", "Change", "pencil", "is changed", _change, is_for_one=True),
        Verb("snapshot", "Take snapshot", "disk", "gets a snapshot", _snapshot),
        Verb(
            "delete",
            "Delete",
            "trash",
            "is stopped and deleted, with its disks and snapshots; its backups stay",
            _delete,
            is_destructive=True,
        ),
    )
}
FOR_MANY: Mapping[str, Verb] = {name: verb for name, verb in VERBS.items() if not verb.is_for_one}
