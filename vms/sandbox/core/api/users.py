"""/access/users and /access/tfa: users, their API tokens, their second factors."""

from vms.sandbox.core import access, authentication, formats, permissions, realms, sections
from vms.sandbox.core.api.access import USER_ID, USER_LOCK, find_user
from vms.sandbox.core.errors import ApiError, die, invalid
from vms.sandbox.core.model import Json, Token, User
from vms.sandbox.core.parameters import Param, boolean, formatted, integer, listing, needing, text
from vms.sandbox.core.routing import USER, Call, Routes, either, every
from vms.sandbox.core.validation import split_list
from vms.sandbox.core.world import World

routes = Routes()
_TOKEN_ID = {**USER_ID, "tokenid": formatted(formats.token_id).required()}
_TOKEN = {"comment": text(), "expire": integer(0), "privsep": boolean()}
_DETAILS = ("comment", "email", "firstname", "lastname", "keys")
_USER = {
    "comment": text(2048), "email": Param(format=formats.email, max_length=254), "firstname": text(1024), "lastname": text(1024),
    "enable": boolean(), "expire": integer(0), "groups": listing(formats.group_id), "keys": text(pattern="[0-9a-zA-Z!=]{0,4096}"),
}  # fmt: skip
_AUDITOR = access.user_manager("User.Modify", "Sys.Audit")
_MANAGER = access.user_manager("User.Modify")
_OWN, _OWN_AUDIT = either(access.OWN_USER, _MANAGER), either(access.OWN_USER, _AUDITOR)


def groups_of(world: World, userid: str) -> list[str]:
    return sorted(group.groupid for group in world.state.groups if userid in group.users)


def _row(world: World, user: User) -> dict[str, Json]:
    return {"enable": user.enable, "expire": user.expire, **user.details}


def _sees(call: Call, user: User) -> bool:
    wanted = ("User.Modify", "Sys.Audit")
    paths = ["/access/groups", *(f"/access/groups/{name}" for name in groups_of(call.world, user.userid))]
    return user.userid == call.identity.name or any(
        permissions.may(call.world, call.identity, path, *wanted) for path in paths
    )


@routes.route("GET", "/access/users", {"enabled": boolean(), "full": boolean()}, USER)
def users(call: Call) -> Json:
    """All users for auditors of groups, else one's own and those of the groups that one may see."""
    found = sorted(call.world.state.users, key=lambda user: user.userid)
    if "enabled" in call.params:
        found = [user for user in found if bool(user.enable) == call.flag("enabled")]
    return [_listed(call, user) for user in found if _sees(call, user)]


def _listed(call: Call, user: User) -> dict[str, Json]:
    realm = user.userid.rpartition("@")[2]
    kind = realms.configured(call.world).get(realm, {}).get("type", realm)
    row = {"userid": user.userid, "realm-type": kind, **_row(call.world, user)}
    if not call.flag("full"):
        return row
    tokens = [{"tokenid": token.tokenid, **_info(token)} for token in _tokens_of(call.world, user.userid)]
    return row | {"groups": ",".join(groups_of(call.world, user.userid)), "tokens": tokens}


@routes.route("GET", "/access/users/{userid}", USER_ID, _AUDITOR)
def user(call: Call) -> Json:
    found = find_user(call)
    tokens = {token.tokenid: _info(token) for token in _tokens_of(call.world, found.userid)}
    return _row(call.world, found) | {"groups": groups_of(call.world, found.userid), "tokens": tokens}


_CREATE = every(access.REALM_ALLOCATOR, access.user_manager("User.Modify", names_groups=True, creates=True))


@routes.route("POST", "/access/users", {**USER_ID, **_USER, "password": text(64, min_length=8)}, _CREATE)
def create_user(call: Call) -> Json:
    userid, world = call.string("userid"), call.world
    with sections.locked_as("create user failed", USER_LOCK):
        if userid in world.state.users:
            raise die(f"user '{userid}' already exists")
        _require_realm(world, userid)
        _join_groups(call, userid)
        password = call.string("password")
        digest = authentication.password_digest(password, world.random_bytes(16)) if password else ""
        details = {key: call.params[key] for key in _DETAILS if call.params.get(key)}
        world.state.users.put(User(userid, digest, call.number("enable", 1), call.number("expire"), details))


def _require_realm(world: World, userid: str) -> None:
    realm = userid.rpartition("@")[2]
    if realm not in realms.configured(world):
        raise die(f"auth domain '{realm}' does not exist")


def _join_groups(call: Call, userid: str) -> None:
    """Be in the groups that the call names; it leaves all others unless it only adds."""
    if "groups" not in call.params:
        return
    groups, wanted = call.world.state.groups, split_list(call.string("groups"))
    for name in wanted:
        if name not in groups:
            raise die(f"no such group '{name}'")
    for group in groups:
        is_in, belongs = userid in group.users, group.groupid in wanted
        if belongs and not is_in:
            groups.edit(group).users.append(userid)
        elif is_in and not belongs and not call.flag("append"):
            groups.edit(group).users.remove(userid)


_CHANGE = access.user_manager("User.Modify", names_groups=False)


@routes.route("PUT", "/access/users/{userid}", {**USER_ID, **_USER, "append": needing(boolean(), "groups")}, _CHANGE)
def change_user(call: Call) -> Json:
    with sections.locked_as("update user failed", USER_LOCK):
        found = find_user(call)
        _join_groups(call, found.userid)
        found = call.world.state.users.edit(found)
        found.enable, found.expire = call.number("enable", found.enable), call.number("expire", found.expire)
        found.details |= {key: call.params[key] for key in _DETAILS if key in call.params}


@routes.route("DELETE", "/access/users/{userid}", USER_ID, every(access.REALM_ALLOCATOR, _MANAGER))
def delete_user(call: Call) -> Json:
    found = find_user(call)
    if found.userid == "root@pam":
        raise die("delete user failed: error during cfs-locked 'file-user_cfg' operation: cannot delete root@pam")
    for token in _tokens_of(call.world, found.userid):
        _forget_token(call, token)
    forget_grants(call, "user", found.userid)
    for group in call.world.state.groups:
        if found.userid in group.users:
            call.world.state.groups.edit(group).users.remove(found.userid)
    call.world.state.users.remove(found)


def forget_grants(call: Call, kind: str, name: str) -> None:
    for grant in call.world.state.grants:
        if (grant.type, grant.ugid) == (kind, name):
            call.world.state.grants.remove(grant)


def _tokens_of(world: World, userid: str) -> list[Token]:
    return [token for token in world.state.tokens if token.userid == userid]


def _info(token: Token) -> dict[str, Json]:
    return {"privsep": token.privsep, "expire": token.expire} | ({"comment": token.comment} if token.comment else {})


def _token(call: Call) -> Token:
    token = call.world.state.tokens.get(f"{call.string('userid')}!{call.string('tokenid')}")
    if token is None:
        raise die(f"no such token '{call.string('tokenid')}' for user '{call.string('userid')}'")
    return token


@routes.route("GET", "/access/users/{userid}/token", USER_ID, _OWN)
def tokens(call: Call) -> Json:
    return [{"tokenid": token.tokenid, **_info(token)} for token in _tokens_of(call.world, call.string("userid"))]


@routes.route("GET", "/access/users/{userid}/token/{tokenid}", _TOKEN_ID, _OWN)
def token(call: Call) -> Json:
    return _info(_token(call))


@routes.route("POST", "/access/users/{userid}/token/{tokenid}", {**_TOKEN_ID, **_TOKEN}, _OWN)
def create_token(call: Call) -> Json:
    userid, tokenid, world = find_user(call).userid, call.string("tokenid"), call.world
    if f"{userid}!{tokenid}" in world.state.tokens:
        raise invalid(tokenid="Token already exists.")
    secret = world.random_uuid()
    row = Token(
        userid, tokenid, authentication.secret_digest(secret), call.number("privsep", 1), call.number("expire"),
        call.string("comment"),
    )  # fmt: skip
    world.state.tokens.put(row)
    return {"full-tokenid": row.full_id, "info": {"privsep": row.privsep} | _given(call), "value": secret}


def _given(call: Call) -> dict[str, str]:
    """What a call sets, as text, which is how it came."""
    return {key: str(call.params[key]) for key in _TOKEN if key in call.params}


_CHANGE_TOKEN = {**_TOKEN_ID, **_TOKEN, "delete": listing(formats.config_id)}


@routes.route("PUT", "/access/users/{userid}/token/{tokenid}", _CHANGE_TOKEN, _OWN)
def change_token(call: Call) -> Json:
    row = _token(call)
    for key in split_list(call.string("delete")):
        if key != "comment":
            raise invalid(delete=f"unknown option '{key}'")
    row = call.world.state.tokens.edit(row)
    row.privsep, row.expire = call.number("privsep", row.privsep), call.number("expire", row.expire)
    row.comment = "" if call.string("delete") else call.string("comment", row.comment)
    return _info(row) | _given(call)


@routes.route("DELETE", "/access/users/{userid}/token/{tokenid}", _TOKEN_ID, _OWN)
def delete_token(call: Call) -> Json:
    _forget_token(call, _token(call))


def _forget_token(call: Call, token: Token) -> None:
    forget_grants(call, "token", token.full_id)
    call.world.state.tokens.remove(token)


@routes.route("GET", "/access/tfa", {}, USER)
def second_factors(call: Call) -> Json:
    """Nobody has a second factor here."""
    return []


@routes.route("GET", "/access/tfa/{userid}", USER_ID, _OWN_AUDIT)
def second_factors_of_user(call: Call) -> Json:
    find_user(call)
    return []


@routes.route("GET", "/access/tfa/{userid}/{id}", {**USER_ID, "id": text().required()}, _OWN_AUDIT)
def second_factor(call: Call) -> Json:
    raise ApiError(404, f"No such tfa entry '{call.string('id')}'", is_line=False)


@routes.route("GET", "/access/users/{userid}/tfa", {**USER_ID, "multiple": boolean()}, _OWN_AUDIT)
def kinds_of_second_factor(call: Call) -> Json:
    find_user(call)
    return {"user": []} if call.flag("multiple") else {}


@routes.route("PUT", "/access/users/{userid}/unlock-tfa", USER_ID, _MANAGER)
def unlock(call: Call) -> Json:
    """Whether the user was locked out, which without second factors nobody is."""
    return 0
