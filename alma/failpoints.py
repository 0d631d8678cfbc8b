"""Named places at which a process may be made to die, fail or stand still, so that tests can do it exactly there.

`ALMA_FAILPOINTS=work.intended=kill` does it once, to the first process that comes by; `*=kill:0.01` at every place with a
chance of one in a hundred. Without the variable a place costs one comparison.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PAUSE = 9.0
"""Seconds that a paused process stands still: longer than the lease that tests run with."""


class Injected(Exception):
    """What a failpoint raises: a fault that nobody expects."""


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise() -> None:
    raise Injected("injected by a failpoint")


def _pause() -> None:
    time.sleep(PAUSE)


MODES: dict[str, Callable[[], None]] = {"kill": _kill, "raise": _raise, "pause": _pause}


def failpoint(name: str) -> None:
    """A place between two effects. The names are found in the code by `tests.chaos`, so that a new one is covered."""
    if settings.ALMA_FAILPOINTS:
        _hit(name)


def _hit(name: str) -> None:
    where, _, what = settings.ALMA_FAILPOINTS.partition("=")
    mode, _, chance = what.partition(":")
    if mode not in MODES:
        raise ImproperlyConfigured(
            f"ALMA_FAILPOINTS reads name=mode or *=mode:chance, not {settings.ALMA_FAILPOINTS!r}."
        )
    is_here = random.random() < float(chance or 1) if where == "*" else where == name and _is_first(name)
    if is_here:
        MODES[mode]()


def _is_first(name: str) -> bool:
    """Once per data directory: a process that is started again goes on."""
    try:
        (Path(settings.ALMA_DATA_DIR) / f"failpoint.{name}").open("x").close()
    except FileExistsError:
        return False
    return True
