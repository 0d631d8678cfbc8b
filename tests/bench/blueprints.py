"""Measures the Blueprints API against stock REST framework over the same 10,000 rows, in turn in one run.

    python -m tests.bench.blueprints [--rounds 9] [--requests 200]

Prints a table with the target beside each figure; exits with 1 when one is missed.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop

from tests.bench.load import Request, Result, run
from tests.bench.servers import uvicorn

ROWS = 10_000
CONCURRENCY = 16
CREATES = 500
URL = "/api/v1/blueprints"
Figures = dict[str, list[float]]


def prepare() -> str:
    """Make the database of ALMA_DATA_DIR with its rows; returns the secret of a key."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "alma.settings"
    django.setup()
    from django.core.management import call_command

    from tests.bench.rows import fill

    call_command("migrate", verbosity=0)
    return fill(ROWS)


def listing(offset: int, name: str) -> Request:
    """A page of 100."""
    return Request.get(f"{URL}?{name}={offset}&limit=100")


def measure(port: int, requests: Sequence[Request]) -> float:
    """Requests a second, after a few that do not count; every answer must be a 200."""
    uvloop.run(run(port, requests[: 2 * CONCURRENCY], concurrency=CONCURRENCY))
    result = uvloop.run(run(port, requests, concurrency=CONCURRENCY))
    if set(result.statuses) != {200}:
        raise RuntimeError(f"answers other than 200: {set(result.statuses)}")
    return result.rate


def one_round(ours: int, stock: int, count: int, figures: Figures) -> None:
    """Ours and stock in turn, so that whatever else the machine does hits both."""
    ids = [random.randint(1, ROWS) for _ in range(count)]
    gets = [Request.get(f"{URL}/{number}") for number in ids]
    for name, port, requests in (
        ("list", ours, [listing(0, "skip")] * count),
        ("stock list", stock, [listing(0, "offset")] * (count // 4)),
        ("list at 9,900", ours, [listing(9_900, "skip")] * count),
        ("list, every page", ours, [listing(number % 100 * 100, "skip") for number in range(count)]),
        ("get", ours, gets * 2),
        ("stock get", stock, gets),
    ):
        figures.setdefault(name, []).append(measure(port, requests))


def create(port: int, key: str) -> Result:
    """500 documents, 16 at a time."""
    resource = {"name": "web-1", "type": "vm", "specs": {"cpu": 4, "memory": "8GB", "disk": "100GB"}}
    bodies = [
        json.dumps({"version": "1.0", "name": f"created-{number}", "resources": [resource]}).encode()
        for number in range(CREATES)
    ]
    requests = [Request.post(URL, body, key) for body in bodies]
    return uvloop.run(run(port, requests, concurrency=CONCURRENCY, keep_bodies=True))


def stored(port: int, result: Result) -> int:
    """How many of the created are there when asked for by the ids that were answered."""
    ids = {json.loads(body)["id"] for status, body in zip(result.statuses, result.bodies, strict=True) if status == 201}
    answers = uvloop.run(run(port, [Request.get(f"{URL}/{number}") for number in ids], concurrency=CONCURRENCY))
    return answers.statuses.count(200)


def report(figures: Figures, created: Result, kept: int) -> bool:
    """Print the table; whether every target is met."""
    median = {name: statistics.median(values) for name, values in figures.items()}
    rows: list[tuple[str, str, str, bool]] = []

    def line(name: str, value: float, text: str, target: str, met: Callable[[float], bool]) -> None:
        rows.append((name, text, target, met(value)))

    def ratio_of(name: str, other: str) -> float:
        """Rounds are compared each with itself: what disturbs a round disturbs both of its sides."""
        return statistics.median(a / b for a, b in zip(figures[name], figures[other], strict=True))

    for name, least in (("list", 4), ("get", 3)):
        ratio = ratio_of(name, f"stock {name}")
        rates = f"{median[name]:.0f} against {median[f'stock {name}']:.0f} req/s"
        line(f"{name}, c={CONCURRENCY}", ratio, f"{ratio:.1f} x ({rates})", f">= {least} x", lambda x, n=least: x >= n)
    share = ratio_of("list at 9,900", "list")
    line(
        "list at 9,900 against 0",
        share,
        f"{share:.0%} ({median['list at 9,900']:.0f} req/s)",
        ">= 80 %",
        lambda x: x >= 0.8,
    )
    line(f"{CREATES} creates kept", kept, f"{kept} ({created.rate:.0f} req/s, p95 {created.p95:.0f} ms)", f"{CREATES}",
         lambda x: x == CREATES)  # fmt: skip
    line("every page in turn", 0, f"{median['list, every page']:.0f} req/s, each read anew", "-", lambda x: True)
    for name, text, target, met in rows:
        sys.stdout.write(f"{name:28} {text:38} {target:8} {'met' if met else 'MISSED'}\n")
    return all(met for *_, met in rows)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="alma-bench-") as folder:
        os.environ["ALMA_DATA_DIR"] = folder
        key = prepare()
        data = Path(folder)
        with uvicorn("alma.asgi:application", data) as ours, uvicorn("tests.bench.stock:application", data) as stock:
            one_round(ours, stock, 80, {})
            figures: Figures = {}
            for _ in range(options.rounds):
                one_round(ours, stock, options.requests, figures)
            created = create(ours, key)
            is_met = report(figures, created, stored(ours, created))
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
