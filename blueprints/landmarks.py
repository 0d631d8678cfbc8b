"""Where in a list some of its rows stand, so that a page far into it is found from the nearest one, not from the start.

A database passes over every skipped row. Callers ask for pages by number all the same, so each process remembers at
which position it saw which id, and begins there the next time. A landmark holds while nothing before it was removed;
the number of removals is read in the same statement as the page and tells.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from threading import Lock

SPACING = 200
MOST_LISTS = 256


@dataclass
class _Known:
    removals: int
    positions: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)


class Landmarks:
    """Landmarks of many lists, each under the number of removals for which they hold."""

    def __init__(self) -> None:
        self._lists: dict[int, _Known] = {}
        self._lock = Lock()

    def nearest(self, key: int, position: int) -> tuple[int, int, int]:
        """Removals, position and id of the last landmark up to a position; zeros stand for the start of the list."""
        with self._lock:
            known = self._lists.get(key)
            index = bisect_right(known.positions, position) - 1 if known else -1
            if known is None or index < 0:
                return 0, 0, 0
            return known.removals, known.positions[index], known.ids[index]

    def learn(self, key: int, removals: int, position: int, row_id: int) -> None:
        """Remember what was seen, unless another landmark is near."""
        with self._lock:
            known = self._lists.get(key)
            if known is None or known.removals < removals:
                known = self._lists[key] = _Known(removals)
                self._forget_oldest()
            if known.removals > removals:
                return
            index = bisect_right(known.positions, position)
            if position - (known.positions[index - 1] if index else 0) >= SPACING:
                known.positions.insert(index, position)
                known.ids.insert(index, row_id)

    def forget(self) -> None:
        """Start anew."""
        with self._lock:
            self._lists.clear()

    def _forget_oldest(self) -> None:
        while len(self._lists) > MOST_LISTS:
            del self._lists[next(iter(self._lists))]
