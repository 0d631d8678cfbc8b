"""Who may call a method: checks on the privileges of whoever asks, combined as Proxmox describes them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vms.sandbox.core import permissions
from vms.sandbox.core.errors import ApiError, die, refused
from vms.sandbox.core.identity import Identity
from vms.sandbox.core.model import Json
from vms.sandbox.core.world import World

Params = Mapping[str, Json]
Check = Callable[[World, Identity, Params], None]
_LIST = re.compile(r"[,;\s\0]+")


@dataclass(frozen=True, slots=True)
class Access:
    """`check` raises the 403; `is_open` methods are for whoever has not logged in as well."""

    check: Check
    is_open: bool = False


def path_of(template: str, params: Params) -> str:
    """The path on which a privilege is wanted: what is not given stands as `-`."""
    return re.sub(r"\{([\w-]+)\}", lambda match: str(params.get(match[1], "-")), template)


def _anybody(world: World, identity: Identity, params: Params) -> None:
    """Nothing is asked for."""


def _user(world: World, identity: Identity, params: Params) -> None:
    if not identity.user:
        raise refused("user != null")


def _root(world: World, identity: Identity, params: Params) -> None:
    if not identity.is_root:
        raise refused("user != root@pam")


def _superuser(world: World, identity: Identity, params: Params) -> None:
    if not identity.is_root_ticket:
        raise refused("user != root@pam")


WORLD, USER, ROOT = Access(_anybody, is_open=True), Access(_user), Access(_root)
SUPERUSER = Access(_superuser)
"""Root with a ticket: not even root's tokens, as of all methods that say nothing of permissions."""


def holder(path: str, *privileges: str) -> Access:
    """One of the privileges on a path."""
    return Access(
        lambda world, identity, params: permissions.require(world, identity, path_of(path, params), *privileges)
    )


def each(path: str, *privileges: str) -> Access:
    """All of the privileges on a path."""
    return Access(
        lambda world, identity, params: permissions.require_each(world, identity, path_of(path, params), *privileges)
    )


def given(name: str, access: Access) -> Access:
    """Only for a call that gives this parameter."""

    def check(world: World, identity: Identity, params: Params) -> None:
        if params.get(name) is None:
            raise refused()
        access.check(world, identity, params)

    return Access(check)


def every(*parts: Access) -> Access:
    def check(world: World, identity: Identity, params: Params) -> None:
        for part in parts:
            part.check(world, identity, params)

    return Access(check)


def either(*parts: Access) -> Access:
    """One of several: the refusal then names none of them."""

    def check(world: World, identity: Identity, params: Params) -> None:
        if not any(_passes(part, world, identity, params) for part in parts):
            raise refused()

    return Access(check)


def _passes(part: Access, world: World, identity: Identity, params: Params) -> bool:
    try:
        part.check(world, identity, params)
    except ApiError:
        return False
    return True


def _own_user(world: World, identity: Identity, params: Params) -> None:
    if identity.name != params.get("userid") or identity.name not in world.state.users:
        raise refused()


OWN_USER = Access(_own_user)


def _realm_allocator(world: World, identity: Identity, params: Params) -> None:
    realm = str(params.get("userid", "")).rpartition("@")[2]
    permissions.require(world, identity, f"/access/realm/{realm}", "Realm.AllocateUser")


REALM_ALLOCATOR = Access(_realm_allocator)


def user_manager(*privileges: str, names_groups: bool = False, creates: bool = False) -> Access:
    """A privilege on all groups, or on the groups that the call names and that the user is in."""

    def check(world: World, identity: Identity, params: Params) -> None:
        userid = str(params.get("userid", ""))
        if not creates and userid not in world.state.users:
            raise die(f"no such user ('{userid}')")
        if permissions.may(world, identity, "/access/groups", *privileges):
            return
        if names_groups:
            _require_groups(world, identity, params, privileges)
        if not creates and not _is_in_a_group_of(world, identity, userid, privileges):
            raise refused()

    return Access(check)


def _require_groups(world: World, identity: Identity, params: Params, privileges: tuple[str, ...]) -> None:
    named = [name for name in _LIST.split(str(params.get("groups", ""))) if name]
    for path in [f"/access/groups/{name}" for name in named] or ["/access/groups"]:
        permissions.require(world, identity, path, *privileges)


def _is_in_a_group_of(world: World, identity: Identity, userid: str, privileges: tuple[str, ...]) -> bool:
    return any(
        userid in group.users and permissions.may(world, identity, f"/access/groups/{group.groupid}", *privileges)
        for group in world.state.groups
    )


_OWNER_OF = {"storage": "Datastore.Allocate", "vms": "VM.Allocate", "pool": "Pool.Allocate"}


def grants_on(world: World, identity: Identity, path: str) -> list[str]:
    """The privileges of which one lets change the permissions on a path."""
    owner = re.fullmatch(r"/(storage|vms|pool)/.+", path)
    return ["Permissions.Modify", *([_OWNER_OF[owner[1]]] if owner else [])]


def _grantor(world: World, identity: Identity, params: Params) -> None:
    path = normal_path(str(params.get("path", "")))
    permissions.require(world, identity, path, *grants_on(world, identity, path))


GRANTOR = Access(_grantor)


def normal_path(path: str) -> str:
    """`vms//100/` as `/vms/100`."""
    return "/" + "/".join(part for part in path.split("/") if part)
