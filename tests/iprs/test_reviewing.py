"""Who may agree to what, and what that changes."""

import pytest

from alma.accounts.actors import Actor, for_anonymous
from alma.accounts.models import Membership
from alma.accounts.scopes import READ, REVIEWER
from alma.errors import Invalid, Refused, WrongState
from blueprints import services as blueprints
from iprs import services
from iprs.gates import missing, verdicts
from iprs.models import IPR, Review
from tests.factories.accounts import make_actor, make_organization
from tests.factories.blueprints import make_document, make_resource
from tests.iprs.builders import CREATE, DELETE, make_ipr, planned, reload

pytestmark = pytest.mark.django_db


def codes(ipr: IPR) -> list[str]:
    return [gate.code for gate in missing(reload(ipr))]


def test_approval_by_another_person_opens_the_gates() -> None:
    ipr = planned(make_ipr())
    assert codes(ipr) == ["APPROVALS"]
    services.review(ipr, "approve", by=make_actor("reviewer"))
    assert (reload(ipr).status, codes(ipr)) == ("approved", [])


def test_authors_do_not_count_for_their_own_plan() -> None:
    author = make_actor("admin")
    ipr = planned(make_ipr(by=author))
    services.review(ipr, "approve", by=author)
    assert (reload(ipr).status, codes(ipr)) == ("pending", ["APPROVALS"])
    assert "Authors do not approve" in missing(reload(ipr))[0].message


def test_an_approval_counts_once_per_person() -> None:
    ipr = planned(make_ipr(required_approvals=2))
    reviewer = make_actor("reviewer")
    services.review(ipr, "approve", by=reviewer)
    services.review(reload(ipr), "approve", by=reviewer)
    assert codes(ipr) == ["APPROVALS"]
    services.review(reload(ipr), "approve", by=make_actor("reviewer"))
    assert codes(ipr) == []


def test_a_keyless_review_counts_where_the_environment_is_open_and_is_marked() -> None:
    ipr = planned(make_ipr())
    written = services.review(ipr, "approve", by=for_anonymous(), claimed="ops-team")
    assert (written.reviewer, written.is_verified, reload(ipr).status) == ("ops-team", False, "approved")


def test_a_keyless_review_is_recorded_but_not_counted_where_the_environment_is_protected() -> None:
    ipr = planned(make_ipr(is_protected=True))
    services.review(ipr, "approve", by=for_anonymous(), claimed="ops-team")
    assert reload(ipr).status == "pending"
    assert [verdict.counts for verdict in verdicts(reload(ipr))] == [False]
    services.review(reload(ipr), "reject", by=for_anonymous(), claimed="mallory")
    assert reload(ipr).status == "pending"


def test_a_claimed_name_never_replaces_a_signed_in_person() -> None:
    ipr = planned(make_ipr())
    reviewer = make_actor("reviewer")
    written = services.review(ipr, "approve", by=reviewer, claimed="the boss")
    assert (written.reviewer, written.user) == (reviewer.label, reviewer.user)


def test_reviewers_who_lost_the_role_no_longer_count() -> None:
    ipr = planned(make_ipr())
    reviewer = make_actor("reviewer")
    services.review(ipr, "approve", by=reviewer)
    Membership.objects.filter(user=reviewer.user).update(role="viewer")
    assert codes(ipr) == ["APPROVALS"]


def test_disabled_reviewers_no_longer_count() -> None:
    ipr = planned(make_ipr())
    reviewer = make_actor("reviewer")
    services.review(ipr, "approve", by=reviewer)
    assert reviewer.user is not None
    reviewer.user.is_active = False
    reviewer.user.save()
    assert codes(ipr) == ["APPROVALS"]


def test_a_new_plan_needs_new_approvals() -> None:
    author = make_actor("admin")
    ipr = planned(make_ipr(by=author))
    services.review(ipr, "approve", by=make_actor("reviewer"))
    services.replan(reload(ipr), by=author)
    planned(reload(ipr), CREATE, DELETE)
    assert (reload(ipr).status, codes(ipr)) == ("pending", ["APPROVALS"])


def test_the_same_plan_again_keeps_its_approvals() -> None:
    author = make_actor("admin")
    ipr = planned(make_ipr(by=author))
    services.review(ipr, "approve", by=make_actor("reviewer"))
    services.replan(reload(ipr), by=author)
    planned(reload(ipr))
    assert (reload(ipr).status, codes(ipr)) == ("approved", [])


def test_a_review_of_a_plan_that_is_not_current_is_refused() -> None:
    ipr = planned(make_ipr())
    with pytest.raises(WrongState, match="changed since"):
        services.review(ipr, "approve", by=make_actor("reviewer"), plan_digest="0" * 64)
    assert not Review.objects.exists()


def test_an_updated_blueprint_closes_the_gate_until_planned_again() -> None:
    author = make_actor("admin")
    ipr = planned(make_ipr(by=author))
    services.review(ipr, "approve", by=make_actor("reviewer"))
    document = make_document(resources=[make_resource(), make_resource("web-server-2")])
    blueprints.update(ipr.blueprint, document, by=author)
    assert codes(ipr) == ["BLUEPRINT_CURRENT"]
    services.settle_outrun()
    assert reload(ipr).status == "pending"
    services.replan(reload(ipr), by=author)
    planned(reload(ipr))
    services.settle_outrun()
    assert "BLUEPRINT_CURRENT" not in codes(ipr)


@pytest.mark.parametrize(("action", "status"), [("reject", "rejected"), ("request_changes", "changes_requested")])
def test_an_objection_moves_the_status(action: str, status: str) -> None:
    ipr = planned(make_ipr())
    services.review(ipr, action, by=make_actor("reviewer"), comments="Too large.")
    assert reload(ipr).status == status


def test_an_objection_needs_words_from_a_person() -> None:
    ipr = planned(make_ipr())
    with pytest.raises(Invalid, match="Say what is wrong"):
        services.review(ipr, "reject", by=make_actor("reviewer"))
    assert reload(ipr).status == "pending"


def test_the_objector_may_change_their_mind() -> None:
    ipr = planned(make_ipr())
    reviewer = make_actor("reviewer")
    services.review(ipr, "request_changes", by=reviewer, comments="Smaller, please.")
    services.review(reload(ipr), "approve", by=reviewer)
    assert reload(ipr).status == "approved"


def test_a_rejected_ipr_is_not_reviewed_until_it_is_opened_again() -> None:
    author = make_actor("admin")
    ipr = planned(make_ipr(by=author))
    services.review(ipr, "reject", by=make_actor("reviewer"), comments="No.")
    with pytest.raises(WrongState):
        services.review(reload(ipr), "approve", by=make_actor("reviewer"))
    services.reopen(reload(ipr), by=author)
    assert reload(ipr).status == "pending"


def test_destruction_in_a_protected_environment_is_agreed_to_by_name() -> None:
    ipr = planned(make_ipr(is_protected=True), CREATE, DELETE)
    with pytest.raises(Invalid, match="db-1"):
        services.review(ipr, "approve", by=make_actor("reviewer"))
    services.review(reload(ipr), "approve", by=make_actor("reviewer"), acknowledged=["db-1"])
    assert reload(ipr).status == "approved"


def test_problems_of_the_plan_keep_it_closed_whatever_people_say() -> None:
    ipr = planned(make_ipr(), problems=("web-1 fits nowhere.",))
    services.review(ipr, "approve", by=make_actor("reviewer"))
    assert (reload(ipr).status, codes(ipr)) == ("pending", ["PLAN_SOUND"])


@pytest.mark.parametrize("scopes", [READ, frozenset()])
def test_reviewing_needs_the_right(scopes: frozenset[str]) -> None:
    ipr = planned(make_ipr())
    with pytest.raises(Refused, match="ipr:review"):
        services.review(ipr, "approve", by=Actor(ipr.organization_id, "viewer", scopes))


def test_an_unknown_action_is_refused() -> None:
    ipr = planned(make_ipr())
    actor = Actor(make_organization().pk, "key", REVIEWER, key_id=1)
    with pytest.raises(Invalid, match="approve, reject or request_changes"):
        services.review(ipr, "merge", by=actor)


def test_zero_approvals_means_approved_once_planned() -> None:
    ipr = make_ipr(required_approvals=0, slug="development")
    assert ipr.status == "pending"
    assert planned(ipr).status == "approved"


def test_a_comment_changes_nothing_but_the_record() -> None:
    ipr = planned(make_ipr())
    services.comment(ipr, "Looks fine so far.", by=make_actor("viewer"))
    assert (reload(ipr).status, codes(ipr)) == ("pending", ["APPROVALS"])
    with pytest.raises(Invalid):
        services.comment(ipr, "  ", by=make_actor("viewer"))
