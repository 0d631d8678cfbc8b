"""How a machine shall be backed up by the calendar, and what Proxmox is told of it. Pure: no network, no database."""

import re
from dataclasses import dataclass
from typing import Any

NAMED = ("hourly", "daily", "weekly", "monthly", "yearly")
_EVENT = re.compile(r"[A-Za-z0-9*/,.:\- ]{1,128}", re.ASCII)
_LETTERS = re.compile(r"[a-z]+", re.ASCII)
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WORDS = frozenset({
    *NAMED, "minutely", "annually", "quarterly", "semiannually", "semi", "utc", *_WEEK, *(day[:3] for day in _WEEK),
})  # fmt: skip
"""All that stands in letters in a calendar event of Proxmox."""
_DAYS_OF = {"weekly": 7, "monthly": 30, "yearly": 365}
HOURS_KEPT = 24
"""Of hourly backups those of the last day are all kept."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`schedule` is hourly, daily, weekly, or a calendar event of Proxmox such as `mon..fri 22:30`; without `retention_days`
    everything is kept. A plan that is not enabled takes the job away."""

    is_enabled: bool = True
    schedule: str = "daily"
    retention_days: int | None = None

    def problem(self) -> str:
        """What is wrong with the schedule, in words; Proxmox itself judges whether it is an event."""
        words = "hourly, daily, weekly, or a calendar event of Proxmox such as mon..fri 22:30"
        text = self.schedule.strip()
        is_known = _WORDS.issuperset(_LETTERS.findall(text.lower()))
        return "" if is_known and _EVENT.fullmatch(text) else words

    def keep(self) -> str:
        """The retention as Proxmox counts it: the last one always, and one of each period within the days."""
        return keeps(self.schedule, self.retention_days)

    def params(self) -> dict[str, Any]:
        """The parameters of the step."""
        return {
            "enabled": self.is_enabled, "schedule": self.schedule.strip(), "retention_days": self.retention_days,
            "keep": self.keep(),
        }  # fmt: skip


def keeps(schedule: str, days: int | None) -> str:
    """`keep-daily=30,keep-last=1` for 30 days of daily backups."""
    if days is None:
        return "keep-all=1"
    if schedule == "hourly":
        return f"keep-daily={days},keep-hourly={HOURS_KEPT},keep-last=1"
    if schedule in _DAYS_OF:
        return f"keep-last=1,keep-{schedule}={max(1, -(-days // _DAYS_OF[schedule]))}"
    return f"keep-daily={days},keep-last=1"
