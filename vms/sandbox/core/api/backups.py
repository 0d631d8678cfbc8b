"""/nodes/{node}/vzdump."""

from vms.sandbox.core import archives, backup, formats, permissions, volumes
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.errors import die
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import Param, array, boolean, formatted, integer, listing, one_of, text
from vms.sandbox.core.routing import USER, Call, Routes

routes = Routes()
_JOB = {
    **NODE, "vmid": listing(formats.vmid), "all": boolean(), "pool": text(), "exclude": listing(formats.vmid),
    "storage": formatted(formats.storage_id), "mode": one_of("snapshot", "suspend", "stop"),
    "compress": one_of("0", "1", "gzip", "lzo", "zstd"), "notes-template": Param(max_length=1024, requires="storage"),
    "protected": Param("boolean", requires="storage"), "prune-backups": formatted(archives.RETENTION),
    "remove": boolean(), "bwlimit": integer(0), "ionice": integer(0, 8), "lockwait": integer(0),
    "stopwait": integer(0), "quiet": boolean(), "stop": boolean(), "stdout": boolean(), "stdexcludes": boolean(),
    "mailnotification": one_of("always", "failure"), "mailto": text(), "pigz": integer(), "zstd": integer(),
    "notification-mode": one_of("auto", "legacy-sendmail", "notification-system"), "job-id": text(50),
    "pbs-change-detection-mode": one_of("legacy", "data", "metadata"), "performance": text(), "fleecing": text(),
    "dumpdir": text(), "tmpdir": text(), "script": text(), "exclude-path": array(), "maxfiles": integer(1),
}  # fmt: skip
_DEFAULTS: dict[str, Json] = {
    "all": 0, "bwlimit": 0, "compress": "0", "ionice": 7, "lockwait": 180, "mailnotification": "always",
    "mode": "snapshot", "notification-mode": "auto", "pigz": 0, "prune-backups": "keep-all=1", "quiet": 0, "remove": 1,
    "stdexcludes": 1, "stop": 0, "stopwait": 10, "zstd": 1,
}  # fmt: skip


@routes.route("POST", "/nodes/{node}/vzdump", _JOB, USER)
def start(call: Call) -> Json:
    return backup.start(call)


@routes.route("GET", "/nodes/{node}/vzdump/defaults", {**NODE, "storage": formatted(formats.storage_id)}, USER)
def defaults(call: Call) -> Json:
    """What a job is like when nothing else is said; a storage may have its own retention."""
    if "storage" not in call.params:
        return _DEFAULTS
    storage = call.world.usable_storage(call.string("storage"), call.node)
    kept = str(storage.settings.get("prune-backups", _DEFAULTS["prune-backups"]))
    return _DEFAULTS | {"storage": storage.name, "prune-backups": kept}


@routes.route("GET", "/nodes/{node}/vzdump/extractconfig", {**NODE, "volume": text().required()}, USER)
def configuration(call: Call) -> Json:
    """The text of the configuration inside an archive."""
    storage, name = volumes.split(call.string("volume"))
    wanted = ("Datastore.AllocateSpace", "Datastore.Allocate")
    permissions.require(call.world, call.identity, f"/storage/{storage}", *wanted)
    if not archives.is_backup(name):
        raise die(f"unable to extract configuration: '{call.string('volume')}' is no backup archive")
    call.world.usable_storage(storage, call.node)
    volume = volumes.find(call.world, call.string("volume"), call.node)
    if volume is None:
        raise die(f"volume '{call.string('volume')}' does not exist")
    return archives.config_text(volume)
