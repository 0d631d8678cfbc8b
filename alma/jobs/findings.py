"""What must always hold, as checks over the stored state; each app writes its own, ALMA_INVARIANTS names them.

The same checks judge a running installation (`manage.py doctor`) and the tests that kill it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import islice

from django.conf import settings
from django.utils.module_loading import import_string

MOST = 100
"""Findings of one check that are told; more of a kind say nothing new."""


class Severity(StrEnum):
    """How bad it is."""

    BREACH = "breach"
    """Something that must never be."""
    DRIFT = "drift"
    """The world was changed by somebody else."""
    UNKNOWN = "unknown"
    """It cannot be said: somebody did not answer."""


@dataclass(frozen=True)
class Finding:
    """One thing that does not hold: a stable code, what it is about, and a sentence for the operator."""

    severity: Severity
    code: str
    subject: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """For programs."""
        return {name: str(value) for name, value in asdict(self).items()}


def breach(code: str, subject: object, message: str) -> Finding:
    """Something that must never be."""
    return Finding(Severity.BREACH, code, str(subject), message)


def breaches(code: str, subjects: Iterable[object], message: str) -> Iterator[Finding]:
    """The same breach of several subjects."""
    return (breach(code, subject, message) for subject in subjects)


def check_invariants() -> list[Finding]:
    """All findings of all checks; reads only."""
    found: list[Finding] = []
    for name in settings.ALMA_INVARIANTS:
        check: Callable[[], Iterator[Finding]] = import_string(name)
        found.extend(islice(check(), MOST))
    return found
