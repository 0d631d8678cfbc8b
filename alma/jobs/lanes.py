"""Threads in which turns of several steps are taken side by side: while one waits for the world, another goes on."""

import threading
from collections.abc import Callable, Iterable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from types import TracebackType

from django.db import connections

Task = Callable[[], None]


class Lanes:
    """Begins its threads when they are first needed. Each has connections of its own, to the database and elsewhere,
    which `leave` and the end of the lanes close."""

    def __init__(self, count: int, leave: Task) -> None:
        self._count = count
        self._leave = leave
        self._threads: list[threading.Thread] = []
        self._waiting: SimpleQueue[Task | None] = SimpleQueue()
        self._ended: SimpleQueue[BaseException | None] = SimpleQueue()

    def __enter__(self) -> "Lanes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the threads end, and wait for them."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def run(self, tasks: Iterable[Task]) -> None:
        """Run all of them, and raise the first error when every one has ended."""
        self._start()
        turns = [partial(copy_context().run, task) for task in tasks]
        for turn in turns:
            self._waiting.put(turn)
        errors = [error for error in (self._ended.get() for _ in turns) if error is not None]
        if errors:
            raise errors[0]

    def _start(self) -> None:
        while len(self._threads) < self._count:
            thread = threading.Thread(target=self._work, name=f"lane {len(self._threads) + 1}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        try:
            while (task := self._waiting.get()) is not None:
                self._ended.put(_outcome(task))
        finally:
            self._leave()
            connections.close_all()


def _outcome(task: Task) -> BaseException | None:
    try:
        task()
    except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for it
        return error
    return None
