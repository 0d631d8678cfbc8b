"""How quick the offline planner is: `python -m tests.bench.planner` prints a table."""

import os
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alma.settings")

from blueprints.generation import generate
from tests.blueprints.test_generation_requests import CASES

ROUNDS = 5


def main() -> None:
    """Time every request of the tests that is answered with a blueprint, warm."""
    django.setup()
    cases = [case for case in CASES if not {"refuse", "clarify"} & case["expect"].keys()]
    generate("warm up 3 servers")
    times = sorted(_milliseconds(case) for _ in range(ROUNDS) for case in cases)
    print(f"planner, {len(cases)} prompts x {ROUNDS}")  # noqa: T201 - a table for people
    for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)):
        print(f"  {name}  {times[min(len(times) - 1, int(len(times) * share))]:6.1f} ms")  # noqa: T201


def _milliseconds(case: dict) -> float:  # type: ignore[type-arg]
    started = time.perf_counter()
    generate(case["description"], case["constraints"])
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
