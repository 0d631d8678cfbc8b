"""The access control list: what a user or token may do on a path."""

from collections.abc import Iterable, Iterator

from vms.sandbox.core.errors import refused
from vms.sandbox.core.identity import Identity
from vms.sandbox.core.model import Grant
from vms.sandbox.core.roles import EVERYTHING, ROLES
from vms.sandbox.core.world import World

_AREAS = {
    "vms": ("VM.",), "access": ("User.", "Group."), "storage": ("Datastore.",), "nodes": ("Sys.",), "sdn": ("SDN.",),
    "dc": ("Sys.Audit", "Sys.Modify", "SDN."), "mapping": ("Mapping.",),
}  # fmt: skip
_AREA_PATHS = ("/", "/nodes", "/access/groups", "/vms", "/storage", "/sdn", "/mapping")
_OWN_PATHS = {"/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"}


def privileges_of_role(world: World, roleid: str) -> frozenset[str]:
    """The privileges of a built-in or a made role; an unknown one has none."""
    own = world.state.roles.get(roleid)
    return ROLES.get(roleid, frozenset()) if own is None else frozenset(own.privileges)


def is_role(world: World, roleid: str) -> bool:
    return roleid in ROLES or roleid in world.state.roles


def privileges(world: World, identity: Identity, path: str) -> dict[str, int]:
    """The privileges on a path, each with whether it propagates."""
    if identity.is_root:
        return dict.fromkeys(sorted(EVERYTHING), 1)
    if not identity.tokenid:
        return _granted(world, identity.user, path)
    users = privileges(world, Identity(identity.user), path)
    if not identity.privsep:
        return users
    own = _granted(world, identity.name, path)
    return {name: int(own[name] and users[name]) for name in own if name in users}


def _granted(world: World, name: str, path: str) -> dict[str, int]:
    roles = _with_pool_roles(world, name, path, roles_on(world, name, path))
    known: dict[tuple[tuple[str, int], ...], dict[str, int]] = world.derived("privileges", world.state.roles, _nothing)
    key = tuple(sorted(roles.items()))
    if key not in known:
        known[key] = _privileges_of(world, roles)
    return known[key]


def _nothing(world: World) -> dict[str, int]:
    return {}


def _privileges_of(world: World, roles: dict[str, int]) -> dict[str, int]:
    """What roles give together: a privilege propagates when one of them says so."""
    found: dict[str, int] = {}
    for roleid, propagate in roles.items():
        for privilege in privileges_of_role(world, roleid):
            found[privilege] = found.get(privilege, 0) or propagate
    return dict(sorted(found.items()))


def roles_on(world: World, name: str, path: str) -> dict[str, int]:
    """The roles of the most specific level that speaks of this user or token, else of its groups."""
    groups = world.derived("members", world.state.groups, _index_of_members).get(name, set())
    roles: dict[str, int] = {}
    for level in _levels(path):
        here = [grant for grant in _grants_on(world, level) if grant.propagate or level == path]
        speaking = _speaking(here, name, groups)
        if speaking:
            roles = {grant.roleid: grant.propagate for grant in speaking}
    return {"NoAccess": roles["NoAccess"]} if "NoAccess" in roles else roles


def _speaking(grants: list[Grant], name: str, groups: set[str]) -> list[Grant]:
    """The grants of one level that count: those of the user or token itself, else those of its groups."""
    own = [grant for grant in grants if grant.type != "group" and grant.ugid == name]
    return own or [grant for grant in grants if grant.type == "group" and grant.ugid in groups]


def _index_of_members(world: World) -> dict[str, set[str]]:
    index: dict[str, set[str]] = {}
    for group in world.state.groups:
        for name in group.users:
            index.setdefault(name, set()).add(group.groupid)
    return index


def _levels(path: str) -> Iterator[str]:
    """`/`, `/vms`, `/vms/100`."""
    yield "/"
    parts = [part for part in path.split("/") if part]
    for size in range(1, len(parts) + 1):
        yield "/" + "/".join(parts[:size])


def _grants_on(world: World, path: str) -> Iterable[Grant]:
    index = world.derived("grants", world.state.grants, _index_of_grants)
    found: list[Grant] = index.get(path, [])
    return found


def _index_of_grants(world: World) -> dict[str, list[Grant]]:
    index: dict[str, list[Grant]] = {}
    for grant in world.state.grants:
        index.setdefault(grant.path, []).append(grant)
    return index


def _with_pool_roles(world: World, name: str, path: str, roles: dict[str, int]) -> dict[str, int]:
    """A pool's roles reach its guests and storages, never propagate, and yield to NoAccess."""
    members = world.derived("pools", world.state.pools, _index_of_pools)
    for poolid in members.get(path, []):
        granted = roles_on(world, name, f"/pool/{poolid}")
        if "NoAccess" in roles:
            return roles
        roles = {"NoAccess": 0} if "NoAccess" in granted else {**dict.fromkeys(granted, 0), **roles}
    return roles


def _index_of_pools(world: World) -> dict[str, list[str]]:
    index: dict[str, list[str]] = {}
    for pool in world.state.pools:
        for path in [*(f"/vms/{vmid}" for vmid in pool.vms), *(f"/storage/{name}" for name in pool.storages)]:
            index.setdefault(path, []).append(pool.poolid)
    return index


def may(world: World, identity: Identity, path: str, *wanted: str) -> bool:
    """Whether any of the wanted privileges is held on the path."""
    return identity.is_root or bool(privileges(world, identity, path).keys() & set(wanted))


def require(world: World, identity: Identity, path: str, *wanted: str) -> None:
    """One of the privileges on the path, or the 403 that names them."""
    if not may(world, identity, path, *wanted):
        raise refused(f"{path}, {'|'.join(wanted)}")


def require_each(world: World, identity: Identity, path: str, *wanted: str) -> None:
    """All of the privileges on the path, or the 403 that names the first that is missing."""
    for name in wanted:
        require(world, identity, path, name)


def known_paths(world: World) -> list[str]:
    """The paths that a listing of one's own permissions shows."""
    members = world.derived("pools", world.state.pools, _index_of_pools)
    return sorted(_OWN_PATHS | {grant.path for grant in world.state.grants} | set(members))


def capabilities(world: World, identity: Identity) -> dict[str, dict[str, int]]:
    """The `cap` of a login: what a user interface should offer."""
    shown: dict[str, dict[str, int]] = {area: {} for area in _AREAS}
    for path in {*_AREA_PATHS, *(grant.path for grant in world.state.grants)}:
        top = path.split("/")[1] or "dc"
        for name in privileges(world, identity, path):
            for area in _areas_of(top, name):
                shown[area][name] = 1
    return shown


def _areas_of(top: str, privilege: str) -> Iterator[str]:
    """The areas in which a privilege that is held below a top level is offered."""
    candidates = ("vms", "storage") if top == "pool" else (top,)
    for area in candidates:
        modifies = privilege == "Permissions.Modify" and area != "dc"
        if area in _AREAS and (modifies or privilege.startswith(_AREAS[area])):
            yield area
