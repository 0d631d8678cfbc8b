"""Jobs that run by the calendar: backups, syncs of realms; /cluster/backup and /cluster/jobs."""

from dataclasses import replace
from datetime import UTC, datetime

from vms.sandbox.core import calendars, drives, formats, realms, sections
from vms.sandbox.core.api.crud import Crud, make, serve
from vms.sandbox.core.errors import invalid, wrong
from vms.sandbox.core.model import Entry, Guest, Json
from vms.sandbox.core.parameters import Param, array, boolean, formatted, integer, listing, needing, one_of, text
from vms.sandbox.core.routing import SUPERUSER, USER, Call, Routes, every, holder
from vms.sandbox.core.sections import Section
from vms.sandbox.core.validation import split_list
from vms.sandbox.core.world import World

routes = Routes()
_LOCK = "file-jobs_cfg"
_SCHEDULE = Param(format=calendars.check, max_length=128)
_AUDIT, _MODIFY = holder("/", "Sys.Audit"), holder("/", "Sys.Modify")
BACKUPS = Section("jobs/vzdump", "id", "No such job '{}'", "Job '{}' already exists", _LOCK, blames="id")
SYNCS = Section("jobs/realm-sync", "id", "No such job '{}'", "Job '{}' already exists", _LOCK, blames="id")
_BACKUP = {
    "all": boolean(), "bwlimit": integer(0), "comment": text(512), "compress": one_of("0", "1", "gzip", "lzo", "zstd"),
    "dumpdir": text(), "enabled": boolean(), "exclude": listing(formats.vmid), "exclude-path": array(), "fleecing": text(),
    "ionice": integer(0, 8), "lockwait": integer(0), "mailnotification": one_of("always", "failure"), "mailto": text(),
    "maxfiles": integer(1), "mode": one_of("snapshot", "suspend", "stop"), "node": formatted(formats.node_name),
    "notes-template": needing(text(1024), "storage"), "notification-mode": one_of("auto", "legacy-sendmail", "notification-system"),
    "pbs-change-detection-mode": one_of("legacy", "data", "metadata"), "performance": text(), "pigz": integer(), "pool": text(),
    "protected": needing(boolean(), "storage"), "prune-backups": text(), "quiet": boolean(), "remove": boolean(),
    "repeat-missed": boolean(), "schedule": _SCHEDULE, "script": text(), "stdexcludes": boolean(), "stop": boolean(),
    "stopwait": integer(0), "storage": formatted(formats.storage_id), "tmpdir": text(), "vmid": listing(formats.vmid),
    "zstd": integer(),
}  # fmt: skip
_OLD_SCHEDULE = {"starttime": text(pattern=r"\d{1,2}:\d{1,2}"), "dow": needing(text(), "starttime")}
_PROPERTIES = ("prune-backups", "fleecing", "performance")


def _check_backup(call: Call, entry: Entry, is_new: bool) -> None:
    values = entry.values
    if "starttime" in call.params:
        if "schedule" in call.params:
            raise invalid(starttime="'starttime' and 'schedule' cannot both be set")
        values["schedule"] = " ".join(filter(None, (call.string("dow"), call.string("starttime"))))
    if not values.get("schedule"):
        raise invalid(schedule="neither 'starttime' nor 'schedule' were set")
    for key in ("all", "exclude", "pool"):
        if values.get(key) and values.get("vmid"):
            raise wrong({key: "option conflicts with option 'vmid'"})
    if values.get("exclude") and not values.get("pool"):
        values["all"] = 1
    if not any(values.get(key) for key in ("all", "stop", "pool", "vmid")):
        raise invalid(vmid="property is missing")
    values.setdefault("enabled", 1)
    values["type"] = "vzdump"


def _backup_row(call: Call, entry: Entry) -> dict[str, Json]:
    parsed = {key: _properties(str(entry.values[key])) for key in _PROPERTIES if entry.values.get(key)}
    return {**parsed, **_next_run(call.world, entry)}


def _properties(value: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in value.split(",") if "=" in part)


def _next_run(world: World, entry: Entry) -> dict[str, int]:
    if not entry.values.get("enabled", 1):
        return {}
    return {"next-run": next(calendars.parse(str(entry.values["schedule"])).after(world.now()), 0)}


_BACKUPS = Crud(
    BACKUPS, "/cluster/backup", text(50, pattern=r"\S+"), _BACKUP, lists=_AUDIT, reads=_AUDIT, makes=_MODIFY, changes=_MODIFY,
    removes=_MODIFY, fixed=(), always=_OLD_SCHEDULE, keeps_always=False, check=_check_backup, listed=_backup_row, shown=_backup_row, has_digest=False,
    shows_digest=False,
)  # fmt: skip


def _create_backup(call: Call) -> Json:
    """A job without a name gets one."""
    call.params.setdefault("id", call.world.random_uuid())
    return make(_BACKUPS)(call)


serve(
    routes,
    replace(_BACKUPS, options={**_BACKUP, "id": formatted(formats.config_id)}, makes_up_keys=True, fixed=("id",)),
    making=_create_backup,
)


def is_covered(world: World, guest: Guest, entry: Entry) -> bool:
    """Whether a backup job saves a guest."""
    values = entry.values
    if not values.get("enabled", 1) or values.get("node", guest.node) != guest.node:
        return False
    if str(guest.vmid) in split_list(str(values.get("exclude", ""))):
        return False
    pool = world.state.pools.get(str(values.get("pool", "")))
    in_pool = pool is not None and guest.vmid in pool.vms
    return bool(values.get("all")) or in_pool or str(guest.vmid) in split_list(str(values.get("vmid", "")))


def backed_up(world: World) -> set[int]:
    """The guests that some backup job saves."""
    entries = sections.rows(world, BACKUPS)
    return {guest.vmid for guest in world.state.guests if any(is_covered(world, guest, entry) for entry in entries)}


@routes.route("GET", "/cluster/backup/{id}/included_volumes", {"id": text(50, pattern=r"\S+").required()}, _AUDIT)
def included_volumes(call: Call) -> Json:
    entry = sections.require(call.world, BACKUPS, call.string("id"))
    found = [guest for guest in call.world.state.guests if is_covered(call.world, guest, entry)]
    return {"children": [_volumes_of(call, guest) for guest in found]}


def _volumes_of(call: Call, guest: Guest) -> dict[str, Json]:
    disks = drives.attached(call.world, guest).items()
    children = [{"id": key, "name": volume.volid, "included": 1, "reason": "enabled"} for key, volume in disks]
    return {"id": guest.vmid, "name": guest.name, "type": guest.kind, "children": children}


@routes.route("GET", "/cluster/backup-info", {}, SUPERUSER)
def backup_info(call: Call) -> Json:
    return [{"subdir": "not-backed-up"}]


@routes.route("GET", "/cluster/jobs", {}, USER)
def index(call: Call) -> Json:
    return [{"subdir": "schedule-analyze"}, {"subdir": "realm-sync"}]


_ANALYSIS = {"schedule": _SCHEDULE.required(), "starttime": integer(), "iterations": integer(1, 100)}


@routes.route("GET", "/cluster/jobs/schedule-analyze", _ANALYSIS, USER)
def analyse(call: Call) -> Json:
    """The next times of a calendar event."""
    times = calendars.parse(call.string("schedule")).after(call.number("starttime", int(call.world.now())))
    found = [moment for moment, _ in zip(times, range(call.number("iterations", 10)), strict=False)]
    return [
        {"timestamp": each, "utc": datetime.fromtimestamp(each, UTC).strftime("%a %b %e %H:%M:%S %Y")} for each in found
    ]


_VANISHED = text(pattern="(?:(?:(?:acl|properties|entry);)*(?:acl|properties|entry))|none")
_SYNC = {
    "schedule": _SCHEDULE.required(), "realm": Param(format=formats.realm, max_length=32), "comment": text(512),
    "enabled": boolean(), "enable-new": boolean(), "remove-vanished": _VANISHED, "scope": one_of("users", "groups", "both"),
}  # fmt: skip
_SYNC_RIGHTS = every(holder("/access/realm/{realm}", "Realm.AllocateUser"), holder("/access/groups", "User.Modify"))


def _check_sync(call: Call, entry: Entry, is_new: bool) -> None:
    realm = str(entry.values.get("realm", ""))
    found = realms.configured(call.world).get(realm)
    if found is None:
        raise invalid(realm=f"No such realm '{realm}'")
    if found["type"] not in {"ad", "ldap"}:
        raise invalid(realm="Only LDAP/AD realms can be synced.")
    entry.values.setdefault("enabled", 1)


serve(
    routes,
    Crud(
        SYNCS, "/cluster/jobs/realm-sync", Param(format=formats.config_id, max_length=64), _SYNC, lists=_AUDIT, reads=_AUDIT,
        makes=_SYNC_RIGHTS, changes=_SYNC_RIGHTS, removes=_MODIFY, fixed=("realm",), needed=("schedule",), check=_check_sync, is_made_by_name=True,
        listed=lambda call, entry: _next_run(call.world, entry), has_digest=False, shows_digest=False,
    ),
)  # fmt: skip
