"""Will it fit: what a start would claim, against what is free, and what would have to go for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import DomainError, Invalid
from instances import machine
from instances.backends.kinds import backend_of
from instances.library.choosing import chosen
from instances.library.claiming import Claim, claim_of
from instances.library.devices import Device
from instances.library.scanning import Found
from instances.models import Instance
from instances.remote import library

MIB = 1024**2
FITS, EVICTS, TIGHT, NO = "fits", "evicts", "tight", "no"


@dataclass(frozen=True)
class Fit:
    """The answer. `evicts` names the instances that make room, the one unused for longest first; `words` is a sentence."""

    verdict: str
    claim: Claim
    memory: machine.Memory
    devices: tuple[Device, ...]
    evicts: tuple[str, ...]
    words: str

    @property
    def is_hopeless(self) -> bool:
        """Whether it surely does not fit, whatever is stopped."""
        return self.verdict == NO


@dataclass(frozen=True)
class Room:
    """What there is for models now, read once for as many questions as there are."""

    memory: machine.Memory
    devices: tuple[Device, ...]
    idle: tuple[Instance, ...]

    @classmethod
    def now(cls, *, by: Actor, node: str = "", but: int | None = None) -> "Room":
        """On a machine, this one without a name. `but` is the key of an instance that is not counted: the one that is about to
        be started itself. Raises Unavailable."""
        memory, cards = library.room(node)
        return cls(memory, cards, tuple(_idle(by, node or settings.ALMA_NODE, but)))

    def fit(self, model: Found, options: Mapping[str, Any], backend: str = "llama_cpp") -> Fit:
        """Whether a model would fit."""
        claim = claim_of(model, options, backend)
        spare = sum(card.free for card in self.devices)
        needed = claim.total - (min(_offloaded(claim, model, options), spare) if self.devices else 0)
        verdict, evicts = _judge(needed, self.memory, self.idle)
        return Fit(verdict, claim, self.memory, self.devices, evicts, _words(verdict, needed, self.memory, evicts))


def fit(model: Found, options: Mapping[str, Any], *, by: Actor, backend: str = "llama_cpp", node: str = "") -> Fit:
    """Whether a model would fit on a machine now. Raises Unavailable."""
    return Room.now(by=by, node=node).fit(model, options, backend)


def fit_of(instance: Instance, *, by: Actor) -> Fit:
    """Whether an instance would fit where it runs. Raises Invalid, also for a file that is no model, and Unavailable."""
    backend = backend_of(instance.backend)
    model = chosen(instance.model, backend, by=by, node=instance.node)
    if model.problem:
        raise Invalid(model.problem, code="INVALID_MODEL")
    room = Room.now(by=by, node=instance.node, but=instance.pk)
    return room.fit(model, instance.options, backend.kind)


def _judge(needed: int, memory: machine.Memory, idle: Sequence[Instance]) -> tuple[str, tuple[str, ...]]:
    if needed <= memory.free:
        return FITS, ()
    gone: list[str] = []
    free = memory.free
    for instance in idle:
        gone.append(instance.name)
        free += instance.memory_bytes or 0
        if needed <= free:
            return EVICTS, tuple(gone)
    return (TIGHT if needed <= memory.total else NO), ()


def _idle(by: Actor, node: str, but: int | None) -> list[Instance]:
    """The actor's instances there that may be stopped for another, the one unused for longest first."""
    rows = Instance.objects.visible_to(by).filter(node=node, status__in=Instance.SERVING, is_pinned=False)
    kept = [row for row in rows.exclude(pk=but or 0) if row.kept_until is None or row.kept_until <= timezone.now()]
    return sorted(kept, key=lambda row: row.last_used_at or row.started_at or row.created_at)


def _offloaded(claim: Claim, model: Found, options: Mapping[str, Any]) -> int:
    """The share of weights and cache that goes to graphics cards: all of it, or so many layers as are asked for."""
    asked, layers = options.get("gpu_layers"), model.facts.layers + 1
    share = min(1.0, asked / layers) if isinstance(asked, int) and asked >= 0 else 1.0
    return int((claim.weights + claim.cache) * share) + claim.working


def _words(verdict: str, needed: int, memory: machine.Memory, evicts: tuple[str, ...]) -> str:
    claims, free = shown(needed), shown(memory.free)
    return {
        FITS: f"It claims about {claims}, and {free} are free.",
        EVICTS: f"It claims about {claims}, and {free} are free; {', '.join(evicts)} would be stopped for it.",
        TIGHT: f"It claims about {claims}, and {free} of {shown(memory.total)} are free; other programs hold the rest.",
        NO: f"It claims about {claims}, and its machine has {shown(memory.total)} in all: it will not fit.",
    }[verdict]


def shown(count: int) -> str:
    """Bytes as people read them."""
    return f"{count / 1024**3:.1f} GiB" if count >= 1024**3 else f"{count / MIB:.0f} MiB"


def warnings_of(instance: Instance, *, by: Actor) -> list[str]:
    """What to tell whoever starts it: that it surely does not fit, that its file is no model, or that its machine is away."""
    try:
        found = fit_of(instance, by=by)
    except DomainError as error:
        return [error.message]
    return [found.words] if found.is_hopeless else []
