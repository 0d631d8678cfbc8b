"""What an answer says of itself, read from its bytes as they pass: tokens, and when the first one came."""

import re
from time import perf_counter

EDGE = 4096
"""Of an answer so many bytes at its beginning and at its end are looked at: usage stands in one of them."""
_COUNTS = re.compile(
    rb'"(prompt_tokens|input_tokens|cache_read_input_tokens|cache_creation_input_tokens|completion_tokens|output_tokens'
    rb'|prompt_n|cache_n|predicted_n)"\s*:\s*(\d{1,12})'
)
_COMPLETION = (b"completion_tokens", b"output_tokens", b"predicted_n")
_PROMPT = (
    (b"prompt_tokens",),
    (b"input_tokens", b"cache_read_input_tokens", b"cache_creation_input_tokens"),  # Anthropic counts them apart
    (b"prompt_n", b"cache_n"),
)
_EVENT = b"\n\n"
_ONLY_USAGE = re.compile(rb'"choices"\s*:\s*\[\s*\]')
LONGEST_EVENT = 1024 * 1024


class Meter:
    """Reads along. A name within a text has a backslash before its quote, so what looks like a count is one."""

    def __init__(self) -> None:
        self.began = perf_counter()
        self.first_at: float | None = None
        self.events = 0
        self._head = b""
        self._tail = b""

    def see(self, chunk: bytes, *, is_stream: bool = False) -> None:
        """A piece of the answer."""
        if self.first_at is None:
            self.first_at = perf_counter()
        if len(self._head) < EDGE:
            self._head += chunk[: EDGE - len(self._head)]
        self._tail = chunk[-EDGE:] if len(chunk) >= EDGE else (self._tail + chunk)[-EDGE:]
        if is_stream:
            self.events += chunk.count(b"data: ")

    def tokens(self) -> tuple[int, int]:
        """Of the prompt and of the completion. A stream that was cut has told no count: each event was about one token."""
        found: dict[bytes, int] = {}
        for name, number in _COUNTS.findall(self._head) + _COUNTS.findall(self._tail):
            found[name] = max(found.get(name, 0), int(number))
        told = next((found[name] for name in _COMPLETION if name in found), max(0, self.events - 1))
        return next((sum(found.get(one, 0) for one in names) for names in _PROMPT if names[0] in found), 0), told

    @property
    def first_seconds(self) -> float | None:
        """From the beginning to the first piece."""
        return None if self.first_at is None else self.first_at - self.began


class UsageFilter:
    """Takes the event out of a stream that was asked for by us and not by the client: the one that only tells usage."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """What may go on: whole events without that one."""
        whole, end, self._rest = (self._rest + chunk).rpartition(_EVENT)
        if len(self._rest) > LONGEST_EVENT:
            whole, end, self._rest = whole + end + self._rest, b"", b""
        if b'"usage"' not in whole:
            return whole + end
        kept = [event for event in whole.split(_EVENT) if not (b'"usage"' in event and _ONLY_USAGE.search(event))]
        return b"".join(event + _EVENT for event in kept)

    def end(self) -> bytes:
        """What is left."""
        return self._rest
