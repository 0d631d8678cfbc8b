"""The ledger never forgets, secrets are sealed, and states move along their table only."""

import itertools

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from pytest_django.fixtures import Settings

from alma.accounts.actors import Actor
from alma.errors import Unavailable, WrongState
from tests.factories.vms import make_claim, make_cluster, make_guest
from vms.models import Cluster, Guest, GuestClaim

pytestmark = pytest.mark.django_db

State = GuestClaim.State
ALLOWED = {("reserved", "live"), ("reserved", "released"), ("reserved", "foreign"), ("live", "released")}


@pytest.mark.parametrize(("was", "to"), list(itertools.product(State, State)))
def test_claim_moves_along_the_table_only(was: State, to: State) -> None:
    claim = make_claim(make_cluster(), state=was)
    if (was.value, to.value) in ALLOWED:
        claim.move(to)
        assert GuestClaim.objects.get().state == to
    else:
        with pytest.raises(WrongState):
            claim.move(to)
        assert GuestClaim.objects.get().state == was


def test_claim_that_somebody_else_moved_is_not_moved() -> None:
    claim = make_claim(make_cluster())
    GuestClaim.objects.update(state=State.FOREIGN)
    with pytest.raises(WrongState):
        claim.move(State.LIVE)


def test_claims_are_never_deleted() -> None:
    claim = make_claim(make_cluster())
    with pytest.raises(WrongState):
        claim.delete()
    with pytest.raises(WrongState):
        GuestClaim.objects.all().delete()
    assert GuestClaim.objects.exists()


def test_number_is_used_once_per_cluster() -> None:
    claim = make_claim(make_cluster(), state="released")
    make_claim(make_cluster(), vmid=claim.vmid)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_claim(claim.cluster, vmid=claim.vmid)


def test_resource_has_one_active_claim() -> None:
    cluster = make_cluster()
    make_claim(cluster, state="released")
    make_claim(cluster, state="foreign")
    make_claim(cluster, state="live")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_claim(cluster, state="reserved")
    make_claim(cluster, key="other")


def test_rows_are_visible_to_their_organization_only() -> None:
    ours, theirs = make_cluster(), make_cluster()
    for cluster in (ours, theirs):
        make_guest(cluster)
        make_claim(cluster)
    me, nobody = Actor(ours.organization_id, "me"), Actor(None, "nobody")
    for model in (Cluster, Guest, GuestClaim):
        assert model.objects.visible_to(me).count() == 1
        assert model.objects.visible_to(nobody).count() == 0
    assert Cluster.objects.visible_to(me).get() == ours


def test_secret_is_sealed_in_the_database() -> None:
    cluster = make_cluster(token_secret="11111111-2222-3333-4444-555555555555")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM vms_cluster")
        assert "11111111-2222" not in str(cursor.fetchall())
    assert Cluster.objects.get(pk=cluster.pk).token_secret == "11111111-2222-3333-4444-555555555555"


def test_secret_survives_a_change_of_the_secret_key(settings: Settings) -> None:
    cluster = make_cluster(token_secret="abc")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key altogether"
    with pytest.raises(Unavailable, match="enter it again"):
        _ = cluster.token_secret
    settings.SECRET_KEY_FALLBACKS = [old]
    assert cluster.token_secret == "abc"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "pve.example/../x"), ("host", "user@host"), ("host", "a b"), ("host", ""), ("port", 0), ("port", 70_000),
        ("token_id", "root@pam"), ("token_id", "root!x"), ("token_id", "root@pam!x=1"), ("token_id", "root@pam!a\nb"),
        ("ca_pem", "not a certificate"), ("vmid_first", 99),
    ],
)  # fmt: skip
def test_cluster_with_nonsense_is_refused(field: str, value: object) -> None:
    cluster = make_cluster()
    setattr(cluster, field, value)
    with pytest.raises(ValidationError):
        cluster.full_clean()


@pytest.mark.parametrize("host", ["pve.example.com", "10.0.0.1", "::1", "fe80::1", "pve-1"])
def test_cluster_hosts(host: str) -> None:
    cluster = make_cluster()
    cluster.host = host
    cluster.full_clean()
