"""/cluster/replication and /nodes/{node}/replication: copies of a guest's disks on another node, by the calendar."""

from dataclasses import replace

from vms.sandbox.core import calendars, formats, permissions, sections, volumes
from vms.sandbox.core.api.crud import DELETE, DIGEST
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.errors import die, invalid
from vms.sandbox.core.model import Entry, Guest, Json
from vms.sandbox.core.parameters import Param, boolean, formatted, integer, number, one_of, optional, text
from vms.sandbox.core.routing import USER, Call, Routes
from vms.sandbox.core.sections import Section
from vms.sandbox.core.validation import split_list

routes = Routes()
JOBS = Section("replication", "id", "no such replication job '{}'", "replication job '{}' already exists")
_ID = {"id": text(pattern=r"[1-9][0-9]{2,8}-\d{1,9}").required()}
_JOB = {
    "type": one_of("local").required(), "target": formatted(formats.node_name).required(), "comment": text(4096),
    "disable": boolean(), "rate": number(1), "remove_job": one_of("local", "full"), "source": formatted(formats.node_name),
    "schedule": Param(format=calendars.check, max_length=128),
}  # fmt: skip
Row = dict[str, Json]


def _guest(call: Call, job: str) -> Guest | None:
    return call.world.state.guests.get(job.partition("-")[0])


def _require(call: Call, *privileges: str) -> None:
    permissions.require(call.world, call.identity, f"/vms/{call.string('id').partition('-')[0]}", *privileges)


def _given(call: Call) -> Row:
    given: Row = {key: call.params[key] for key in _JOB if key in call.params}
    return given | ({"rate": float(given["rate"])} if "rate" in given else {})


def _row(call: Call, entry: Entry) -> Row:
    guest, number = entry.name.split("-")
    return {**entry.values, "id": entry.name, "guest": int(guest), "jobnum": int(number)}


def _visible(call: Call) -> list[Entry]:
    return [
        entry for entry in sections.rows(call.world, JOBS)
        if permissions.may(call.world, call.identity, f"/vms/{entry.name.partition('-')[0]}", "VM.Audit")
    ]  # fmt: skip


@routes.route("GET", "/cluster/replication", {}, USER)
def jobs(call: Call) -> Json:
    return [_row(call, entry) for entry in _visible(call)]


@routes.route("POST", "/cluster/replication", {**_ID, **_JOB}, USER)
def create_job(call: Call) -> Json:
    _require(call, "VM.Replicate")
    name, guest = call.string("id"), _guest(call, call.string("id"))
    if guest is None:
        raise die(f"Guest '{name.partition('-')[0]}' does not exist.")
    target = call.string("target")
    if target not in call.world.state.nodes:
        raise die(f"Target '{target}' does not exist.")
    if guest.node == target:
        raise die("Source and target must not be identical")
    if not _replicable(call, guest):
        raise die("No replicatable volumes found")
    if sections.find(call.world, JOBS, name) is not None:
        raise die(JOBS.taken.format(name))
    call.world.state.entries.put(Entry(JOBS.name, name, {"source": guest.node, **_given(call)}))


def _replicable(call: Call, guest: Guest) -> list[volumes.Volume]:
    """Only ZFS can send what has changed."""
    return [
        volume for volume in volumes.of_guest(call.world, guest.vmid)
        if call.world.storage(volume.storage).type == "zfspool"
    ]  # fmt: skip


@routes.route("GET", "/cluster/replication/{id}", _ID, USER)
def job(call: Call) -> Json:
    _require(call, "VM.Audit")
    entry = sections.require(call.world, JOBS, call.string("id"))
    return {**_row(call, entry), "digest": sections.digest(call.world, JOBS)}


@routes.route("PUT", "/cluster/replication/{id}", {**_ID, **optional(_JOB, "type", "target"), **DELETE, **DIGEST}, USER)
def change_job(call: Call) -> Json:
    _require(call, "VM.Replicate")
    sections.check_digest(sections.digest(call.world, JOBS), call.string("digest"))
    entry = sections.find(call.world, JOBS, call.string("id"))
    if entry is None:
        raise die(f"no such job '{call.string('id')}'")
    values, given = dict(entry.values), _given(call)
    sections.drop_options(values, _JOB, given, split_list(call.string("delete")))
    call.world.state.entries.put(replace(entry, values=values | given))


@routes.route("DELETE", "/cluster/replication/{id}", {**_ID, "keep": boolean(), "force": boolean()}, USER)
def delete_job(call: Call) -> Json:
    _require(call, "VM.Replicate")
    if call.flag("keep") and call.flag("force"):
        raise invalid(keep="conflicts with parameter 'force'")
    entry = sections.find(call.world, JOBS, call.string("id"))
    if entry is None:
        raise die(f"no such job '{call.string('id')}'")
    call.world.state.entries.remove(entry)


_JOB_ON_NODE = {**NODE, **_ID}


def _status(call: Call, entry: Entry) -> Row:
    schedule = calendars.parse(str(entry.values.get("schedule", "*/15")))
    guest = _guest(call, entry.name)
    return {
        **_row(call, entry), "vmtype": guest.kind if guest is not None else "qemu", "fail_count": 0, "last_sync": 0, "last_try": 0,
        "duration": 0, "next_sync": next(schedule.after(call.world.now()), 0),
    }  # fmt: skip


def _on_node(call: Call) -> Entry:
    _require(call, "VM.Audit")
    return sections.require(call.world, JOBS, call.string("id"))


@routes.route("GET", "/nodes/{node}/replication", {**NODE, "guest": Param("integer", minimum=100)}, USER)
def jobs_of_node(call: Call) -> Json:
    wanted = call.string("guest")
    return [
        _status(call, entry) for entry in _visible(call)
        if entry.values["source"] == call.node and wanted in {"", entry.name.partition("-")[0]}
    ]  # fmt: skip


@routes.route("GET", "/nodes/{node}/replication/{id}", _JOB_ON_NODE, USER)
def job_index(call: Call) -> Json:
    return [{"name": name} for name in ("schedule_now", "log", "status")]


@routes.route("GET", "/nodes/{node}/replication/{id}/status", _JOB_ON_NODE, USER)
def job_status(call: Call) -> Json:
    return _status(call, _on_node(call))


@routes.route(
    "GET", "/nodes/{node}/replication/{id}/log", {**_JOB_ON_NODE, "start": integer(0), "limit": integer(0)}, USER
)
def job_log(call: Call) -> Json:
    _on_node(call)
    call.extra["total"] = 1
    return [{"n": 1, "t": "no content"}]


@routes.route("POST", "/nodes/{node}/replication/{id}/schedule_now", _JOB_ON_NODE, USER)
def run_now(call: Call) -> Json:
    _require(call, "VM.Replicate")
    entry = _on_node(call)
    call.world.state.entries.edit(entry)
    return None
