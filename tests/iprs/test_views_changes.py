"""The changes of a plan, item by item."""

import pytest
from django.test import Client

from tests.factories.accounts import make_user
from tests.factories.iprs import GIB, item, make_ipr, make_plan

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reader(client: Client) -> None:
    client.force_login(make_user("viewer"))


def test_changes_put_what_destroys_first(client: Client) -> None:
    ipr = make_ipr(plan=False)
    make_plan(
        ipr, item("new"), item("kept", "noop", changes=[], steps=[]), item("grown", "update"), item("gone", "delete")
    )
    groups = client.get(f"/iprs/{ipr.pk}/changes/").context["groups"]
    assert [group.action for group in groups] == ["delete", "update", "create", "noop"]
    assert groups[0].items[0].is_open
    assert groups[0].items[0].loss == (
        "gone (VMID 5001 on pve1) is deleted. Its disk of 40\N{NO-BREAK SPACE}GiB is erased and cannot be brought back."
    )


def test_all_disks_that_are_lost_are_named(client: Client) -> None:
    ipr = make_ipr(plan=False)
    rows = [
        {"field": name, "before": 5 * GIB, "after": None, "cause": "not in the blueprint"}
        for name in ("disk", "disk mp0")
    ]
    make_plan(ipr, item("gone", "delete", changes=rows))
    (shown,) = client.get(f"/iprs/{ipr.pk}/changes/").context["groups"][0].items
    assert "Its disks of 5\N{NO-BREAK SPACE}GiB and 5\N{NO-BREAK SPACE}GiB are erased" in shown.loss


def test_changes_show_values_and_causes(client: Client) -> None:
    ipr = make_ipr(plan=False)
    unexplained = {"field": "cores", "before": 2, "after": 4, "cause": ""}
    make_plan(ipr, item("db", "update", changes=[*item("db", "update")["changes"], unexplained]))
    text = client.get(f"/iprs/{ipr.pk}/changes/").content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "<del>4 GiB</del>" in text
    assert "<ins>8 GiB</ins>" in text
    assert "specs.memory" in text
    assert "is-unexplained" in text


def test_changes_draw_dependencies(client: Client) -> None:
    ipr = make_ipr(plan=False)
    make_plan(ipr, item("db"), item("web", depends_on=["db"]), item("alone"))
    graph = client.get(f"/iprs/{ipr.pk}/changes/").context["graph"]
    places = {node.name: node.x for node in graph.nodes}
    assert places.keys() == {"db", "web"}
    assert places["db"] < places["web"]
    assert [(line.needed, line.needs) for line in graph.lines] == [("db", "web")]
