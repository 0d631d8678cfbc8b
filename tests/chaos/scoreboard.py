"""Everything that breaks an installation on purpose, and one table of what came of it.

    python -m tests.chaos.scoreboard [--deployments 100] [--faults 200] [--database postgres://…/an_empty_one]
        [--counts-only]

The storm is run on SQLite and, in a database that is made for it and dropped, on the PostgreSQL server that the tests use.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.chaos import world
from tests.chaos.mutants import GUARDS
from tests.fixtures.services import address_of, answers, is_ci


@dataclass(frozen=True)
class Row:
    """One figure: what is asked of it, and what was seen."""

    figure: str
    floor: str
    found: str
    is_met: bool
    is_timing: bool = False
    """Whether a busy machine alone can miss it."""


NAMED = {
    "8 processes on the same jobs": ("one holder at a time", "tests/jobs/test_holders.py"),
    "50 identical POSTs at two servers": (
        "one effect", "tests/server/test_idempotency.py::test_fifty_over_two_processes_make_one_blueprint",
    ),
    f"{len(GUARDS)} guards removed, one at a time": ("each is noticed", "tests/chaos/test_mutants.py"),
}  # fmt: skip
"""Figures that are tests: what must be, and which tests say whether it is."""


def keep(rows: list[Row], path: str) -> None:
    """For the scoreboard that started this process, if one did."""
    if path:
        Path(path).write_text(json.dumps([asdict(row) for row in rows]))


def table(rows: list[Row]) -> Iterator[str]:
    """Lines."""
    wide = [max(len(asdict(row)[name]) for row in rows) for name in ("figure", "floor", "found")]
    yield f"{'figure':{wide[0]}}  {'floor':{wide[1]}}  {'found':{wide[2]}}"
    for row in rows:
        mark = "" if row.is_met else "  NOT MET"
        yield f"{row.figure:{wide[0]}}  {row.floor:{wide[1]}}  {row.found:{wide[2]}}{mark}".rstrip()


@dataclass
class Part:
    """One of the programs, under way."""

    name: str
    process: subprocess.Popen[str]
    kept: Path
    floor: str = ""

    def rows(self) -> list[Row]:
        """When it has ended: what it counted, with its own words on standard output."""
        output, _ = self.process.communicate()
        sys.stdout.write(f"-- {self.name}\n{output}\n")
        sys.stdout.flush()
        if self.floor:
            summary = output.strip().splitlines()[-1] if output.strip() else "nothing was said"
            return [Row(self.name, self.floor, summary, self.process.returncode == 0)]
        if not self.kept.exists():
            return [Row(self.name, "to its end", f"ended with {self.process.returncode}", is_met=False)]
        return [Row(**row) for row in json.loads(self.kept.read_text())]


def begin(folder: Path, name: str, *words: str, floor: str = "") -> Part:
    """Start a program of these tests."""
    kept = folder / f"{name.split()[0]}-{secrets.token_hex(3)}.json"
    more = [] if floor else ["--keep", str(kept)]
    process = subprocess.Popen(
        [sys.executable, "-m", *words, *more],
        cwd=world.ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return Part(name, process, kept, floor)


def named(folder: Path) -> Iterator[Row]:
    """The figures that are tests, one after the other."""
    for figure, (floor, test) in NAMED.items():
        yield from begin(folder, figure, "pytest", "-q", "-p", "no:cacheprovider", test, floor=floor).rows()


@contextmanager
def empty_database(given: str) -> Iterator[str]:
    """The one that was named, or one that is made and dropped; empty when there is no server."""
    if given or not answers("postgresql"):
        yield given
        return
    name = f"chaos_{os.getpid()}"
    with psycopg.connect(address_of("postgresql"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield address_of("postgresql").rpartition("/")[0] + f"/{name}"
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def all_rows(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Every figure; what mostly waits runs beside what computes, and the two storms side by side.

    The sweep runs on PostgreSQL if it can: on SQLite whoever stands still in a transaction stops all other cases as well."""
    with empty_database("") as url:
        sweep = begin(folder, "sweep", "tests.chaos.sweep", *at(url))
        by_test = list(named(folder))
        yield from sweep.rows()
    yield from by_test
    size = ["--deployments", str(options.deployments), "--faults", str(options.faults), "--seed", str(options.seed)]
    with empty_database(options.database) as url:
        storms = [begin(folder, "storm on SQLite", "tests.chaos.storm", *size)]
        if url:
            storms.append(begin(folder, "storm on PostgreSQL", "tests.chaos.storm", *size, *at(url)))
        else:
            yield Row("storm on PostgreSQL", "to its end", "left out: no server answers", is_met=not is_ci())
        for storm in storms:
            yield from storm.rows()


def at(url: str) -> list[str]:
    """The option that names a database, if there is one."""
    return ["--database", url] if url else []


def main() -> int:
    """Run everything; 1 when a figure is below its floor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deployments", type=int, default=100)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database")
    parser.add_argument("--counts-only", action="store_true", help="figures of time are shown, and decide nothing")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="scores-") as name:
        rows = list(all_rows(Path(name), options))
    for line in table(rows):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{sum(row.is_met for row in rows)} of {len(rows)} met in {time.monotonic() - began:.0f} s\n")
    return 0 if all(row.is_met or (row.is_timing and options.counts_only) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
