"""Rules of the firewall of a network that ALMA made, on a sandbox over TLS."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import Invalid, NotFound, Refused, WrongState
from alma.jobs import engine
from alma.jobs.models import Job
from tests.factories.accounts import make_key
from tests.vms.operations.conftest import see
from tests.vms.operations.test_networks import BRIDGE, POINTS, VLAN, Died, die_once, made, refused
from vms import networks as chore
from vms.models import Cluster, ClusterNetwork, Guest, GuestDetails
from vms.operations import rules
from vms.operations.rules import Rule

Finish = Callable[[Job], Job]
SSH = Rule(action="allow", protocol="tcp", port="22", source="192.168.0.0/16")


@pytest.fixture
def lan(cluster: Cluster, by: Actor, finish: Finish) -> ClusterNetwork:
    see(cluster)
    chore.read_due()
    GuestDetails.objects.bulk_create(
        GuestDetails(guest=one, read_at=timezone.now()) for one in Guest.objects.machines()
    )
    return made(VLAN, by, finish)


@pytest.fixture
def firewall(observer: Any) -> Any:
    return observer.cluster.sdn.vnets("developm").firewall


def test_a_rule_is_added_listed_and_removed(lan: ClusterNetwork, by: Actor, finish: Finish, firewall: Any) -> None:
    rule_id, job = rules.add(lan, SSH, by=by)
    assert finish(job).error is None
    (told,) = firewall.rules.get()
    assert {name: told[name] for name in ("type", "action", "proto", "dport", "source", "enable")} == {
        "type": "forward", "action": "ACCEPT", "proto": "tcp", "dport": "22", "source": "192.168.0.0/16", "enable": 1,
    }  # fmt: skip
    assert firewall.options.get()["enable"] == 1
    lan.refresh_from_db()
    shown = {"id": rule_id, "action": "allow", "protocol": "tcp", "port": 22, "source": "192.168.0.0/16",
             "destination": None, "enabled": True}  # fmt: skip
    assert lan.firewall_rules == [shown]
    refused(lambda: rules.add(lan, SSH, by=by), WrongState, "RULE_EXISTS")
    firewall.rules.post(type="forward", action="DROP", enable=1)
    chore.read_due()
    lan.refresh_from_db()
    assert [rule["id"] for rule in lan.firewall_rules or ()] == ["rule-001", rule_id]
    refused(lambda: rules.remove(lan, "rule-001", by=by), Refused, "PLACE_NOT_OURS")
    refused(lambda: rules.remove(lan, "rule-000000000000", by=by), NotFound, "RULE_NOT_FOUND")
    assert finish(rules.remove(lan, rule_id, by=by)).error is None
    assert [rule["action"] for rule in firewall.rules.get()] == ["DROP"]
    lan.refresh_from_db()
    assert (lan.claim and lan.claim.state, [rule["id"] for rule in lan.firewall_rules or ()]) == ("live", ["rule-001"])


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("nth", [1, 2])
def test_it_is_added_once_wherever_a_worker_dies(
    lan: ClusterNetwork, by: Actor, finish: Finish, firewall: Any, monkeypatch: pytest.MonkeyPatch, point: str, nth: int
) -> None:
    _, job = rules.add(lan, SSH, by=by)
    die_once(monkeypatch, point, nth)
    with pytest.raises(Died):
        engine.advance(job.pk)
    Job.objects.update(lease_until=None)
    assert finish(job).error is None
    assert len(firewall.rules.get()) == 1 and firewall.options.get()["enable"] == 1


def test_what_fails_is_taken_back(lan: ClusterNetwork, by: Actor, finish: Finish, firewall: Any, observer: Any) -> None:
    path = "/cluster/sdn/vnets/*/firewall/options"
    observer.sandbox.faults.post(kind="answer", status=400, text="no", method="PUT", path=path, count=1)
    _, job = rules.add(lan, SSH, by=by)
    finish(job)
    assert job.error is not None and "taken back" in job.error["message"]
    assert firewall.rules.get() == [] and ClusterNetwork.objects.get(pk=lan.pk).claim is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"protocol": ""}, "protocol"),
        ({"protocol": "icmp"}, "protocol"),
        ({"port": "0"}, "port"),
        ({"port": "70000"}, "port"),
        ({"port": "ssh"}, "port"),
        ({"source": "somewhere"}, "source"),
        ({"destination": "10.0.0.1/8"}, "destination"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.check(replace(SSH, **changes))
    assert refusal.value.details[0]["field"] == field  # type: ignore[index, call-overload]
    rules.check(replace(SSH, port="80,443", destination="10.0.0.0/8"))
    rules.check(replace(SSH, port="8000:8099", source="fd00::/8"))


def test_a_bridge_has_none(lan: ClusterNetwork, by: Actor, finish: Finish) -> None:
    row = made(BRIDGE, by, finish)
    refused(lambda: rules.add(row, SSH, by=by), WrongState, "NO_FIREWALL")


def test_over_the_api(lan: ClusterNetwork, cluster: Cluster, finish: Finish) -> None:
    key = make_key(frozenset({"network:read", "network:write"}), organization=cluster.organization)[1]
    site, path = Client(headers={"X-API-Key": key}), f"/v1/networks/net-{lan.pk:03d}/firewall-rules"
    body = {"action": "allow", "protocol": "tcp", "port": 22, "source": "192.168.0.0/16"}
    answer = site.post(path, body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    told = answer.json()["data"]
    assert {name: told["rule"][name] for name in body} == body and told["network"]["status"] == "changing"
    finish(Job.objects.get(public_id=told["network"]["job_id"]))
    (rule,) = site.get(f"/v1/networks/net-{lan.pk:03d}").json()["data"]["network"]["firewall_rules"]
    assert rule == told["rule"]
    assert site.post(path, {**body, "action": "maybe"}, content_type="application/json").status_code == 422
    for port in (0, -1, 70_000, "ssh"):
        refusal = site.post(path, {**body, "port": port}, content_type="application/json")
        assert (refusal.status_code, refusal.json()["error"]["details"]["field"]) == (422, "port")
    assert site.delete(f"{path}/{rule['id']}").status_code == 200
    assert site.delete(f"{path}/{rule['id']}").status_code == 409
