"""How many requests of a prompt set the planner meets: `python -m tests.blueprints.score [FILE ...] [--show]`."""

import argparse
import os
import time
from collections import defaultdict
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alma.settings")

from tests.blueprints.scoring import failures, read_requests

OWN = Path(__file__).parent / "data" / "requests.jsonl"


def main() -> None:
    """A line per tag, worst first; `--show` lists what failed."""
    django.setup()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=[OWN])
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    cases = [case for file in options.files for case in read_requests(file)]
    held: dict[str, list[bool]] = defaultdict(list)
    times = []
    for case in cases:
        started = time.perf_counter()
        found = failures(case)
        times.append((time.perf_counter() - started) * 1000)
        for tag in {*case["tags"], f"lang {case['lang']}", "all"}:
            held[tag].append(not found)
        if found and options.show:
            print(f"{case['id']}  {case['description']!r}\n    " + "\n    ".join(found))  # noqa: T201
    for tag, results in sorted(held.items(), key=lambda item: (sum(item[1]) / len(item[1]), item[0])):
        print(f"{tag:16} {sum(results):4} of {len(results):4}  {sum(results) / len(results):6.1%}")  # noqa: T201
    times.sort()
    print(f"p50 {times[len(times) // 2]:.1f} ms, p95 {times[int(len(times) * 0.95)]:.1f} ms")  # noqa: T201


if __name__ == "__main__":
    main()
