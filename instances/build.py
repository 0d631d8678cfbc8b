"""Which build of ALMA this is, as far as the clone that it runs from can tell."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from django.conf import settings

SECONDS = 5.0
UNKNOWN = "not known"


@dataclass(frozen=True)
class Build:
    """The version, the commit and its time; empty and None outside of a clone."""

    version: str
    commit: str = ""
    built_at: datetime | None = None

    @property
    def built(self) -> str:
        """The time in words."""
        return f"{self.built_at:%Y-%m-%dT%H:%M:%SZ}" if self.built_at else UNKNOWN


@cache
def current() -> Build:
    """Asked of git once for each process."""
    words = ["git", "-C", str(settings.BASE_DIR), "log", "-1", "--format=%h %cI"]
    try:
        done = subprocess.run(words, capture_output=True, timeout=SECONDS, check=True, text=True)
        commit, _, at = done.stdout.strip().partition(" ")
        return Build(settings.ALMA_VERSION, commit, datetime.fromisoformat(at).astimezone(UTC))
    except (OSError, subprocess.SubprocessError, ValueError):
        return Build(settings.ALMA_VERSION)
