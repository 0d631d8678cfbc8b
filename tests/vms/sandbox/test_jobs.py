"""Jobs by the calendar, and what is only noted down."""

from itertools import islice
from typing import Any

import pytest

from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core import calendars
from vms.sandbox.core.parameters import FormatError

JOBS = "/cluster/backup"
# 2026-11-21 is a Saturday.
NOON = 1795262400.0


@pytest.mark.parametrize(
    ("event", "hours"),
    [
        ("*/30", [0.5, 1, 1.5]), ("14:00", [2, 26, 50]), ("sun 02:00", [14, 182, 350]), ("daily", [12, 36, 60]),
        ("mon..fri 12:15", [48.25, 72.25, 96.25]), ("13,15:00", [1, 3, 25]), ("*-12-1 00:00", [228, 8988, 17772]),
    ],
)  # fmt: skip
def test_calendar_events(event: str, hours: list[float]) -> None:
    assert [(moment - NOON) / 3600 for moment in islice(calendars.parse(event).after(NOON), 3)] == hours


@pytest.mark.parametrize("event", ["", "25:00", "someday 10:00", "*/x", "a-b-c"])
def test_what_is_no_calendar_event(event: str) -> None:
    with pytest.raises(FormatError, match="invalid calendar event"):
        calendars.parse(event)


def test_backup_jobs(cluster: Cluster) -> None:
    cluster.post(JOBS, id="nightly", schedule="21:00", storage="local", vmid="101,102", prune_backups="keep-last=3")
    row = cluster.get(JOBS)[0]
    assert (row["id"], row["type"], row["enabled"], row["prune-backups"]) == (
        "nightly",
        "vzdump",
        1,
        {"keep-last": "3"},
    )
    assert row["next-run"] > cluster.clock.now() and "digest" not in row
    assert {101, 102}.isdisjoint(row["vmid"] for row in cluster.get("/cluster/backup-info/not-backed-up"))
    included = cluster.get(f"{JOBS}/nightly/included_volumes")["children"]
    assert [(guest["id"], guest["children"][0]["included"]) for guest in included] == [(101, 1), (102, 1)]
    cluster.put(f"{JOBS}/nightly", enabled=0, comment="paused")
    assert "next-run" not in cluster.get(f"{JOBS}/nightly")
    assert 101 in {row["vmid"] for row in cluster.get("/cluster/backup-info/not-backed-up")}
    cluster.delete(f"{JOBS}/nightly")
    assert cluster.get(JOBS) == []


def test_old_schedules_and_made_up_names(cluster: Cluster) -> None:
    cluster.post(JOBS, starttime="03:30", dow="mon,wed", all=1)
    row = cluster.get(JOBS)[0]
    assert row["schedule"] == "mon,wed 03:30" and len(row["id"]) == 36


@pytest.mark.parametrize(
    ("params", "status", "message"),
    [
        ({"vmid": "101"}, 500, "400 Parameter verification failed.\nschedule: neither 'starttime' nor 'schedule' were set"),
        ({"schedule": "daily"}, 500, "400 Parameter verification failed.\nvmid: property is missing"),
        ({"schedule": "daily", "vmid": "101", "all": 1}, 500, "400 Parameter verification failed.\nall: option conflicts with option 'vmid'"),
        ({"schedule": "when I like"}, 400, "Parameter verification failed."),
    ],
)  # fmt: skip
def test_refused_backup_jobs(cluster: Cluster, params: dict[str, Any], status: int, message: str) -> None:
    refused = cluster.refusal("POST", JOBS, **params)
    assert (refused.status, refused.message) == (status, message)


def test_missing_jobs(cluster: Cluster) -> None:
    assert cluster.refusal("GET", f"{JOBS}/none").errors == {"id": "No such job 'none'"}
    assert cluster.refusal("GET", "/cluster/replication/100-0").message == "no such replication job '100-0'"


def test_analysis_of_a_schedule(cluster: Cluster) -> None:
    rows = cluster.get("/cluster/jobs/schedule-analyze", schedule="daily", starttime=int(NOON), iterations=2)
    assert rows[0] == {"timestamp": int(NOON) + 12 * 3600, "utc": "Sun Nov 22 00:00:00 2026"} and len(rows) == 2


def test_syncs_of_realms(cluster: Cluster) -> None:
    path = "/cluster/jobs/realm-sync/night"
    assert "Only LDAP/AD realms can be synced." in cluster.refusal("POST", path, realm="pve", schedule="daily").message
    cluster.post("/access/domains", realm="corp", type="ldap", server1="l.example", base_dn="dc=e", user_attr="uid")
    cluster.post(path, realm="corp", schedule="daily")
    assert cluster.get("/cluster/jobs/realm-sync")[0]["next-run"] > 0
    cluster.put(path, schedule="hourly")
    assert cluster.get(path)["schedule"] == "hourly"
    cluster.delete(path)


def test_replication_is_for_disks_that_can_be_sent(cluster: Cluster) -> None:
    job = {"type": "local", "target": "pve2"}
    assert cluster.refusal("POST", "/cluster/replication", id="999-0", **job).message == "Guest '999' does not exist."
    assert (
        cluster.refusal("POST", "/cluster/replication", id="102-0", **job).message
        == "Source and target must not be identical"
    )
    assert cluster.refusal("POST", "/cluster/replication", id="101-0", **job).message == "No replicatable volumes found"
    assert cluster.get("/cluster/replication") == [] and cluster.get("/nodes/pve1/replication") == []


@pytest.mark.parametrize(
    ("path", "by_name", "made", "changed"),
    [
        ("/cluster/mapping/pci", False, {"map": ["node=pve1,path=0000:01:00.0"]}, {"description": "GPU", "map": ["node=pve2,path=0000:02:00.0"]}),
        ("/cluster/mapping/usb", False, {"map": ["node=pve1,id=1234:5678"]}, {"description": "key", "map": ["node=pve1,id=1:2"]}),
        ("/cluster/mapping/dir", False, {"map": ["node=pve1,path=/srv"]}, {"description": "files"}),
        ("/cluster/metrics/server", True, {"type": "graphite", "server": "m.example", "port": 2003},
         {"server": "n.example", "port": 2004}),
        ("/cluster/notifications/endpoints/gotify", False, {"server": "https://g.example", "token": "t"}, {"comment": "phone"}),
        ("/cluster/notifications/endpoints/sendmail", False, {"mailto": ["a@example.org"]}, {"author": "us"}),
        ("/cluster/notifications/endpoints/smtp", False, {"server": "s", "from-address": "a@example.org"}, {"port": 25}),
        ("/cluster/notifications/endpoints/webhook", False, {"url": "https://w.example", "method": "post"}, {"method": "put"}),
        ("/cluster/notifications/matchers", False, {"target": ["mail-to-root"]}, {"mode": "any"}),
        ("/cluster/acme/plugins", False, {"type": "dns", "api": "cf", "validation-delay": 60}, {"validation-delay": 30}),
    ],
)  # fmt: skip
def test_what_is_noted_down(
    cluster: Cluster, path: str, by_name: bool, made: dict[str, Any], changed: dict[str, Any]
) -> None:
    key = "name" if "notifications" in path else "id"
    params = {} if by_name else {key: "mine"}
    cluster.post(f"{path}/mine" if by_name else path, **params, **made)
    row = cluster.get(f"{path}/mine")
    assert {name: row[name] for name in made if name in row} == {name: made[name] for name in made if name != "token"}
    assert cluster.refusal("POST", f"{path}/mine" if by_name else path, **params, **made).status == 500
    cluster.put(f"{path}/mine", **changed)
    row = cluster.get(f"{path}/mine")
    assert {name: row[name] for name in changed} == changed
    assert any("mine" in row.values() for row in cluster.get(path))
    cluster.delete(f"{path}/mine")
    assert cluster.refusal("GET", f"{path}/mine").status == 500


def test_what_is_there_from_the_beginning(cluster: Cluster) -> None:
    assert cluster.get("/cluster/notifications/targets") == [
        {
            "name": "mail-to-root",
            "type": "sendmail",
            "comment": "Send mails to root@pam's email address",
            "origin": "builtin",
        }
    ]
    assert cluster.get("/cluster/notifications/matchers/default-matcher")["target"] == ["mail-to-root"]
    assert [row["plugin"] for row in cluster.get("/cluster/acme/plugins")] == ["standalone"]
