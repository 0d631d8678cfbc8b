"""The past of one machine as its page shows it, or why it cannot be shown."""

from dataclasses import dataclass
from functools import cached_property

from alma.errors import Unavailable
from vms.inventory import BEING_MADE
from vms.metrics import PERIODS, Series, series_of
from vms.models import Guest
from vms.pages.charts import PERIOD_WORDS, Drawing, draw

USUAL = "1h"


@dataclass(frozen=True)
class Read:
    """Figures, or the reason why there are none."""

    series: Series | None
    problem: str = ""


class Figures:
    """The figures of a period; the cluster is asked when the template does, and has a short deadline."""

    periods = PERIOD_WORDS

    def __init__(self, guest: Guest, period: str) -> None:
        self.guest = guest
        self.period = period if period in PERIODS else USUAL

    @cached_property
    def _read(self) -> Read:
        if self.guest.status == BEING_MADE:
            return Read(None)  # its cluster has nothing by that number yet
        try:
            return Read(series_of(self.guest, self.period))
        except Unavailable as error:
            return Read(None, error.message)

    @property
    def series(self) -> Series | None:
        """What is known, with its age."""
        return self._read.series

    @property
    def problem(self) -> str:
        """Why nothing is known; empty where something is."""
        return self._read.problem

    @cached_property
    def drawing(self) -> Drawing | None:
        """The pictures; None where nothing was measured in the period."""
        series = self.series
        is_measured = series and any(value is not None for _, told in series.moments for value in told.values())
        return draw(series, self.period) if series and is_measured else None
