"""What a process knows of one stream: how far it has come, and its latest rows for those who keep up."""

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from alma.api.renderers import dumps
from alma.events.reading import EventRow, Head

if TYPE_CHECKING:
    from alma.events.subscribers import Subscriber

Frame = dict[str, Any]
KEPT_ROWS = 1_000
KEPT_SECONDS = 60.0


def text_frame(content: bytes | str) -> Frame:
    """The ASGI message that carries a text; the same object goes to every socket."""
    return {"type": "websocket.send", "text": content if isinstance(content, str) else content.decode()}


def prefix_of(name: str) -> str:
    """`ipr:` of `ipr:12`; nothing when the name has no prefix."""
    word, colon, _ = name.partition(":")
    return word + colon if colon else ""


class Feed:
    """One stream, shared by all its listeners in this process."""

    def __init__(self, name: str, head: Head | None = None) -> None:
        self.name = name
        self.prefix = prefix_of(name)
        self.head = head
        self.followers: set[Subscriber] = set()
        self._recent: deque[EventRow] = deque(maxlen=KEPT_ROWS)
        self._nudge: tuple[int, Frame] = (0, {})
        self._moved_at = 0.0

    @property
    def seq(self) -> int:
        """The last event that was told here."""
        return self.head.seq if self.head else 0

    def advance(self, head: Head, rows: list[EventRow] | None) -> None:
        """Move on to a new head. Rows that do not join up with those kept take their place."""
        joins = rows and self._recent and rows[0].seq == self._recent[-1].seq + 1
        if not joins:
            self._recent.clear()
        self._recent.extend(rows or ())
        self.head = head
        self._moved_at = time.monotonic()

    def recent_after(self, seq: int) -> list[EventRow] | None:
        """The rows after a seq, or None when they are no longer all kept."""
        if not self._recent or self._recent[0].seq > seq + 1 or self._recent[-1].seq != self.seq:
            return None
        skip = seq + 1 - self._recent[0].seq
        return [self._recent[index] for index in range(skip, len(self._recent))]

    def nudge(self) -> Frame:
        """The frame that says only that the stream has changed."""
        if self._nudge[0] != self.seq:
            content = dumps({"type": "changed", "what": self.name, "seq": self.seq})
            self._nudge = (self.seq, text_frame(content))
        return self._nudge[1]

    def cool_down(self) -> bool:
        """Drop the kept rows of a stream that has been still for a minute; who needs them reads the log."""
        is_still = time.monotonic() - self._moved_at > KEPT_SECONDS
        if is_still:
            self._recent.clear()
        return is_still
