"""How far a job is, kept in memory by whoever holds its lease: nobody else changes its steps."""

import threading
from collections import Counter

from alma.jobs.models import Job, Step


class Tally:
    """The weights of a job's steps and what is open of each resource, read once and kept up with each end."""

    def __init__(self, job: Job) -> None:
        self._lock = threading.Lock()
        self._all = self._done = self._told = 0
        self._open: Counter[str] = Counter()
        for key, weight, state in job.steps.values_list("key", "weight", "state"):
            self._all += weight
            if state in Step.DONE:
                self._done += weight
            else:
                self._open[key] += 1

    def progress(self) -> int:
        """Share of the work that is done, 0 to 100, by the weight of the steps."""
        return int(100 * self._done / self._all) if self._all else 0

    def told(self, percentage: int) -> int:
        """What is to be told in the place of a share that was reached before: the highest one told so far, or this."""
        with self._lock:
            self._told = max(self._told, percentage)
            return self._told

    def done(self, step: Step) -> bool:
        """A step has ended well; whether that was the last one of its resource."""
        with self._lock:
            self._done += step.weight
            self._open[step.key] -= 1
            return bool(step.key) and not self._open[step.key]
