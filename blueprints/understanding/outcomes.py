"""What becomes of asking a model."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """What became of asking a model."""

    USED = "used"
    DOWN = "down"
    SLOW = "slow"
    GARBLED = "garbled"
    OVER_BUDGET = "over_budget"
    BUSY = "busy"
    NOT_ASKED = "not_asked"


class Failed(Exception):
    """The exchange is over, and why."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Badge:
    """What became of the asking, as people are told."""

    name: str
    status: Status
    reason: str = ""
    rounds: int = 0
    tokens: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As it stands in metadata and answers."""
        return {"name": self.name, "status": self.status.value, "reason": self.reason, "rounds": self.rounds,
                "tokens": self.tokens}  # fmt: skip
