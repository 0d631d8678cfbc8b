"""Calendar events, as schedules are written: `mon..fri 22:30`, `*/15`, `daily`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vms.sandbox.core.parameters import FormatError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMED = {
    "minutely": "*:*", "hourly": "*:00", "daily": "00:00", "weekly": "mon 00:00", "monthly": "*-*-1 00:00",
    "yearly": "*-1-1 00:00",
}  # fmt: skip
_HORIZON_DAYS = 366 * 5


@dataclass(frozen=True, slots=True)
class Event:
    weekdays: frozenset[int]
    months: frozenset[int]
    days: frozenset[int]
    hours: frozenset[int]
    minutes: frozenset[int]

    def after(self, moment: float) -> Iterator[int]:
        """The times of the event after a moment, in seconds since 1970, in UTC."""
        begin = datetime.fromtimestamp(moment, UTC)
        first = begin.replace(hour=0, minute=0, second=0, microsecond=0)
        for offset in range(_HORIZON_DAYS):
            day = first + timedelta(days=offset)
            if day.weekday() in self.weekdays and day.month in self.months and day.day in self.days:
                yield from (int(time.timestamp()) for time in self._times(day) if time > begin)

    def _times(self, day: datetime) -> Iterator[datetime]:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                yield day.replace(hour=hour, minute=minute)


def parse(text: str) -> Event:
    """Raises FormatError for what is no calendar event."""
    words = _NAMED.get(text.strip().lower(), text.strip().lower()).split()
    weekdays, date, time = "", "*-*-*", "00:00"
    for word in words:
        if re.match("[a-z]", word):
            weekdays = word
        elif "-" in word and ":" not in word:
            date = word
        else:
            time = word
    if not words:
        raise FormatError(f"invalid calendar event '{text}' - event is empty")
    hours, minutes = time.split(":")[:2] if ":" in time else ("*", time)
    months, days = date.split("-")[-2:]
    try:
        return Event(
            _weekdays(weekdays),
            _numbers(months, 1, 12),
            _numbers(days, 1, 31),
            _numbers(hours, 0, 23),
            _numbers(minutes, 0, 59),
        )
    except ValueError as error:
        raise FormatError(f"invalid calendar event '{text}' - unable to parse calendar event - {error}") from error


def check(text: str) -> None:
    parse(text)


def _weekdays(text: str) -> frozenset[int]:
    if not text:
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("..")
        begin = _DAYS.index(first[:3])
        end = _DAYS.index(last[:3]) if last else begin
        found |= {day % 7 for day in range(begin, end + 1 + (7 if end < begin else 0))}
    return frozenset(found)


def _numbers(text: str, low: int, high: int) -> frozenset[int]:
    """`*`, `5`, `1..5`, `*/15`, `8/2`, apart by commas."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("..")
        begin = low if first == "*" else int(first)
        end = int(last) if last else (high if first == "*" or step else begin)
        if not low <= begin <= end <= high:
            raise ValueError(f"value '{part}' out of range")
        found |= set(range(begin, end + 1, int(step or 1)))
    return frozenset(found)
