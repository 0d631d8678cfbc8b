"""What is said of the sandbox's extent is counted, and each method is there once."""

import re
from collections import Counter
from io import StringIO

from django.core.management import call_command

from tests.source import ROOT
from vms.sandbox import coverage
from vms.sandbox.core.api import ALL_ROUTES


def test_each_method_is_there_once() -> None:
    found = Counter(
        (route.method, re.sub(r"\{.*?\}", "{}", route.pattern)) for part in ALL_ROUTES for route in part.all
    )
    assert [method for method, count in found.items() if count > 1] == []


def test_every_placeholder_is_a_parameter() -> None:
    lacking = [
        (route.pattern, name)
        for part in ALL_ROUTES
        for route in part.all
        for name in re.findall(r"\{([\w-]+)(?:\.\.\.)?\}", route.pattern)
        if name not in route.table
    ]
    assert lacking == []


def test_the_command_counts_all_areas() -> None:
    shown = StringIO()
    call_command("sandbox_methods", stdout=shown)
    rows = {row.area: row for row in coverage.shares()}
    assert rows["cluster/ha"].modelled > 20 and rows["nodes"].shaped > 20
    assert f"{rows['cluster/sdn'].area:24} {rows['cluster/sdn'].modelled:8}" in shown.getvalue()


def test_the_figures_in_the_documentation_are_true() -> None:
    found = coverage.shares()
    modelled, shaped = sum(row.modelled for row in found), sum(row.shaped for row in found)
    told = re.search(r"(\d+) are modelled, (\d+) answer an example", (ROOT / "docs" / "sandbox.md").read_text())
    assert told is not None
    # Methods that are added later need not be counted here at once; what is told may never be more than there is.
    assert int(told[1]) <= modelled and int(told[1]) + int(told[2]) <= modelled + shaped
