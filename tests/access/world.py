"""Two organizations with one of everything. Each writes its own word into whatever takes text: who finds the other's
word in an answer has found a hole."""

import base64
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from alma.accounts.actors import Actor, for_user
from alma.accounts.models import ApiKey, Membership, Organization
from alma.accounts.scopes import EVERYTHING, INFERENCE, PRESETS
from alma.events.models import WebhookEndpoint
from blueprints import projects, services
from blueprints.assistants import conversations
from blueprints.assistants import services as assistants
from blueprints.models import Blueprint
from instances.models import Limit, Node, RequestRecord
from iprs.models import IPR, Deployment
from tests.factories import accounts as people
from tests.factories.backups import make_backup, make_storage
from tests.factories.blueprints import make_blueprint, make_resource
from tests.factories.instances import make_download, make_instance
from tests.factories.iprs import item, make_deployment, make_ipr, make_plan, make_review
from tests.factories.routing import make_record, make_waiter
from tests.factories.scans import make_scan
from tests.factories.vms import make_claim, make_cluster, make_guest
from tests.factories.webhooks import make_delivery, make_webhook
from vms import metrics
from vms.machines import public_id
from vms.models import (
    Backup,
    Cluster,
    ClusterNetwork,
    ClusterNode,
    ClusterStorage,
    ClusterTask,
    Drift,
    GuestSnapshot,
    PlaceClaim,
    ScanFinding,
    SecurityScan,
    Stray,
)
from vms.operations.wishes import Network

OURS, THEIRS = "zebrafinch7q", "quokkaberry9x"
"""The words of the two organizations. Nothing else in the product contains them."""
PASSWORD = people.PASSWORD


def _rule_id(organization: Organization) -> str:
    """Each has a rule of its own: two of one id would make the other's pass for ours."""
    return f"rule-{organization.pk:012x}"


def _rule(organization: Organization) -> dict[str, Any]:
    """A rule that ALMA added to a network."""
    return {
        "id": _rule_id(organization), "action": "allow", "protocol": "tcp", "port": 22, "source": None,
        "destination": None, "enabled": True,
    }  # fmt: skip


@dataclass
class Things:
    """What the parameters of a path can name, as they stand in it."""

    word: str
    slug: str
    blueprint: int
    gone_blueprint: int
    ipr: int
    deployment: str
    project: str
    gone_project: str
    key: str
    member: int
    invited: int
    environment: str
    webhook: int
    webhook_uuid: str
    webhook_number: str
    gone_webhook_uuid: str
    delivery: int
    uid: str
    agent: str
    gone_agent: str
    session: str
    gone_session: str
    cluster: str
    vm: str
    vm_number: int
    backup: str
    backup_number: int
    snapshot: str
    snapshot_number: int
    drift: int
    stray: int
    scan: str
    scan_number: int
    finding: str
    finding_number: int
    storage: str
    network: str
    rule: str
    network_number: int
    storage_number: int
    task: int
    instance: str
    request: str
    node: str
    download: str
    word_of_link: str = "x-y"
    revision: int = 1

    def named(self, name: str) -> str:
        """The value of a parameter."""
        return str(getattr(self, {"word": "word_of_link"}.get(name, name)))


NOWHERE = Things(
    word="", slug="nowhere", blueprint=987_654_321, gone_blueprint=0, ipr=987_654_321, deployment="deploy-nowhere",
    project=str(uuid.UUID(int=7, version=4)), gone_project="", key="tok_" + "0" * 16, member=987_654_321, invited=987_654_321,
    environment="nowhere", webhook=987_654_321, webhook_uuid=str(uuid.UUID(int=7, version=4)),
    webhook_number="webhook-987654321", gone_webhook_uuid="", delivery=987_654_321, uid="MA", revision=987,
    agent=str(uuid.UUID(int=7, version=4)), gone_agent="", session=str(uuid.UUID(int=7, version=4)), gone_session="",
    cluster="nowhere", vm="vm-987654321", snapshot="snap-987654321", snapshot_number=987_654_321, task=987_654_321, drift=987_654_321, stray=987_654_321, scan="scan-987654321",
    scan_number=987_654_321, finding="finding-987654321", finding_number=987_654_321, vm_number=987_654_321, backup="backup-987654321", backup_number=987_654_321, storage="storage-987654321", network="net-987654321", rule="rule-" + "0" * 12,
    network_number=987_654_321, storage_number=987_654_321, instance="nowhere", request="00000000-0000-4000-8000-000000000000", node="nowhere",
    download="download-nowhere",
)  # fmt: skip
"""Names of what never existed."""
GONE = {name: f"gone_{name}" for name in ("blueprint", "project", "webhook_uuid", "agent", "session")}
"""What can be deleted and stays in the database."""


def _download(organization: Organization, word: str) -> str:
    """A model that was fetched for an organization, beside one that is everybody's."""
    path = f"org/{word}/{word}.gguf"
    for name in (path, "new.gguf"):
        place = Path(settings.ALMA_MODELS_DIR, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"GGUF")
    file = {"path": path, "name": f"{word}.gguf", "size": 4, "sha256": "", "blob": "", "is_ours": True}
    return make_download(organization=organization, repo=f"org/{word}", created_by=word, files=[file])


def furnish(organization: Organization, word: str) -> Things:
    """One of everything."""
    ana = people.make_user(organization=organization, username=f"ana-{word}")
    boss = for_user(ana)
    environment = people.make_environment(f"env-{organization.pk}", organization=organization, name=f"Place {word}")
    project = projects.create(by=boss, name=f"Shop {word}", slug=f"shop-{organization.pk}", description=word)
    ipr = _ipr(boss, word, environment)
    projects.place(ipr.blueprint, project, by=boss)
    deployment = _deployment(ipr, word)
    webhook = make_webhook(organization=organization, url=f"https://hooks.example.org/{word}", description=word)
    make_delivery(webhook, name=word)
    task = _machines(organization, word)
    snapshot = _snapshot(task.cluster, word)
    backup = _backup(task.cluster, word)
    scan = make_scan(task.cluster, name=word, created_by=word, evidence=word)
    return Things(
        word=word, slug=organization.slug, blueprint=ipr.blueprint_id, gone_blueprint=_gone_blueprint(boss, word).pk,
        ipr=ipr.pk, deployment=deployment.job.public_id, project=str(project.public_id),
        gone_project=_gone_project(boss, word), environment=environment.slug,
        key=people.make_key(organization=organization, name=f"key {word}", description=word)[0].token_id,
        member=_member(organization, f"bo-{word}").pk, invited=_member(organization, f"cy-{word}", is_invited=True).pk,
        webhook=webhook.pk, webhook_uuid=str(webhook.uid), webhook_number=webhook.public_id,
        gone_webhook_uuid=_gone_webhook(organization), delivery=webhook.deliveries.get().pk,
        **_talk(boss, word), cluster=task.cluster.slug, vm=public_id(task.cluster.guests.get()), task=task.pk,
        vm_number=task.cluster.guests.get().pk, backup=backup.public_id, backup_number=backup.pk,
        snapshot=f"snap-{snapshot:03d}", snapshot_number=snapshot, drift=_drift(task.cluster, ipr, word),
        stray=_stray(task.cluster, word), scan=scan.public_id, scan_number=scan.pk,
        finding=f"finding-{_finding(scan):03d}", finding_number=_finding(scan),
        storage=f"storage-{task.cluster.storages.get().pk:03d}", network=f"net-{task.cluster.networks.get().pk:03d}", rule=_rule_id(organization),
        network_number=task.cluster.networks.get().pk, storage_number=task.cluster.storages.get().pk,
        instance=_instance(organization, word), request=_request(word), node=_node(),
        download=_download(organization, word),
        uid=base64.urlsafe_b64encode(str(ana.pk).encode()).decode().rstrip("="),
    )  # fmt: skip


def _instance(organization: Any, word: str) -> str:
    """One with a request that waits for it, and a limit for its group."""
    row = make_instance(
        f"model-{organization.pk}",
        organization=organization,
        model=f"{word}.gguf",
        reason=word,
        group=word,
        aliases=[word],
    )
    make_waiter(row, request_id=word, label=word)
    make_record(row, request_id=word, label=word, model=word, error=word)
    Limit.objects.create(organization=organization, group=word, most=3)
    return row.name


def _node() -> str:
    """Machines are everybody's: the first organization names one, and the other one that is not there."""
    return Node.objects.create(name="main").name if not Node.objects.exists() else "not-there"


def _request(word: str) -> str:
    return str(RequestRecord.objects.get(label=word).marker)


def _finding(scan: SecurityScan) -> int:
    return ScanFinding.objects.broken().filter(subject__scan=scan).values_list("pk", flat=True)[0]


def _ipr(boss: Actor, word: str, environment: Any) -> IPR:
    resource = make_resource(f"web-{word}")
    blueprint = make_blueprint(
        by=boss, name=f"Shop {word}", description=word, resources=[resource], metadata={"owner": word}
    )
    ipr = make_ipr(
        by=boss, blueprint=blueprint, environment=environment, title=f"Grow {word}", description=word, plan=False
    )
    plan = make_plan(ipr, item(key=f"web-{word}", reasons=[f"Because {word}."]), remarks=[word], problems=[])
    make_review(ipr, "comment", by=boss, comments=f"Look at {word}.", plan=plan)
    return ipr


def _deployment(ipr: IPR, word: str) -> Deployment:
    deployment = make_deployment(ipr, Deployment.Status.FAILED, created_by=word, error={"code": "X", "message": word})
    ipr.tell("ipr.failed", by=word, deployment=deployment.job.public_id)
    return deployment


def _gone_blueprint(boss: Actor, word: str) -> Blueprint:
    blueprint = make_blueprint(by=boss, name=f"Gone {word}")
    services.delete(blueprint, by=boss)
    return blueprint


def _gone_project(boss: Actor, word: str) -> str:
    project = projects.create(by=boss, name=f"Gone {word}", slug=f"gone-{boss.organization_id}")
    return str(projects.delete(project, by=boss).public_id)


def _gone_webhook(organization: Organization) -> str:
    row = make_webhook(organization=organization, is_active=False)
    WebhookEndpoint.objects.filter(pk=row.pk).update(deleted_at=timezone.now())
    return str(row.uid)


def _member(organization: Organization, username: str, *, is_invited: bool = False) -> Membership:
    person = people.make_user("viewer", organization=organization, username=username)
    if is_invited:
        person.set_unusable_password()
        person.save()
    return person.memberships.get()


def _talk(boss: Actor, word: str) -> dict[str, str]:
    """An assistant and a session with it, and one of each that was deleted."""
    agents = [
        assistants.create(by=boss, name=f"{name} {word}", description=word, instructions=word)
        for name in ("Here", "Gone")
    ]
    sessions = [conversations.begin(by=boss, assistant=agents[0], title=word, metadata={"a": word}) for _ in range(2)]
    conversations.say(sessions[0], f"one web server for {word}", by=boss)
    assistants.delete(agents[1], by=boss)
    conversations.delete(sessions[1], by=boss)
    names = ("agent", "gone_agent", "session", "gone_session")
    return {name: str(row.uid) for name, row in zip(names, [*agents, *sessions], strict=True)}


def _drift(cluster: Cluster, ipr: IPR, word: str) -> int:
    """A guest of the blueprint that is gone from the cluster."""
    claim = make_claim(cluster, owner=ipr.owner, key=f"web-{word}", state="live")
    now = timezone.now()
    drift = Drift.objects.create(
        organization=cluster.organization, cluster=cluster, claim=claim, kind="gone", found_at=now, seen_at=now
    )
    return drift.pk


def _stray(cluster: Cluster, word: str) -> int:
    """An orphan in quarantine."""
    now = timezone.now()
    stray = Stray.objects.create(
        organization=cluster.organization, cluster=cluster, vmid=5999, guest_kind="vm", name=word, node="pve1",
        kind="orphan", state="quarantined", note=word, due_at=now, found_at=now, seen_at=now,
    )  # fmt: skip
    return stray.pk


def _backup(cluster: Cluster, word: str) -> Backup:
    """A backup of its machine, on a storage that could not be read last."""
    make_storage(cluster, name=f"store-{word}", error=word)
    return make_backup(guest=cluster.guests.get(), description=word, created_by=word, storage=f"store-{word}")


def _snapshot(cluster: Cluster, word: str) -> int:
    """A snapshot of its machine."""
    row = GuestSnapshot.objects.create(
        guest=cluster.guests.get(), name=f"before-{word}", description=word, taken_at=timezone.now()
    )
    return row.pk


def _machines(organization: Organization, word: str) -> ClusterTask:
    """A cluster with everything that is seen on one."""
    cluster = make_cluster(organization=organization, slug=f"cluster-{organization.pk}", name=word, token_secret=word)
    claim = make_claim(cluster, key=f"vm-{word}", state="live")
    guest = make_guest(cluster, name=f"vm-{word}", vmid=claim.vmid, claim=claim, tags=word)
    for period in metrics.PERIODS:
        metrics.keep(guest, period, metrics.Series([], timezone.now()))
    now = timezone.now()
    ClusterNode.objects.create(cluster=cluster, name=f"node-{word}", is_online=True, seen_at=now)
    own: dict[str, Any] = {"cluster": cluster, "organization": organization, "state": "live"}
    store = PlaceClaim.objects.create(**own, kind="storage", handle=f"store-{word}", name=f"store-{word}")
    ClusterStorage.objects.create(
        cluster=cluster, node=f"node-{word}", name=f"store-{word}", plugin="dir", claim=store
    )  # fmt: skip
    lan = PlaceClaim.objects.create(**own, kind="vlan", handle="lan", name=word, wish=_lan(word))
    ClusterNetwork.objects.create(
        cluster=cluster,
        bridge="lan",
        name=word,
        kind="vlan",
        seen_at=now,
        claim=lan,
        firewall_rules=[_rule(organization)],
    )
    return ClusterTask.objects.create(
        cluster=cluster,
        upid=f"UPID:{word}",
        node="pve1",
        kind="qmstart",
        user=word,
        started_at=now,
        status=word,
        log=word,
    )


def _lan(word: str) -> dict[str, Any]:
    """A network as the ledger keeps it."""
    wish = Network(name=word, kind="vlan", vlan_id=7, uplink="vmbr0")
    return {**asdict(wish), "dns_servers": []}


@dataclass(frozen=True)
class Dead:
    """A key that once worked, and how it ended."""

    name: str
    end: Callable[[ApiKey, User], Any]


ENDINGS = (
    Dead("expired key", lambda key, owner: ApiKey.objects.filter(pk=key.pk).update(expires_at=_long_ago())),
    Dead("revoked key", lambda key, owner: key.revoke()),
    Dead("key of who left", lambda key, owner: owner.memberships.all().delete()),
    Dead("key of a disabled person", lambda key, owner: User.objects.filter(pk=owner.pk).update(is_active=False)),
)


def _long_ago() -> Any:
    return timezone.now() - timedelta(days=1)


def dead_keys(organization: Organization) -> dict[str, str]:
    """A secret for each way in which a key ends."""
    secrets: dict[str, str] = {}
    for ending in ENDINGS:
        owner = people.make_user(organization=organization)
        key, secrets[ending.name] = people.make_key(EVERYTHING, organization=organization, owner=owner)
        ending.end(key, owner)
    return secrets


PRESET_KEYS = {**PRESETS, "inference": INFERENCE}
