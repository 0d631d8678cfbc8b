"""What the router reads of instances: of a machine that is away it says so, and sends nobody there."""

import pytest
from django.utils import timezone

from alma.errors import Unavailable
from instances.models import LOST_AFTER, Instance, Limit, Node
from instances.router import board, line
from tests.factories.accounts import make_organization
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db
RUNS = {"wanted": Instance.Wish.RUNNING, "status": Instance.Status.RUNNING, "wanted_run": 1, "run": 1}


@pytest.mark.parametrize("values", [RUNS, {}], ids=["runs", "rests"])
def test_machine_that_is_away_is_named(values: dict[str, object]) -> None:
    Node.objects.create(name="gpu1", address="10.0.0.7", seen_at=timezone.now() - LOST_AFTER * 2)
    make_instance("far", node="gpu1", **values)
    _, (target,), _ = board._read({})
    assert (target.serves, target.may_serve) == (False, False)
    assert target.shown_status == ("unknown" if values else "stopped")
    with pytest.raises(Unavailable, match="The machine gpu1 of far is away") as caught:
        line._worth_waiting([target])
    assert caught.value.code == "INSTANCE_NOT_RUNNING"


def test_room_is_that_of_the_limits() -> None:
    home = make_organization()
    Limit.objects.create(organization=home, group="", most=1)
    make_instance("runs", organization=home, **RUNS)
    make_instance("rests", organization=home)
    _, targets, _ = board._read({})
    assert {one.name: one.has_room for one in targets} == {"runs": True, "rests": False}
