"""Doing the same thing at the same time, each with a database connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

R = TypeVar("R")
PATIENCE = 60


def together(count: int, function: Callable[[int], R]) -> list[R]:
    """Call `function` with 0 … count - 1, all at once; what each returned, in that order. Raises what any raised."""
    barrier = threading.Barrier(count)

    def run(number: int) -> R:
        barrier.wait(PATIENCE)
        try:
            return function(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count), timeout=PATIENCE))


def elsewhere(function: Callable[[], R]) -> R:
    """Call it in another thread, over another connection."""
    return together(1, lambda _: function())[0]
