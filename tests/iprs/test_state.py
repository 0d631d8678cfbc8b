"""The state tables, whole: every pair of statuses, and a literal set of those that are allowed."""

from itertools import product

import pytest

from alma.errors import WrongState
from alma.events.models import Event
from iprs.models import IPR, Deployment, Plan
from tests.factories.iprs import make_deployment
from tests.factories.iprs import make_ipr as make_run_ipr
from tests.iprs.builders import make_ipr

pytestmark = pytest.mark.django_db

ALLOWED = {
    ("draft", "pending"), ("draft", "cancelled"),
    ("pending", "approved"), ("pending", "changes_requested"), ("pending", "rejected"), ("pending", "cancelled"),
    ("changes_requested", "pending"), ("changes_requested", "cancelled"),
    ("approved", "pending"), ("approved", "changes_requested"), ("approved", "rejected"),
    ("approved", "deploying"), ("approved", "cancelled"),
    ("rejected", "draft"), ("rejected", "pending"),
    ("deploying", "deployed"), ("deploying", "failed"),
    ("deployed", "rolled_back"),
    ("failed", "deploying"), ("failed", "pending"), ("failed", "rolled_back"),
    ("cancelled", "draft"), ("cancelled", "pending"),
}  # fmt: skip


@pytest.mark.parametrize(("was", "to"), list(product(IPR.Status.values, repeat=2)))
def test_ipr_move_follows_the_table(was: str, to: str) -> None:
    ipr = make_ipr()
    IPR.objects.filter(pk=ipr.pk).update(status=was)
    ipr.refresh_from_db()
    if (was, to) in ALLOWED:
        ipr.move(IPR.Status(to), by="ana")
        assert IPR.objects.get(pk=ipr.pk).status == to
        last = Event.objects.of(ipr.stream).last()
        assert last is not None
        assert (last.kind, last.actor, last.data["was"]) == (f"ipr.{to}", "ana", was)
    else:
        with pytest.raises(WrongState):
            ipr.move(IPR.Status(to), by="ana")
        assert IPR.objects.get(pk=ipr.pk).status == was


DEPLOYMENT_ALLOWED = {
    ("queued", "in_progress"), ("queued", "cancelling"), ("queued", "cancelled"), ("queued", "failed"),
    ("in_progress", "completed"), ("in_progress", "failed"), ("in_progress", "cancelling"),
    ("cancelling", "cancelled"), ("cancelling", "completed"), ("cancelling", "failed"),
    ("failed", "queued"), ("failed", "rolling_back"), ("cancelled", "queued"), ("cancelled", "rolling_back"),
    ("rolling_back", "rolled_back"), ("rolling_back", "rollback_failed"), ("rollback_failed", "rolling_back"),
}  # fmt: skip


def test_deployment_move_follows_the_table() -> None:
    run = make_deployment(make_run_ipr())
    for was, to in product(Deployment.Status.values, repeat=2):
        Deployment.objects.filter(pk=run.pk).update(status=was)
        run.refresh_from_db()
        if (was, to) in DEPLOYMENT_ALLOWED:
            run.move(Deployment.Status(to))
            assert Deployment.objects.get(pk=run.pk).status == to
        else:
            with pytest.raises(WrongState):
                run.move(Deployment.Status(to))
            assert Deployment.objects.get(pk=run.pk).status == was


def test_ipr_move_from_a_status_that_is_not_true_any_more_is_refused() -> None:
    ipr = make_ipr()
    mine = IPR.objects.get(pk=ipr.pk)
    IPR.objects.get(pk=ipr.pk).move(IPR.Status.CANCELLED, by="ana")
    with pytest.raises(WrongState, match="reload"):
        mine.move(IPR.Status.APPROVED, by="bo")


def test_every_state_has_an_exit_but_the_terminal_ones() -> None:
    dead_ends = {status for status, exits in IPR.MOVES.items() if not exits}
    assert dead_ends == {IPR.Status.ROLLED_BACK}
    assert {status for status, exits in Deployment.MOVES.items() if not exits} == {
        Deployment.Status.COMPLETED,
        Deployment.Status.ROLLED_BACK,
    }


def test_a_computed_plan_is_never_computed_again() -> None:
    plan = make_ipr().current_plan
    assert plan is not None
    plan.move(Plan.Status.READY)
    with pytest.raises(WrongState):
        plan.move(Plan.Status.REFUSED)
