"""/pools."""

from typing import TypeVar

from vms.sandbox.core import formats, permissions
from vms.sandbox.core.api import rows
from vms.sandbox.core.errors import die
from vms.sandbox.core.model import Json, Pool
from vms.sandbox.core.parameters import boolean, formatted, listing, needing, one_of, text
from vms.sandbox.core.routing import USER, Call, Routes, holder
from vms.sandbox.core.validation import split_list

routes = Routes()
Member = TypeVar("Member", int, str)
_POOL = {"poolid": formatted(formats.pool_id).required()}
_CHANGE = {
    **_POOL,
    "vms": listing(formats.vmid),
    "storage": listing(formats.storage_id),
    "delete": boolean(),
    "allow-move": boolean(),
    "comment": text(),
}
_ALLOCATE, _AUDIT = holder("/pool/{poolid}", "Pool.Allocate"), holder("/pool/{poolid}", "Pool.Audit")
_FILTER = {"poolid": formatted(formats.pool_id), "type": needing(one_of("qemu", "lxc", "storage"), "poolid")}


def _failed(verb: str, text: str) -> Exception:
    return die(f"{verb} pool failed: error during cfs-locked 'file-user_cfg' operation: {text}")


def _pool(call: Call, verb: str = "") -> Pool:
    pool = call.world.state.pools.get(call.string("poolid"))
    if pool is None:
        text = f"pool '{call.string('poolid')}' does not exist"
        raise _failed(verb, text) if verb else die(text)
    return pool


def _members(call: Call, pool: Pool) -> list[dict[str, Json]]:
    world = call.world
    guests = [guest for vmid in pool.vms if (guest := world.state.guests.get(vmid)) is not None]
    return [rows.resource_row(world, guest, pool.poolid) for guest in guests] + [
        {"id": f"storage/{node.name}/{name}", "storage": name, "node": node.name, "type": "storage"}
        for name in pool.storages
        for node in world.state.nodes
    ]


def _details(call: Call, pool: Pool) -> dict[str, Json]:
    comment = {"comment": pool.comment} if pool.comment else {}
    return comment | {"members": [row for row in _members(call, pool) if call.string("type") in {"", row["type"]}]}


@routes.route("GET", "/pools", _FILTER, USER)
def pools(call: Call) -> Json:
    if "poolid" in call.params:
        permissions.require(call.world, call.identity, f"/pool/{call.string('poolid')}", "Pool.Audit")
        return [{"poolid": call.string("poolid"), **_details(call, _pool(call))}]
    return [
        {"poolid": pool.poolid} | ({"comment": pool.comment} if pool.comment else {})
        for pool in call.world.state.pools
        if permissions.may(call.world, call.identity, f"/pool/{pool.poolid}", "Pool.Audit")
    ]


@routes.route("GET", "/pools/{poolid}", {**_POOL, "type": one_of("qemu", "lxc", "storage")}, _AUDIT)
def pool(call: Call) -> Json:
    return _details(call, _pool(call))


@routes.route("POST", "/pools", {**_POOL, "comment": text()}, _ALLOCATE)
def create_pool(call: Call) -> Json:
    name = call.string("poolid")
    if name in call.world.state.pools:
        raise _failed("create", f"pool '{name}' already exists")
    call.world.state.pools.put(Pool(name, call.string("comment")))


def _change(call: Call) -> Json:
    pool = call.world.state.pools.edit(_pool(call, "update"))
    pool.comment = call.string("comment", pool.comment)
    vmids = [int(vmid) for vmid in split_list(call.string("vms"))]
    if not call.flag("delete"):
        _leave_other_pools(call, pool, vmids)
    _change_members(call, pool.vms, vmids, "VM")
    _change_members(call, pool.storages, split_list(call.string("storage")), "Storage")


def _leave_other_pools(call: Call, pool: Pool, vmids: list[int]) -> None:
    """A guest is in one pool; it moves only when that is allowed."""
    for vmid in vmids:
        if vmid not in call.world.state.guests:
            raise _failed("update", f"VM {vmid} does not exist")
        other = next((one for one in call.world.state.pools if vmid in one.vms and one is not pool), None)
        if other is None:
            continue
        if not call.flag("allow-move"):
            raise _failed("update", f"VM {vmid} belongs already to pool '{other.poolid}' and allow-move is not set")
        call.world.state.pools.edit(other).vms.remove(vmid)


def _change_members(call: Call, members: list[Member], named: list[Member], noun: str) -> None:
    is_removal = call.flag("delete")
    for name in named:
        if is_removal and name not in members:
            raise _failed("update", f"{noun} {name} is not a pool member")
        if not is_removal and name in members:
            raise _failed("update", f"{noun} {name} is already a pool member")
    if is_removal:
        members[:] = [member for member in members if member not in named]
    else:
        members.extend(named)


routes.route("PUT", "/pools", _CHANGE, _ALLOCATE)(_change)
routes.route("PUT", "/pools/{poolid}", _CHANGE, _ALLOCATE)(_change)


def _delete(call: Call) -> Json:
    pool = _pool(call, "delete")
    for noun, members in (("VM", pool.vms), ("storage", pool.storages)):
        if members:
            raise _failed("delete", f"pool '{pool.poolid}' is not empty (contains {noun} {members[0]})")
    call.world.state.pools.remove(pool)


routes.route("DELETE", "/pools", _POOL, _ALLOCATE)(_delete)
routes.route("DELETE", "/pools/{poolid}", _POOL, _ALLOCATE)(_delete)
