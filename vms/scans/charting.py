"""The score over several scans as a picture: a line from 0 to 100, drawn by the server and stretched to its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vms.models import SecurityScan

WIDTH, HEIGHT, EDGE = 720, 120, 6
LINES = (100, 50, 0)


@dataclass(frozen=True)
class Point:
    """One scan, in units of the picture."""

    x: float
    y: float
    score: int
    at: datetime | None
    url: str
    name: str


@dataclass(frozen=True)
class Chart:
    """The scans from the oldest to the latest. `words` say the same to those who do not see it."""

    points: tuple[Point, ...]
    line: str
    area: str
    levels: tuple[tuple[int, float], ...]
    words: str
    width: int = WIDTH
    height: int = HEIGHT


def _y(score: int) -> float:
    return round(EDGE + (HEIGHT - 2 * EDGE) * (100 - score) / 100, 1)


def chart(scans: Sequence[SecurityScan]) -> Chart | None:
    """Of scans with a score, oldest first; None where there are fewer than two and so no trend."""
    if len(scans) < 2:
        return None
    span = (WIDTH - 2 * EDGE) / (len(scans) - 1)
    points = tuple(
        Point(
            round(EDGE + place * span, 1),
            _y(scan.score or 0),
            scan.score or 0,
            scan.finished_at,
            scan.get_absolute_url(),
            scan.public_id,
        )
        for place, scan in enumerate(scans)
    )
    line = " ".join(f"{point.x},{point.y}" for point in points)
    area = f"{points[0].x},{_y(0)} {line} {points[-1].x},{_y(0)}"
    first, last = points[0].score, points[-1].score
    words = f"The score of {len(points)} scans, from {first} to {last} percent."
    return Chart(points, line, area, tuple((level, _y(level)) for level in LINES), words)
