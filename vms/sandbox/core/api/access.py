"""/access: logging in, one's own permissions, passwords, and the access control list."""

import re

from vms.sandbox.core import access, authentication, formats, permissions, realms, sections
from vms.sandbox.core.api.cluster import CLUSTER_NAME
from vms.sandbox.core.errors import ApiError, die, invalid, wrong
from vms.sandbox.core.identity import Identity
from vms.sandbox.core.model import Grant, Json, User
from vms.sandbox.core.parameters import Param, boolean, integer, listing, needing, text
from vms.sandbox.core.routing import USER, WORLD, Access, Call, Routes, either, every
from vms.sandbox.core.validation import split_list

routes = Routes()
USER_ID = {"userid": Param(format=formats.user_id, max_length=64, is_required=True)}
USER_LOCK = "file-user_cfg"
_PRIVILEGES = listing(formats.privilege)
_LOGIN = {
    "username": text(64).required(), "password": text().required(), "realm": Param(format=formats.realm, max_length=32),
    "otp": text(), "tfa-challenge": text(), "new-format": boolean(), "path": needing(text(64), "privs"),
    "privs": needing(Param(format=formats.privilege, is_list=True, max_length=64), "path"),
}  # fmt: skip
_ACL_PATH = re.compile(
    r"/|/access|/access/(?:groups|realm)(?:/[\w.-]+)?|/nodes(?:/[\w.-]+)?|/pool(?:/[\w.-]+){0,3}|/sdn"
    r"|/sdn/(?:controllers|dns|fabrics|ipams|prefix-lists|route-maps)(?:/[\w-]+)?"
    r"|/sdn/zones(?:/[\w.-]+){0,2}|/sdn/zones/[\w.-]+/[\w.-]+/[1-9]\d{0,3}|/storage(?:/[\w.-]+)?|/vms(?:/[1-9]\d{2,})?"
    r"|/mapping(?:/[\w.-]+){0,2}",
    re.ASCII,
)  # fmt: skip


@routes.route("GET", "/access", {}, USER)
def index(call: Call) -> Json:
    names = ("users", "groups", "roles", "acl", "domains", "openid", "tfa", "ticket", "password", "permissions")
    return [{"subdir": name} for name in names]


@routes.route("GET", "/access/ticket", {}, WORLD)
def ticket_form(call: Call) -> Json:
    """An empty method: the login page of the HTML format is behind it."""


@routes.route("POST", "/access/ticket", _LOGIN, WORLD, is_ticket_only=True)
def log_in(call: Call) -> Json:
    userid = call.string("username")
    if "realm" in call.params and not userid.endswith(f"@{call.string('realm')}"):
        userid = f"{userid}@{call.string('realm')}"
    authentication.log_in(call.world, userid, call.string("password"))
    if "path" in call.params:
        _verify(call, userid)
    return {
        "username": userid, "ticket": authentication.issue_ticket(call.world, userid),
        "CSRFPreventionToken": authentication.issue_csrf_token(call.world, userid), "clustername": CLUSTER_NAME,
        "cap": permissions.capabilities(call.world, Identity(userid)),
    }  # fmt: skip


def _verify(call: Call, userid: str) -> None:
    """A login that is only to prove privileges on a path fails without them."""
    for name in split_list(call.string("privs")):
        if not permissions.may(call.world, Identity(userid), call.string("path"), name):
            raise ApiError(401, "authentication failure")


_VNC_TICKET = {
    "authid": text(64).required(), "vncticket": text().required(), "path": text(64).required(), "port": integer(),
    "privs": Param(format=formats.privilege, is_list=True, max_length=64, is_required=True),
}  # fmt: skip


@routes.route("POST", "/access/vncticket", _VNC_TICKET, WORLD)
def verify_console_ticket(call: Call) -> Json:
    """What the proxy in front of a console asks. Whoever is refused is not told why."""
    name, path = call.string("authid"), call.string("path")
    user, _, tokenid = name.partition("!")
    token = call.world.state.tokens.get(name) if tokenid else None
    identity = Identity(user, tokenid, privsep=token is not None and bool(token.privsep))
    is_right = authentication.is_console_ticket(call.world, call.string("vncticket"), name, path, call.number("port"))
    if not is_right or not permissions.may(call.world, identity, path, *split_list(call.string("privs"))):
        raise ApiError(401, "authentication failure")


@routes.route("GET", "/access/permissions", {"path": text(), "userid": text(pattern=formats.USER_OR_TOKEN)}, USER)
def own_permissions(call: Call) -> Json:
    """One's own privileges, or for auditors those of somebody else, per path with whether they propagate."""
    identity = _asked_about(call)
    paths = [call.string("path")] if "path" in call.params else permissions.known_paths(call.world)
    held = {path: permissions.privileges(call.world, identity, path) for path in paths}
    return {path: found for path, found in held.items() if found or "path" in call.params}


def _asked_about(call: Call) -> Identity:
    name = call.string("userid")
    if not name or name == call.identity.name:
        return call.identity
    user, _, tokenid = name.partition("!")
    if call.identity.name != user:
        permissions.require(call.world, call.identity, "/access", "Sys.Audit")
    token = call.world.state.tokens.get(name) if tokenid else None
    if (tokenid and token is None) or user not in call.world.state.users:
        raise die(f"no such {'token' if tokenid else 'user'} ('{name}')")
    return Identity(user, tokenid, privsep=token is not None and bool(token.privsep))


def find_user(call: Call) -> User:
    user = call.world.state.users.get(call.string("userid"))
    if user is None:
        raise die(f"no such user ('{call.string('userid')}')")
    return user


_PASSWORD = {
    **USER_ID, "password": text(64, min_length=8).required(), "confirmation-password": text(64, min_length=5),
}  # fmt: skip
_MANAGER = every(access.REALM_ALLOCATOR, access.user_manager("User.Modify"))


@routes.route("PUT", "/access/password", _PASSWORD, either(access.OWN_USER, _MANAGER), is_ticket_only=True)
def change_password(call: Call) -> Json:
    row = call.world.state.users.edit(find_user(call))
    realm = row.userid.rpartition("@")[2]
    if realms.configured(call.world).get(realm, {}).get("type") not in {"pam", "pve"}:
        raise die(f"can't set password on auth type '{realms.configured(call.world)[realm]['type']}'")
    row.password = authentication.password_digest(call.string("password"), call.world.random_bytes(16))


@routes.route("GET", "/access/acl", {}, USER)
def acl(call: Call) -> Json:
    """The grants on all paths whose permissions one may change; auditors see all."""
    sees_all = permissions.may(call.world, call.identity, "/access", "Sys.Audit")
    return [
        {"path": grant.path, "type": grant.type, "ugid": grant.ugid, "roleid": grant.roleid, "propagate": grant.propagate}
        for grant in sorted(call.world.state.grants, key=lambda grant: (grant.path, grant.type, grant.ugid, grant.roleid))
        if sees_all or _may_grant(call, grant.path)
    ]  # fmt: skip


def _may_grant(call: Call, path: str) -> bool:
    wanted = access.grants_on(call.world, call.identity, path)
    return permissions.may(call.world, call.identity, path, *wanted)


_ACL = {
    "path": text().required(), "roles": Param(format=formats.role_id, is_list=True, is_required=True),
    "users": listing(formats.user_id), "tokens": listing(formats.full_token_id), "groups": listing(formats.group_id),
    "propagate": boolean(), "delete": boolean(),
}  # fmt: skip
_SUBJECTS = ("group", "user", "token")


@routes.route("PUT", "/access/acl", _ACL, Access(access.GRANTOR.check))
def change_acl(call: Call) -> Json:
    """Grant roles to users, groups and tokens on a path, or take them back."""
    if not any(call.string(f"{kind}s") for kind in _SUBJECTS):
        words = "either 'users', 'groups' or 'tokens' is required."
        raise invalid(users=words, groups=words, tokens=words)
    path = access.normal_path(call.string("path"))
    if not _ACL_PATH.fullmatch(path) and not call.flag("delete"):
        raise invalid(path=f"invalid ACL path '{call.string('path')}'")
    with sections.locked_as("ACL update failed", USER_LOCK):
        for change in _changes(call, path):
            _apply(call, change)


def _changes(call: Call, path: str) -> list[Grant]:
    """All that is asked for, once it is known that all of it may be."""
    found = []
    for role in split_list(call.string("roles")):
        if not permissions.is_role(call.world, role):
            raise die(f"role '{role}' does not exist")
        _check_own_rights(call, path, role)
        for kind in _SUBJECTS:
            for name in split_list(call.string(f"{kind}s")):
                _require_subject(call, kind, name)
                found.append(Grant(path, kind, name, role, call.number("propagate", 1)))
    return found


def _check_own_rights(call: Call, path: str, role: str) -> None:
    """Without Permissions.Modify one hands out only what one has."""
    held, verb = permissions.privileges(call.world, call.identity, path), "remove" if call.flag("delete") else "add"
    if "Permissions.Modify" in held:
        return
    granted = permissions.privileges_of_role(call.world, role)
    if not granted <= held.keys():
        raise wrong({"role": f"Cannot {verb} role '{role}' - requires 'Permissions.Modify' or superset of privileges."})
    if not granted:
        raise wrong({"role": f"Cannot {verb} role '{role}' - requires 'Permissions.Modify'"})


def _require_subject(call: Call, kind: str, name: str) -> None:
    state = call.world.state
    known = {"group": name in state.groups, "user": name in state.users, "token": name in state.tokens}
    if not known[kind]:
        user, _, token = name.partition("!")
        raise die(
            f"no such token '{token}' for user '{user}'" if kind == "token" else f"{kind} '{name}' does not exist"
        )


def _apply(call: Call, grant: Grant) -> None:
    if call.flag("delete"):
        call.world.state.grants.remove(grant)
    else:
        call.world.state.grants.put(grant)
