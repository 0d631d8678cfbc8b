"""What people do with instances. Nothing here starts or ends a process: it is written down what is wanted, and the
supervisor of the node brings it about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import Invalid, NotFound, Refused, WrongState
from alma.events.services import emit
from instances import folder, limits, naming, nodes
from instances.backends.kinds import backend_of
from instances.library import choosing
from instances.models import AT_ONCE, RESERVED, Instance
from instances.remote.asking import is_known
from instances.remote.programs import checker_of

WRITE = "instance:write"
Wish, Status = Instance.Wish, Instance.Status
SETTABLE = (
    "group", "is_pinned", "is_preloaded", "aliases", "is_unlisted", "request_defaults", "concurrency", "starts_on_demand",
    "idle_seconds", "restarts_itself", "max_restarts", "restart_seconds", "stop_seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """An instance to be. `port` is None for any that is free, `node` empty for this one; `settings` holds some of
    SETTABLE."""

    name: str
    model: str
    backend: str = Instance.Backend.LLAMA_CPP
    options: Mapping[str, Any] = field(default_factory=dict)
    port: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    node: str = ""


def find(name: str, *, by: Actor) -> Instance:
    """The instance of that name. Raises NotFound."""
    instance = Instance.objects.visible_to(by).filter(name=name).first() if "\0" not in name else None
    if instance is None:
        raise NotFound("There is no instance of this name.", code="INSTANCE_NOT_FOUND")
    return instance


def create(draft: Draft, *, by: Actor, starts: bool) -> Instance:
    """A new instance, to be started at once or not. Raises Invalid, WrongState, Unavailable."""
    by.require(WRITE)
    backend = backend_of(draft.backend)
    node = draft.node or settings.ALMA_NODE
    nodes.refuse_unknown(node)
    options = checker_of(backend, node).check(draft.options)
    if is_known(node):
        choosing.chosen(folder.written(draft.model), backend, by=by, node=node)
    instance = Instance(
        organization_id=_home(by), name=draft.name, backend=draft.backend, model=folder.written(draft.model),
        options=options, node=node, port=0, created_by=by.label, **draft.settings,
    )  # fmt: skip
    _check(instance)
    try:
        _insert(instance, draft.port, by=by, starts=starts)
    except IntegrityError as error:  # of another organization, which has a lock of its own
        raise WrongState("Another instance was given this port meanwhile; try again.", code="PORT_TAKEN") from error
    return instance


@transaction.atomic
def _insert(instance: Instance, port: int | None, *, by: Actor, starts: bool) -> None:
    _lock(by)
    naming.refuse_taken(instance)
    limits.refuse_beyond("exist at a time", Instance.objects.visible_to(by).count(), settings.ALMA_INSTANCES)
    instance.port = _port(port, instance.node)
    if starts:
        limits.refuse_full(instance)
        instance.wanted, instance.wanted_run = Wish.RUNNING, 1
    instance.save()
    _tell(instance, "instance.created", by)


def change(
    instance: Instance, *, by: Actor, model: str | None = None, options: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> bool:  # fmt: skip
    """Change what is given and leave the rest; an option that is null goes back to its default. Whether it has to be
    restarted for that. Raises Invalid, WrongState, Unavailable."""
    by.require(WRITE)
    was = (instance.model, dict(instance.options))
    if model is not None:
        instance.model = folder.written(model)
        if is_known(instance.node):
            choosing.chosen(model, backend_of(instance.backend), by=by, node=instance.node)
    if options is not None:
        checker = checker_of(backend_of(instance.backend), instance.node)
        cleared = checker.names(name for name, value in options.items() if value is None)
        kept = {name: value for name, value in instance.options.items() if name not in cleared}
        instance.options = kept | checker.check(options)
    for name, value in (changes or {}).items():
        setattr(instance, name, value)
    _check(instance)
    with transaction.atomic():
        _lock(by)
        naming.refuse_taken(instance)
        instance.updated_at = timezone.now()
        instance.save(update_fields=["model", "options", *SETTABLE, "updated_at"])
        _tell(instance, "instance.updated", by)
    return was != (instance.model, instance.options) and instance.status in Instance.ALIVE


def start(instance: Instance, *, by: Actor) -> Instance:
    """Have it run. One that runs, or is about to, is left alone. Raises WrongState beyond the limit."""
    by.require(WRITE)
    with transaction.atomic():
        _lock(by)
        instance = Instance.objects.select_for_update().get(pk=instance.pk)
        if instance.wanted == Wish.RUNNING and not instance.has_failed:
            return instance
        limits.refuse_full(instance)
        _want(instance, Wish.RUNNING, runs=True)
        _tell(instance, "instance.start_asked", by)
    return instance


def stop(instance: Instance, *, by: Actor, seconds: int | None = None) -> Instance:
    """Have it end: at once for 0 seconds, else when the requests under way have ended or so many have passed. Harmless
    when it does not run; asked again, the last word counts."""
    by.require(WRITE)
    with transaction.atomic():
        instance = Instance.objects.select_for_update().get(pk=instance.pk)
        if instance.wanted == Wish.RUNNING:
            _want(instance, Wish.STOPPED, within=seconds)
            _tell(instance, "instance.stop_asked", by)
        elif seconds is not None:
            instance.note(stop_by=_stop_by(seconds))
    return instance


def restart(instance: Instance, *, by: Actor) -> Instance:
    """Have it end and run anew; one that is stopped is started. Raises WrongState beyond the limit."""
    by.require(WRITE)
    with transaction.atomic():
        _lock(by)
        instance = Instance.objects.select_for_update().get(pk=instance.pk)
        if instance.wanted != Wish.RUNNING or instance.has_failed:
            limits.refuse_full(instance)
        if instance.shown_status not in {"restarting", "starting"}:
            _want(instance, Wish.RUNNING, runs=True)
            _tell(instance, "instance.restart_asked", by)
    return instance


def remove(instance: Instance, *, by: Actor, stops_first: bool) -> None:
    """Delete it; the supervisor ends its process before the row goes. Raises WrongState when it runs, nobody has asked
    for its end, and it shall not be stopped for this."""
    by.require(WRITE)
    with transaction.atomic():
        instance = Instance.objects.select_for_update().get(pk=instance.pk)
        if not stops_first and instance.wanted == Wish.RUNNING and not instance.has_failed:
            raise WrongState(
                f"{instance.name} is {instance.shown_status}; stop it before you delete it.", code="INSTANCE_RUNNING"
            )
        _want(instance, Wish.REMOVED)
        _tell(instance, "instance.deleted", by)


def start_all(*, by: Actor) -> list[Instance]:
    """Start whatever is stopped or failed, as far as the limit reaches; those that were. Raises WrongState when it reaches
    for none of them."""
    started: list[Instance] = []
    for row in startable(by):
        try:
            started.append(start(row, by=by))
        except WrongState:
            if not started:
                raise
            break
    return started


def stop_all(*, by: Actor) -> list[Instance]:
    """Stop whatever shall run; those that were."""
    by.require(WRITE)
    return [stop(row, by=by) for row in stoppable(by)]


def startable(actor: Actor) -> list[Instance]:
    """Those that are stopped or failed."""
    return [row for row in Instance.objects.visible_to(actor) if row.shown_status in {"stopped", "failed"}]


def stoppable(actor: Actor) -> list[Instance]:
    """Those that shall run."""
    return list(Instance.objects.visible_to(actor).wanted())


def _want(instance: Instance, wish: "Instance.Wish", *, runs: bool = False, within: int | None = None) -> None:
    stop_by = _stop_by(instance.stop_seconds if within is None else within)
    Instance.objects.filter(pk=instance.pk).update(
        wanted=wish, wanted_run=F("wanted_run") + int(runs), stop_by=stop_by, ends_when_quiet=False
    )
    instance.refresh_from_db()


def _stop_by(seconds: int) -> datetime:
    return timezone.now() + timedelta(seconds=seconds) if seconds else AT_ONCE


def _home(by: Actor) -> int:
    """The organization of whoever writes. Raises Refused for somebody without one."""
    if by.organization_id is None:
        raise Refused("You belong to no organization.", code="NO_ORGANIZATION")
    return by.organization_id


def _lock(by: Actor) -> None:
    """Limits are counted and names are looked at under this lock."""
    limits.locked(_home(by))


def _check(instance: Instance) -> None:
    """Raises Invalid for a name or a value that cannot be."""
    if instance.name in RESERVED:
        raise Invalid(f"The name {instance.name} is a route of the API; choose another.", code="INVALID_NAME")
    try:
        instance.clean_fields(exclude=["port", "options"])
    except ValidationError as error:
        rows = [{"field": name, "message": " ".join(words)} for name, words in error.message_dict.items()]
        code = "INVALID_NAME" if rows[0]["field"] == "name" else "VALIDATION_ERROR"
        raise Invalid(f"{rows[0]['field']}: {rows[0]['message']}", code=code, details=rows) from error


def _port(asked: int | None, node: str) -> int:
    """The port that was asked for, or the first one that no instance of this node has. Raises Invalid, WrongState."""
    first, last = settings.ALMA_INSTANCE_PORTS
    taken = set(Instance.objects.filter(node=node).values_list("port", flat=True))
    if asked is None:
        free = next((port for port in range(first, last + 1) if port not in taken), None)
        if free is None:
            raise WrongState(f"All ports from {first} to {last} are taken.", code="NO_PORT_LEFT")
        return free
    if not first <= asked <= last:
        raise Invalid(f"Instances have ports from {first} to {last}.", code="INVALID_PORT")
    if asked in taken:
        raise WrongState(f"Another instance has port {asked}.", code="PORT_TAKEN")
    return asked


def _tell(instance: Instance, kind: str, by: Actor) -> None:
    emit(instance.stream, kind, organization_id=instance.organization_id, actor=by.label, name=instance.name)
