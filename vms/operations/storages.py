"""Making and removing storages: definitions alone, for what lies on a storage is never touched."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from vms.models import SECRETS, Cluster, ClusterStorage, PlaceClaim
from vms.operations.networks import MOST_OURS
from vms.operations.places import PlaceKind, Row, begin, chosen_cluster, claimed, held, named_cluster, refuse_used
from vms.operations.reaching import begins_work, reach
from vms.refusing import invalid

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,98}[A-Za-z0-9]", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:_-]{0,252}", re.ASCII)
_PATH = re.compile(r"(/[A-Za-z0-9._@-]+)+", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+@ -]{0,126}", re.ASCII)
SYSTEM = ("bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "usr")
"""Directories of a node in which no storage lies."""
FILES = ("images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import")
BLOCKS = ("images", "rootdir")


@dataclass(frozen=True)
class Plugin:
    """A type of storage: what it must and may be told, in the words of the API, and what it can hold."""

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()
    content: tuple[str, ...] = FILES
    is_shared: bool = False


PLUGINS = {
    "dir": Plugin(("path",)),
    "btrfs": Plugin(("path",)),
    "nfs": Plugin(("server", "export"), is_shared=True),
    "cifs": Plugin(("server", "share"), ("username", "password", "domain"), is_shared=True),
    "pbs": Plugin(
        ("server", "datastore", "username", "password"), ("fingerprint", "namespace", "encryption_key"), ("backup",),
        is_shared=True,
    ),
    "lvm": Plugin(("volume_group",), content=BLOCKS),
    "lvmthin": Plugin(("volume_group", "thin_pool"), content=BLOCKS),
    "zfspool": Plugin(("pool",), content=BLOCKS),
    "rbd": Plugin(("pool",), content=BLOCKS, is_shared=True),
    "cephfs": Plugin((), content=("vztmpl", "iso", "backup", "snippets", "import"), is_shared=True),
}  # fmt: skip
SPELT = {
    "volume_group": "vgname", "thin_pool": "thinpool", "encryption_key": "encryption-key",
}  # fmt: skip
"""What Proxmox calls them, where that is another word."""
HIDDEN = frozenset({"password", "encryption_key"})
"""Settings that are sealed until the storage is made, and told nobody."""
_RULES = {
    "path": (_PATH, "an absolute path of letters, digits, dots, hyphens and underscores"),
    "export": (_PATH, "an absolute path of letters, digits, dots, hyphens and underscores"),
    "server": (_HOST, "a host name or an address"),
    "fingerprint": (re.compile(r"([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}", re.ASCII), "32 pairs of hex digits with colons"),
}  # fmt: skip
_PLAIN = (_WORD, "letters, digits, spaces and . _ / + @ -")


@dataclass(frozen=True, kw_only=True)
class Storage:
    """A storage as it shall be. `settings` are named as in PLUGINS; without `content` it takes disks, or backups where it can
    hold nothing else; without `nodes` all nodes have it."""

    name: str
    plugin: str
    content: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    is_shared: bool = False
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    def open_settings(self) -> dict[str, str]:
        """Those that are no secret."""
        return {name: value for name, value in self.settings.items() if name not in HIDDEN}

    def definition(self) -> dict[str, Any]:
        """What Proxmox shall be told, without the secrets."""
        told: dict[str, Any] = {
            "storage": self.name, "type": self.plugin, "content": ",".join(self.content),
            **{SPELT.get(name, name): value for name, value in self.open_settings().items()},
        }  # fmt: skip
        if self.nodes:
            told["nodes"] = ",".join(self.nodes)
        return told | ({"shared": True} if self.is_shared and not PLUGINS[self.plugin].is_shared else {})

    def sealed(self) -> str:
        """The secrets as they may be kept."""
        hidden = {SPELT.get(name, name): value for name, value in self.settings.items() if name in HIDDEN}
        return SECRETS.seal(json.dumps(hidden)) if hidden else ""


def check(wish: Storage) -> None:
    """What can be said without any cluster. Raises Invalid."""
    if not _NAME.fullmatch(wish.name):
        raise invalid(
            "name", "2 to 100 letters, digits, dots, hyphens and underscores", wish.name[:100], reason="invalid_name"
        )
    plugin = PLUGINS[wish.plugin]
    for name in plugin.needed:
        if not wish.settings.get(name):
            raise invalid(name, f"a storage of type {wish.plugin} needs it", reason="required")
    for name, value in wish.settings.items():
        if name not in (*plugin.needed, *plugin.optional):
            raise invalid(name, f"a storage of type {wish.plugin} has none", reason="not_for_this_type")
        pattern, words = _RULES.get(name, _PLAIN)
        if name not in HIDDEN and not pattern.fullmatch(value):
            raise invalid(name, words, value[:100])
    path = wish.settings.get("path", "/srv").strip("/").split("/")
    if path[0] in SYSTEM or {".", ".."} & set(path):
        raise invalid(
            "path",
            f"not in a directory of the system ({', '.join(SYSTEM)})",
            wish.settings["path"][:100],
            reason="system_directory",
        )
    if unfit := sorted(set(wish.content) - set(plugin.content)):
        raise invalid(
            "content",
            f"a storage of type {wish.plugin} holds {', '.join(plugin.content)}",
            unfit[0],
            reason="not_for_this_type",
        )


def create(wish: Storage, *, cluster: str = "", by: Actor) -> tuple[ClusterStorage, Job]:
    """Begin to make a storage. Raises Refused, Invalid, WrongState for a name that is taken or while another job is at it,
    Unavailable."""
    by.require("storage:write")
    check(wish)
    reach(named_cluster(cluster, by=by))
    return _create(wish, cluster, by=by)


@transaction.atomic
def _create(wish: Storage, cluster: str, *, by: Actor) -> tuple[ClusterStorage, Job]:
    place = chosen_cluster(cluster, by=by)
    wish = replace(wish, content=wish.content or _usual(wish), nodes=_nodes(wish, place))
    claim = _claim(wish, place)
    node = next(iter(wish.nodes), None) or place.nodes.order_by("-is_online", "name").values_list("name", flat=True)[0]
    row, _ = ClusterStorage.objects.update_or_create(
        cluster=place, node=node, name=wish.name,
        defaults={
            "plugin": wish.plugin, "content": ", ".join(sorted(wish.content)), "claim": claim, "is_active": False,
            "is_shared": wish.is_shared or PLUGINS[wish.plugin].is_shared,
        },
    )  # fmt: skip
    return row, _begin("create", row, claim, goal=wish.definition(), before=None, by=by)


def _usual(wish: Storage) -> tuple[str, ...]:
    known = PLUGINS[wish.plugin].content
    return BLOCKS if set(BLOCKS) <= set(known) else known[:1] if len(known) == 1 else ("backup",)


def _nodes(wish: Storage, cluster: Cluster) -> tuple[str, ...]:
    """Those that were named. Raises Invalid for one that is not there."""
    known = sorted(cluster.nodes.values_list("name", flat=True))
    if not known:
        raise WrongState(f"{cluster.name} has not been read yet.", code="NOT_READ_YET")
    for name in wish.nodes:
        if name not in known:
            raise invalid(
                "nodes", f"there is no such node (there are: {', '.join(known)})", name[:100], reason="no_such_node"
            )
    return tuple(sorted(set(wish.nodes)))


def _claim(wish: Storage, cluster: Cluster) -> PlaceClaim:
    """A row of the ledger: a new one, or that of an attempt which ended halfway. Raises WrongState."""
    rows = PlaceClaim.objects.active().filter(cluster=cluster)
    same = rows.filter(kind=PlaceClaim.Kind.STORAGE, handle=wish.name).first()
    others = cluster.storages.filter(name=wish.name)
    is_there = (others.exclude(claim=same) if same else others).exists()
    if is_there or (same is not None and same.state == PlaceClaim.State.LIVE and same.storages.exists()):
        raise WrongState(f"There is a storage {wish.name} on {cluster.name} already.", code="NAME_TAKEN")
    if rows.count() >= MOST_OURS:
        raise WrongState(f"ALMA has {MOST_OURS} networks and storages on {cluster.name}.", code="TOO_MANY_PLACES")
    kept = {"definition": wish.definition()}
    if same is None:
        return claimed(
            cluster,
            kind=PlaceClaim.Kind.STORAGE,
            handle=wish.name,
            name=wish.name,
            wish=kept,
            secrets_sealed=wish.sealed(),
        )
    same.wish, same.secrets_sealed = kept, wish.sealed()
    same.save(update_fields=["wish", "secrets_sealed", "updated_at"])
    return same


@begins_work
def delete(row: ClusterStorage, *, by: Actor) -> Job:
    """Remove the definition of a storage of ALMA's on which no disks lie; its data stays. Raises Refused, WrongState,
    Unavailable."""
    claim = held(row, "storage:write", by=by)
    refuse_used(row.cluster, "disks", {"storage": row.name}, node="")
    return _begin("delete", row, claim, goal=None, before=claim.wish["definition"], by=by)


def _begin(verb: str, row: ClusterStorage, claim: PlaceClaim, *, goal: Any, before: Any, by: Actor) -> Job:
    params = {"cluster": claim.cluster_id, "claim": str(claim.pk), "goal": goal, "before": before}
    steps = [StepSpec("storage.definition", claim.handle, f"Storage {claim.name}", 0, 1, params)]
    return begin("storage", verb, claim, steps, where=f"storage:{claim.handle}", by=by, storage=row.pk)


class StorageKind(PlaceKind):
    """A job about a storage."""

    def row(self, job: Job) -> ClusterStorage | None:
        """The storage that lists show."""
        return ClusterStorage.objects.select_related("cluster").filter(pk=job.params["storage"]).first()

    def take(self, row: Row, claim: PlaceClaim, job: Job) -> None:
        """It is there; the next reading tells how large it is."""
        ClusterStorage.objects.filter(pk=row.pk).update(is_active=True, claim=claim)

    def forget(self, row: Row) -> None:
        """It has a row for each node, and one definition."""
        ClusterStorage.objects.filter(cluster=row.cluster, name=row.name).delete()
