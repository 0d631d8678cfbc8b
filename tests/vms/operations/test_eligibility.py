"""Pages say of many machines what each operation would say of one."""

from dataclasses import replace

import pytest
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import DomainError
from tests.factories.vms import make_claim, make_guest
from tests.vms.pages.conftest import Make, at_work, by, development, operator, ours, place, production
from vms.models import Cluster, Guest
from vms.operations.eligibility import footings
from vms.operations.rights import gated_by, held_claim

__all__ = ["by", "development", "operator", "ours", "place", "production"]
pytestmark = pytest.mark.django_db


def said_by_the_operation(guest: Guest, by: Actor) -> tuple[str, str]:
    try:
        held_claim(guest, by=by)
    except DomainError as error:
        return error.code, error.message
    return "", ""


def said_beforehand(guest: Guest, by: Actor) -> tuple[str, str]:
    footing = footings([guest], by=by)[guest.pk]
    return footing.refusal.code if footing.refusal else "", footing.reason


def test_both_say_the_same(place: Cluster, ours: Make, production: Environment, by: Actor) -> None:
    busy, run = ours("busy"), ours("run")
    job = at_work(busy)
    deployment = at_work(run, "deployment", exclusive_key="target:1")
    assert run.claim is not None
    run.claim.job = deployment.public_id
    run.claim.save()
    reserved = make_guest(place, vmid=make_claim(place, key="early", state="reserved").vmid)
    cases = {
        "free": ours("free"), "busy": busy, "run": run, "guarded": ours("guarded", environment=production),
        "stranger": make_guest(place), "reserved": reserved,
    }  # fmt: skip
    told = {name: said_beforehand(guest, by) for name, guest in cases.items()}
    assert told == {name: said_by_the_operation(guest, by) for name, guest in cases.items()}
    assert {name: code for name, (code, _) in told.items()} == {
        "free": "", "busy": "GUEST_BUSY", "run": "GUEST_BUSY", "guarded": "", "stranger": "GUEST_NOT_OURS",
        "reserved": "",
    }  # fmt: skip
    assert footings([busy], by=by)[busy.pk].job == job
    gates = {name: footings([guest], by=by)[guest.pk].gate for name, guest in cases.items()}
    assert {name for name, gate in gates.items() if gate} == {"guarded"}
    assert gates == {name: gated_by(guest.claim) if guest.claim else None for name, guest in cases.items()}


def test_both_say_the_same_of_clusters_and_of_rights(ours: Make, by: Actor) -> None:
    guest = ours()
    reader, tester = replace(by, scopes=frozenset({"vm:read"})), replace(by, lane="test")
    codes = []
    for actor in (reader, tester):
        codes.append(said_beforehand(guest, actor)[0])
        assert said_beforehand(guest, actor) == said_by_the_operation(guest, actor)
    for field, value in (("last_error", "timed out"), ("is_enabled", False)):
        setattr(guest.cluster, field, value)
        codes.append(said_beforehand(guest, by)[0])
        assert said_beforehand(guest, by) == said_by_the_operation(guest, by)
    assert codes == ["MISSING_SCOPE", "TEST_KEY_ON_LIVE", "CLUSTER_UNREACHABLE", "CLUSTER_OFF"]


@pytest.mark.parametrize("count", [1, 30])
def test_many_cost_as_much_as_one(
    ours: Make, by: Actor, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    guests = [ours(f"web-{number}") for number in range(count)]
    with django_assert_num_queries(3):
        assert len(footings(guests, by=by)) == count
