"""Who could be started now, as the router and as people are told it: both say the same."""

from typing import Any

import pytest

from alma.errors import WrongState
from instances import limits
from instances.models import Instance, Limit
from tests.factories.accounts import make_organization
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db
RUNS: dict[str, Any] = {"wanted": Instance.Wish.RUNNING, "status": Instance.Status.RUNNING, "wanted_run": 1, "run": 1}
FAILED = RUNS | {"status": Instance.Status.FAILED}
CASES: dict[str, tuple[dict[str, int], list[dict[str, Any]], dict[str, Any], bool]] = {
    "nobody runs": ({"": 1}, [], {}, True),
    "as many as may": ({"": 1}, [RUNS], {}, False),
    "one less": ({"": 2}, [RUNS], {}, True),
    "one that failed takes no place": ({"": 1}, [FAILED], {}, True),
    "its group is full": ({"big": 1}, [RUNS | {"group": "big"}], {"group": "big"}, False),
    "another group is full": ({"big": 1}, [RUNS | {"group": "big"}], {"group": "small"}, True),
}


@pytest.mark.parametrize("name", CASES)
def test_room(name: str) -> None:
    own, others, values, has_room = CASES[name]
    home = make_organization()
    Limit.objects.bulk_create(Limit(organization=home, group=group, most=most) for group, most in own.items())
    rows = [make_instance(organization=home, **{"group": "", **other}) for other in others]
    resting = make_instance(organization=home, **values)
    assert (resting.pk not in limits.without_room([*rows, resting], ())) is has_room
    if has_room:
        limits.refuse_full(resting)
    else:
        with pytest.raises(WrongState):
            limits.refuse_full(resting)


def test_room_of_others_and_of_a_lost_machine(django_assert_num_queries) -> None:
    home, other = make_organization(), make_organization("else")
    for one in (home, other):
        Limit.objects.create(organization=one, group="", most=1)
    rows = [make_instance(organization=home, **RUNS), make_instance(organization=home, name="rests")]
    theirs, away = make_instance(organization=other), make_instance(organization=other, node="away", **RUNS)
    with django_assert_num_queries(1):
        assert limits.without_room([*rows, theirs, away], {"away"}) == {rows[1].pk}
    assert limits.without_room([*rows, theirs, away], ()) == {rows[1].pk, theirs.pk}
