"""Drift is answered with an IPR: the blueprint takes in what is there, or the guest becomes what was approved again."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import Refused, WrongState
from blueprints import services as blueprints
from iprs import services
from iprs.models import IPR, DriftAnswer
from tests.factories.accounts import make_actor, make_user
from tests.factories.blueprints import make_blueprint, make_document
from tests.iprs.builders import reload
from tests.iprs.test_deployments import actor, cluster, deployed, proposed, resource, work
from tests.vms.test_drift import look
from vms.models import Cluster, Drift, GuestClaim, Stray

__all__ = ["actor", "cluster"]

pytestmark = pytest.mark.django_db(transaction=True)


class Meddling:
    """Somebody who works in Proxmox directly."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.node = sandbox.proxmoxer().nodes("pve1")

    def guest(self, key: str) -> Any:
        claim = GuestClaim.objects.get(key=key, state="live")
        return self.sandbox.proxmoxer().nodes(claim.node).qemu(claim.vmid)

    def delete(self, key: str) -> None:
        guest = self.guest(key)
        self.sandbox.wait(guest.status.stop.post())
        self.sandbox.wait(guest.delete())


@pytest.fixture
def hand(fresh_sandbox: Any) -> Meddling:
    return Meddling(fresh_sandbox)


def drift_of(cluster: Cluster) -> Drift:
    look(cluster)
    return Drift.objects.open().get()


def answered(drift: Drift, kind: str, actor: Actor) -> IPR:
    ipr = services.answer_drift(drift, kind, by=actor)
    work()
    return reload(ipr)


def done(ipr: IPR, cluster: Cluster, actor: Actor) -> list[str]:
    """Deploy it; the kinds of drift that are left."""
    assert deployed(ipr, actor).status == "completed"
    look(cluster)
    return list(Drift.objects.open().values_list("kind", flat=True))


def test_restore_brings_back_what_was_approved(cluster: Cluster, actor: Actor, hand: Meddling) -> None:
    deployed(proposed(actor, resource("web")), actor)
    hand.guest("web").config.put(cores=4, memory="4096")

    ipr = answered(drift_of(cluster), "restore", actor)

    assert ipr.title == "Restore web to what was approved"
    assert ipr.current_plan is not None
    rows = ipr.current_plan.items.get().changes
    assert [(row["field"], row["before"], row["after"]) for row in rows][:1] == [("cores", 4, 1)]
    assert done(ipr, cluster, actor) == []
    assert hand.guest("web").config.get()["cores"] == 1


def test_adopt_writes_what_is_there_into_the_blueprint(cluster: Cluster, actor: Actor, hand: Meddling) -> None:
    first = proposed(actor, resource("web"))
    deployed(first, actor)
    hand.guest("web").config.put(cores=4, memory="4096")

    ipr = answered(drift_of(cluster), "adopt", actor)

    first.blueprint.refresh_from_db()
    specs = first.blueprint.current_revision().document["resources"][0]["specs"]
    assert (specs["cpu"], specs["memory"]) == (4, "4GB")
    assert ipr.current_plan is not None
    assert ipr.current_plan.summary == {"noop": 1}
    assert done(ipr, cluster, actor) == []
    assert hand.guest("web").config.get()["cores"] == 4


def test_a_grown_disk_can_be_adopted_and_not_restored(cluster: Cluster, actor: Actor, hand: Meddling) -> None:
    deployed(proposed(actor, resource("web")), actor)
    hand.sandbox.wait(hand.guest("web").resize.put(disk="scsi0", size="+5G"))
    drift = drift_of(cluster)

    assert "cannot shrink" in services.drift_obstacle(drift, "restore", by=actor)
    with pytest.raises(WrongState, match="cannot shrink"):
        services.answer_drift(drift, "restore", by=actor)
    assert done(answered(drift, "adopt", actor), cluster, actor) == []


def test_a_stopped_guest_can_be_adopted_as_stopped_or_started_again(
    cluster: Cluster, actor: Actor, hand: Meddling
) -> None:
    deployed(proposed(actor, resource("web")), actor)
    hand.sandbox.wait(hand.guest("web").status.stop.post())
    assert done(answered(drift_of(cluster), "restore", actor), cluster, actor) == []
    assert hand.guest("web").status.current.get()["status"] == "running"

    hand.sandbox.wait(hand.guest("web").status.stop.post())
    assert done(answered(drift_of(cluster), "adopt", actor), cluster, actor) == []
    assert hand.guest("web").status.current.get()["status"] == "stopped"


def test_a_guest_that_is_gone_is_made_anew_under_a_new_number(cluster: Cluster, actor: Actor, hand: Meddling) -> None:
    deployed(proposed(actor, resource("web")), actor)
    hand.delete("web")

    ipr = answered(drift_of(cluster), "restore", actor)

    assert ipr.current_plan is not None
    assert ipr.current_plan.summary == {"create": 1}
    assert done(ipr, cluster, actor) == []
    assert list(GuestClaim.objects.order_by("vmid").values_list("state", flat=True)) == ["released", "live"]


def test_a_guest_that_is_gone_can_be_taken_out_of_the_blueprint(cluster: Cluster, actor: Actor, hand: Meddling) -> None:
    deployed(proposed(actor, resource("web"), resource("cache")), actor)
    hand.delete("cache")

    ipr = answered(drift_of(cluster), "adopt", actor)

    assert [row["name"] for row in ipr.blueprint.current_revision().document["resources"]] == ["web"]
    assert done(ipr, cluster, actor) == []
    assert GuestClaim.objects.get(key="cache").state == "released"


def test_the_last_of_several_alike_can_be_let_go(cluster: Cluster, actor: Actor, hand: Meddling) -> None:
    deployed(proposed(actor, resource("web", count=2)), actor)
    hand.delete("web-2")

    ipr = answered(drift_of(cluster), "adopt", actor)

    assert ipr.blueprint.current_revision().document["resources"][0]["specs"]["count"] == 1


@pytest.mark.parametrize(
    ("changes", "kind", "restore", "adopt"),
    [
        ([("name", "web", "mine")], "changed", "does not change name alone", "change the blueprint by hand"),
        ([("tags", ["a"], [])], "changed", "does not change tags alone", "change the blueprint by hand"),
        ([("network", "vmbr0", "vmbr1")], "changed", "says nothing of the network", "change the blueprint by hand"),
        ([("cores", 1, 2), ("name", "web", "mine")], "changed", "", ""),
        ([("disk", 10, 5)], "changed", "", ""),
        ([], "gone", "", "all that the blueprint has"),
        ([("mark", "alma:x", "")], "unmarked", "never touched", "never touched"),
    ],
)
def test_what_cannot_be_answered_says_why(
    cluster: Cluster, actor: Actor, changes: list[Any], kind: str, restore: str, adopt: str
) -> None:
    blueprint = make_blueprint(by=actor, resources=[resource("web")])
    drift = made(cluster, actor, blueprint, "web", kind, changes)

    for answer, words in (("restore", restore), ("adopt", adopt)):
        said = services.drift_obstacle(drift, answer, by=actor)
        assert words in said
        assert bool(said) == bool(words)


@pytest.mark.parametrize(
    ("resources", "key", "kind", "words"),
    [
        ([resource("web", count=3)], "web-2", "changed", "3 machines that are all alike"),
        ([resource("web", count=3)], "web-2", "gone", "not the last"),
        ([resource("db"), resource("web", "db")], "db", "gone", "web depends on db"),
        ([resource("web")], "other", "changed", "no longer has this machine"),
    ],
)
def test_what_a_blueprint_cannot_say_is_not_adopted(
    cluster: Cluster, actor: Actor, resources: list[Any], key: str, kind: str, words: str
) -> None:
    blueprint = make_blueprint(by=actor, resources=resources)
    drift = made(cluster, actor, blueprint, key, kind, [("cores", 1, 2)] if kind == "changed" else [])

    assert words in services.drift_obstacle(drift, "adopt", by=actor)


def made(cluster: Cluster, actor: Actor, blueprint: Any, key: str, kind: str, changes: list[Any]) -> Drift:
    """A drift as a row, of a guest of this blueprint in the first environment."""
    environment = cluster.organization.environments.get(slug="development")
    claim = GuestClaim.objects.create(
        organization=cluster.organization, cluster=cluster, vmid=5000, key=key, kind="vm", node="pve1", state="live",
        owner=f"env:{environment.pk}/blueprint:{blueprint.pk}",
    )  # fmt: skip
    rows = [{"field": field, "before": before, "after": after} for field, before, after in changes]
    return Drift.objects.create(
        organization=cluster.organization, cluster=cluster, claim=claim, kind=kind, changes=rows,
        found_at=claim.created_at, seen_at=claim.created_at,
    )  # fmt: skip


def test_a_second_click_leads_to_the_same_ipr(cluster: Cluster, actor: Actor) -> None:
    drift = made(cluster, actor, make_blueprint(by=actor, resources=[resource("web")]), "web", "gone", [])
    first = services.answer_drift(drift, "restore", by=actor)

    assert services.answer_drift(drift, "restore", by=actor) == first
    services.withdraw(first, by=actor)
    assert services.answer_drift(drift, "restore", by=actor) != first
    assert DriftAnswer.objects.count() == 2


def test_a_drift_that_has_ended_or_lost_its_blueprint_is_not_answered(cluster: Cluster, actor: Actor) -> None:
    blueprint = make_blueprint(by=actor, resources=[resource("web")])
    drift = made(cluster, actor, blueprint, "web", "gone", [])
    blueprints.delete(blueprint, by=actor)
    with pytest.raises(WrongState, match="is gone"):
        services.answer_drift(drift, "restore", by=actor)
    drift.move(Drift.State.SETTLED, why="it is as it was left")
    with pytest.raises(WrongState, match="has ended"):
        services.answer_drift(drift, "restore", by=actor)


def test_only_those_who_may_propose_answer(cluster: Cluster, actor: Actor) -> None:
    drift = made(cluster, actor, make_blueprint(by=actor, resources=[resource("web")]), "web", "gone", [])
    with pytest.raises(Refused):
        services.answer_drift(drift, "restore", by=make_actor("viewer", organization=cluster.organization))


def test_an_answer_is_based_on_the_newest_revision(cluster: Cluster, actor: Actor) -> None:
    blueprint = make_blueprint(by=actor, resources=[resource("web")])
    drift = made(cluster, actor, blueprint, "web", "changed", [("cores", 1, 2)])
    blueprints.update(blueprint, make_document(resources=[resource("web", cpu=1, memory="2GB")]), by=actor)

    ipr = services.answer_drift(drift, "adopt", by=actor)

    specs = ipr.blueprint.current_revision().document["resources"][0]["specs"]
    assert (specs["cpu"], specs["memory"]) == (2, "2GB")


def test_the_page_shows_before_after_and_both_ways(cluster: Cluster, actor: Actor, client: Client) -> None:
    drift = made(
        cluster, actor, make_blueprint(by=actor, resources=[resource("web")]), "web", "changed",
        [("cores", 1, 2), ("memory", 1024**3, 2 * 1024**3)],
    )  # fmt: skip
    client.force_login(make_user("admin", organization=cluster.organization))
    path = f"/clusters/{cluster.slug}/drift/"

    page = client.get(path).content.decode()
    assert "<del>1\xa0GiB</del>" in page
    assert 'value="restore"' in page
    assert 'value="adopt"' in page
    assert client.get(path, headers={"HX-Request": "true"}).content.decode().lstrip().startswith("<div")
    assert client.post(f"{path}{drift.pk}/answer/", {"answer": "explode"}).status_code == 422

    response = client.post(f"{path}{drift.pk}/answer/", {"answer": "restore"})
    ipr = IPR.objects.get()
    assert response["Location"] == ipr.get_absolute_url()
    page = client.get(path).content.decode()
    assert f"#{ipr.pk} {ipr.title}" in page
    assert 'value="restore"' not in page


def test_the_page_says_why_there_is_no_button(cluster: Cluster, actor: Actor, client: Client) -> None:
    made(cluster, actor, make_blueprint(by=actor, resources=[resource("web")]), "web", "unmarked", [("mark", "a", "")])
    client.force_login(make_user("viewer", organization=cluster.organization))
    page = client.get(f"/clusters/{cluster.slug}/drift/").content.decode()

    assert 'name="answer"' not in page
    assert "Neither restore nor adopt:" in page
    assert "ipr:write" in page


def test_an_orphan_is_kept_on_the_page(cluster: Cluster, client: Client) -> None:
    now = timezone.now()
    stray = Stray.objects.create(
        organization=cluster.organization, cluster=cluster, vmid=5001, guest_kind="vm", name="late", node="pve1",
        kind="orphan", state="quarantined", due_at=now, found_at=now, seen_at=now,
    )  # fmt: skip
    client.force_login(make_user("admin", organization=cluster.organization))
    path = f"/clusters/{cluster.slug}/drift/"
    assert 'value="keep"' in client.get(path).content.decode()

    assert client.post(f"/clusters/{cluster.slug}/strays/{stray.pk}/", {"to": "burn"}).status_code == 422
    assert client.post(f"/clusters/{cluster.slug}/strays/{stray.pk}/", {"to": "keep"})["Location"] == path
    stray.refresh_from_db()
    assert stray.state == "kept"
    assert 'value="put_back"' in client.get(path).content.decode()
