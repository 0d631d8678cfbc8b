"""/access/groups, /access/roles and /access/domains."""

from dataclasses import replace

from vms.sandbox.core import formats, permissions, realms, sections
from vms.sandbox.core.api.access import USER_LOCK
from vms.sandbox.core.api.crud import DELETE, DIGEST
from vms.sandbox.core.api.users import forget_grants
from vms.sandbox.core.errors import die, invalid
from vms.sandbox.core.model import Entry, Group, Json, Role
from vms.sandbox.core.parameters import (
    Param,
    Table,
    boolean,
    formatted,
    integer,
    listing,
    needing,
    one_of,
    optional,
    text,
)
from vms.sandbox.core.roles import ROLES
from vms.sandbox.core.routing import USER, WORLD, Call, Routes, holder
from vms.sandbox.core.validation import split_list

routes = Routes()
_GROUP_ID = {"groupid": formatted(formats.group_id).required()}
_ROLE_ID = {"roleid": formatted(formats.role_id).required()}
_ALLOCATE = holder("/access/groups", "Group.Allocate")
_MODIFY = holder("/access", "Sys.Modify")


def _group(call: Call) -> Group:
    group = call.world.state.groups.get(call.string("groupid"))
    if group is None:
        raise die(f"group '{call.string('groupid')}' does not exist")
    return group


@routes.route("GET", "/access/groups", {}, USER)
def groups(call: Call) -> Json:
    wanted = ("User.Modify", "Sys.Audit", "Group.Allocate")
    return [
        {"groupid": group.groupid, **_comment(group), "users": ",".join(sorted(group.users))} for group in call.world.state.groups
        if permissions.may(call.world, call.identity, f"/access/groups/{group.groupid}", *wanted)
    ]  # fmt: skip


def _comment(group: Group) -> dict[str, Json]:
    return {"comment": group.comment} if group.comment else {}


@routes.route("GET", "/access/groups/{groupid}", _GROUP_ID, holder("/access/groups", "Sys.Audit", "Group.Allocate"))
def group(call: Call) -> Json:
    found = _group(call)
    return {**_comment(found), "members": sorted(found.users)}


@routes.route("POST", "/access/groups", {**_GROUP_ID, "comment": text()}, _ALLOCATE)
def create_group(call: Call) -> Json:
    name = call.string("groupid")
    with sections.locked_as("create group failed", USER_LOCK):
        if name in call.world.state.groups:
            raise die(f"group '{name}' already exists")
        call.world.state.groups.put(Group(name, call.string("comment")))


@routes.route("PUT", "/access/groups/{groupid}", {**_GROUP_ID, "comment": text()}, _ALLOCATE)
def change_group(call: Call) -> Json:
    with sections.locked_as("update group failed", USER_LOCK):
        found = call.world.state.groups.edit(_group(call))
        found.comment = call.string("comment", found.comment)


@routes.route("DELETE", "/access/groups/{groupid}", _GROUP_ID, _ALLOCATE)
def delete_group(call: Call) -> Json:
    with sections.locked_as("delete group failed", USER_LOCK):
        found = _group(call)
        forget_grants(call, "group", found.groupid)
        call.world.state.groups.remove(found)


@routes.route("GET", "/access/roles", {}, USER)
def roles(call: Call) -> Json:
    own = {role.roleid: frozenset(role.privileges) for role in call.world.state.roles}
    return [
        {"roleid": name, "privs": ",".join(sorted(held)), "special": int(name in ROLES)}
        for name, held in {**ROLES, **own}.items()
    ]


@routes.route("GET", "/access/roles/{roleid}", _ROLE_ID, USER)
def role(call: Call) -> Json:
    _require_role(call)
    return dict.fromkeys(sorted(permissions.privileges_of_role(call.world, call.string("roleid"))), 1)


def _require_role(call: Call) -> None:
    if not permissions.is_role(call.world, call.string("roleid")):
        raise die(f"role '{call.string('roleid')}' does not exist")


_PRIVILEGES = listing(formats.privilege)


@routes.route("POST", "/access/roles", {**_ROLE_ID, "privs": _PRIVILEGES}, _MODIFY)
def create_role(call: Call) -> Json:
    name = call.string("roleid")
    if name.lower().startswith("pve"):
        raise invalid(roleid="cannot use role ID starting with the (case-insensitive) 'PVE' namespace")
    with sections.locked_as("create role failed", USER_LOCK):
        if permissions.is_role(call.world, name):
            raise die(f"role '{name}' already exists")
        call.world.state.roles.put(Role(name, sorted(set(split_list(call.string("privs"))))))


def _own_role(call: Call, verb: str) -> Role:
    name = call.string("roleid")
    if name in ROLES:
        raise die(f"auto-generated role '{name}' cannot be {verb}")
    with sections.locked_as("update role failed" if verb == "modified" else "delete role failed", USER_LOCK):
        found = call.world.state.roles.get(name)
        if found is None:
            raise die(f"role '{name}' does not exist")
        return found


@routes.route(
    "PUT", "/access/roles/{roleid}", {**_ROLE_ID, "privs": _PRIVILEGES, "append": needing(boolean(), "privs")}, _MODIFY
)
def change_role(call: Call) -> Json:
    found = call.world.state.roles.edit(_own_role(call, "modified"))
    kept = found.privileges if call.flag("append") else []
    found.privileges = sorted({*kept, *split_list(call.string("privs"))})


@routes.route("DELETE", "/access/roles/{roleid}", _ROLE_ID, _MODIFY)
def delete_role(call: Call) -> Json:
    call.world.state.roles.remove(_own_role(call, "deleted"))


_REALM_ID = {"realm": Param(format=formats.realm, max_length=32, is_required=True)}
_REALM: Table = {
    "type": one_of("ad", "ldap", "openid", "pam", "pve").required(), "comment": text(4096), "default": boolean(),
    "tfa": text(128), "server1": text(256), "server2": text(256), "port": integer(1, 65535), "domain": text(256, pattern=r"\S+"),
    "mode": one_of("ldap", "ldaps", "ldap+starttls"), "secure": boolean(), "verify": boolean(), "capath": text(), "cert": text(),
    "certkey": text(), "sslversion": one_of("tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3"), "base_dn": text(256), "bind_dn": text(256),
    "user_attr": text(256, pattern=r"\S{2,}"), "user_classes": text(), "filter": text(2048), "group_dn": text(256),
    "group_classes": text(), "group_filter": text(2048), "group_name_attr": text(256), "sync_attributes": text(),
    "sync-defaults-options": text(), "case-sensitive": boolean(), "issuer-url": text(256), "client-id": text(256),
    "client-key": text(256), "autocreate": boolean(), "username-claim": text(), "prompt": text(), "scopes": text(),
    "acr-values": text(), "groups-claim": text(256), "groups-autocreate": boolean(), "groups-overwrite": boolean(),
    "query-userinfo": boolean(),
}  # fmt: skip
_REALM_EXTRA = {"password": text(), "check-connection": boolean()}
_FIXED = ("type", "username-claim")
_REQUIRED = {
    "ldap": ("base_dn", "server1", "user_attr"),
    "ad": ("domain", "server1"),
    "openid": ("client-id", "issuer-url"),
}


@routes.route("GET", "/access/domains", {}, WORLD)
def domains(call: Call) -> Json:
    """What a login form offers."""
    shown = ("comment", "default", "type")
    return [
        {"realm": name, **{key: values[key] for key in shown if values.get(key)}}
        for name, values in realms.configured(call.world).items()
    ]


@routes.route("GET", "/access/domains/{realm}", _REALM_ID, holder("/access/realm", "Realm.Allocate", "Sys.Audit"))
def domain(call: Call) -> Json:
    found = realms.configured(call.world).get(call.string("realm"))
    if found is None:
        raise die(realms.REALMS.missing.format(call.string("realm")))
    return {**found, "digest": sections.digest(call.world, realms.REALMS)}


_CHANGE_REALMS = holder("/access/realm", "Realm.Allocate")


def _given(call: Call) -> dict[str, Json]:
    return {key: call.params[key] for key in _REALM if key in call.params}


@routes.route("POST", "/access/domains", {**_REALM_ID, **_REALM, **_REALM_EXTRA}, _CHANGE_REALMS)
def create_domain(call: Call) -> Json:
    name, kind = call.string("realm"), call.string("type")
    with sections.locked_as("add auth server failed", realms.REALMS.lock):
        if name in realms.configured(call.world):
            raise die(f"domain '{name}' already exists")
        if kind in realms.BUILT_IN:
            raise die(f"unable to create builtin type '{kind}'")
        for key in _REQUIRED[kind]:
            if key not in call.params:
                raise die(f"missing value for required option '{key}'")
        _keep(call, Entry(realms.REALMS.name, name, _given(call)))


def _keep(call: Call, entry: Entry) -> None:
    """One realm is the default of login forms."""
    for other in sections.rows(call.world, realms.REALMS) if entry.values.get("default") else ():
        call.world.state.entries.edit(other).values.pop("default", None)
    call.world.state.entries.put(entry)


@routes.route(
    "PUT", "/access/domains/{realm}", {**_REALM_ID, **optional(_REALM, *_FIXED), **_REALM_EXTRA, **DELETE, **DIGEST},
    _CHANGE_REALMS,
)  # fmt: skip
def change_domain(call: Call) -> Json:
    name = call.string("realm")
    with sections.locked_as("update auth server failed", realms.REALMS.lock):
        sections.check_digest(sections.digest(call.world, realms.REALMS), call.string("digest"))
        found = realms.configured(call.world).get(name)
        if found is None:
            raise die(f"domain '{name}' does not exist")
        given, gone = _given(call), split_list(call.string("delete"))
        if not given and not gone:
            raise die("no options specified")
        values = dict(found)
        sections.drop_options(values, _REALM, given, gone)
        _keep(call, replace(Entry(realms.REALMS.name, name), values=values | given))


@routes.route("DELETE", "/access/domains/{realm}", _REALM_ID, _CHANGE_REALMS)
def delete_domain(call: Call) -> Json:
    name = call.string("realm")
    with sections.locked_as("delete auth server failed", realms.REALMS.lock):
        entry = sections.find(call.world, realms.REALMS, name)
        if name in realms.BUILT_IN:
            raise die(f"unable to delete builtin realm '{name}'")
        if entry is None:
            raise die(f"authentication domain '{name}' does not exist")
        call.world.state.entries.remove(entry)
