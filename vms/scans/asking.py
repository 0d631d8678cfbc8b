"""Asking a cluster for facts: what it refuses to tell, or does not tell clearly, is Missing and says why."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from alma.jobs.kinds import StepFailed, Unknown
from vms.proxmox.answers import Refusal, Verdict, mapping, rows
from vms.proxmox.client import Api
from vms.scans.facts import Missing

T = TypeVar("T")
MUTE = "its guest agent does not answer"
SILENT = "the cluster gave no clear answer"
_LATEST = 32_503_680_000


class Questions:
    """Reads of one turn. Silence is asked again in a later turn (Unknown), until the last one takes it for an answer."""

    def __init__(self, api: Api, *, is_last: bool) -> None:
        self.api = api
        self.is_last = is_last

    def ask(self, read: Callable[[Any], T], *path: str | int, is_optional: bool = False, **query: Any) -> T | Missing:
        """What `read` makes of an answer. What is optional is asked once. Raises Unknown."""
        try:
            return read(self.api.get(*path, **query))
        except Refusal as error:
            return Missing(_why(error))
        except StepFailed as error:
            return Missing(error.message)
        except Unknown:
            if self.is_last or is_optional:
                return Missing(SILENT)
            raise

    def rows(self, *path: str | int, **query: Any) -> list[dict[str, Any]] | Missing:
        """A list of objects. Raises Unknown."""
        return self.ask(lambda data: rows(data, "answer"), *path, **query)

    def mapping(self, *path: str | int, **query: Any) -> dict[str, Any] | Missing:
        """An object. Raises Unknown."""
        return self.ask(lambda data: mapping(data, "answer"), *path, **query)


def _why(error: Refusal) -> str:
    if error.status == 403:
        return f"ALMA's token may not read this: {error.text}"[:300]
    if error.verdict == Verdict.MUTE:
        return MUTE
    return "it is no longer there" if error.verdict == Verdict.ABSENT else f"Proxmox VE says: {error.text}"[:300]


def moment(seconds: Any) -> datetime:
    """A time that Proxmox gives in seconds since the epoch. Raises Unknown."""
    try:
        return datetime.fromtimestamp(min(max(0.0, float(seconds)), _LATEST), UTC)
    except (TypeError, ValueError) as error:
        raise Unknown("A time was expected.") from error


def pack(fact: Any) -> Any:
    """A fact as the journal keeps it."""
    return {"missing": fact.why} if isinstance(fact, Missing) else fact


def unpack(kept: Any) -> Any:
    """The fact again."""
    return Missing(kept["missing"]) if isinstance(kept, dict) and set(kept) == {"missing"} else kept
