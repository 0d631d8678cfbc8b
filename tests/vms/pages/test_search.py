"""What the filters of the list of machines mean."""

import pytest
from django.utils import timezone

from tests.factories.vms import GIB, make_cluster, make_guest
from tests.vms.pages.conftest import Make, at_work
from vms.models import Cluster, Drift, Guest, GuestDetails
from vms.pages.search import KEYS, apply, parse

pytestmark = pytest.mark.django_db


def found(text: str) -> list[str]:
    search = parse(text)
    assert search.problems == ()
    return sorted(apply(Guest.objects.all(), search).values_list("name", flat=True))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cpu:4", ["big"]),
        ("cpu:>2", ["big"]),
        ("cpu:>=2", ["big", "small"]),
        ("-cpu:>2", ["small"]),
        ("memory:8GB", ["big"]),
        ("memory:8", ["big"]),
        ("memory:8192MB", ["big"]),
        ("memory:<8GB", ["small"]),
        ("memory:>=8GiB", ["big"]),
        ("ram:>1t", []),
        ("disk:<1TB", ["small"]),
        ("disk:2tb", ["big"]),
        ("disk:<=2TB,99TB", ["big", "small"]),
        ("ip:10.0", ["big"]),
        ("10.0.0.7", ["big"]),
        ("os:UBUNTU", ["big"]),
        ("-os:ubuntu", ["small"]),
        ("cluster:rack-1", ["big"]),
        ('cluster:"Rack 1"', ["big"]),
        ("is:locked", ["small"]),
    ],
)
def test_sizes_addresses_and_places(text: str, names: list[str]) -> None:
    rack, other = make_cluster(slug="rack-1", name="Rack 1"), make_cluster()
    big = make_guest(rack, name="big", cores=4, memory_bytes=8 * GIB, disk_bytes=2048 * GIB)
    make_guest(other, name="small", cores=2, lock="backup")
    GuestDetails.objects.create(
        guest=big, ip_address="10.0.0.7", os_type="ubuntu-24.04", read_at=timezone.now()
    )  # fmt: skip
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("is:ours", ["busy", "drifted", "guarded"]),
        ("is:foreign", ["stranger"]),
        ("is:busy", ["busy"]),
        ("-is:busy is:ours", ["drifted", "guarded"]),
        ("is:drifted", ["drifted"]),
        ("is:protected", ["guarded"]),
        ("env:production", ["guarded"]),
        ("env:Production,none", ["guarded", "stranger"]),
        ("-env:production", ["busy", "drifted", "stranger"]),
    ],
)
def test_what_is_ours_and_what_it_is_busy_with(
    text: str, names: list[str], place: Cluster, ours: Make, production: object
) -> None:
    at_work(ours("busy"))
    drifted = ours("drifted")
    ours("guarded", environment=production)
    make_guest(place, name="stranger")
    now = timezone.now()
    Drift.objects.create(
        organization=place.organization, cluster=place, claim=drifted.claim, kind="changed", found_at=now, seen_at=now
    )
    assert found(text) == names


def test_a_status_is_one_that_is_known_now(place: Cluster) -> None:
    silent = make_cluster()
    Cluster.objects.filter(pk=silent.pk).update(unreachable_since=timezone.now())
    make_guest(place, name="on")
    make_guest(place, name="copied", lock="snapshot")
    make_guest(silent, name="nobody knows")
    assert found("status:running") == ["on"]
    assert found("status:unknown") == ["nobody knows"]
    assert found("") == ["copied", "nobody knows", "on"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cpu:many", "cpu:many is no number of cores; write cpu:4 or cpu:>4."),
        ("memory:lots", "memory:lots is no size; write memory:8GB or memory:>=512MB."),
        ("disk:999999999PB", "disk:999999999PB is more than any machine has."),
        ("is:pretty", "is:pretty is not known; there are ours, foreign, busy, locked, drifted, protected, template, missing."),
        ("status:running,asleep", "status:asleep is not known; there are running, stopped, paused, unknown, missing."),
        ("id:web", "id:web is no VMID, and no id like vm-012."),
        ("hue:1", "There is no filter hue:. There are status:, env:,"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_shows_nothing_and_says_why(text: str, says: str, place: Cluster) -> None:
    make_guest(place)
    search = parse(text)
    assert search.problems[0].startswith(says)
    assert not apply(Guest.objects.all(), search).exists()


def test_an_id_of_the_api_is_found(place: Cluster) -> None:
    guest = make_guest(place, name="web")
    make_guest(place, name="other")
    assert found(f"id:vm-{guest.pk:03d}") == found(f"vm-{guest.pk:03d}") == found(f"id:{guest.vmid}") == ["web"]


@pytest.mark.parametrize("key", KEYS)
def test_the_example_of_each_filter_is_understood(key: str, place: Cluster) -> None:
    assert parse(KEYS[key].example).problems == ()
    list(apply(Guest.objects.all(), parse(KEYS[key].example)))
