"""Whether an instance would fit now, said before it is started."""

from dataclasses import dataclass

from alma.accounts.actors import Actor
from alma.errors import DomainError
from instances.library import fitting
from instances.models import Instance

_TONES = {fitting.FITS: "ok", fitting.EVICTS: "warn", fitting.TIGHT: "warn", fitting.NO: "bad"}


@dataclass(frozen=True)
class Said:
    """A sentence and how grave it is."""

    tone: str
    words: str


def said_of(instance: Instance, *, by: Actor) -> Said:
    """What a start would claim of its machine; why that is not known where it is not."""
    try:
        found = fitting.fit_of(instance, by=by)
    except DomainError as error:
        return Said("bad", error.message)
    return Said(_TONES[found.verdict], found.words)
