"""The names that firewall rules use: aliases and sets of addresses, of the cluster and of guests; and the log."""

from vms.sandbox.core import firewall, formats, sections
from vms.sandbox.core.api.firewall import CLUSTER, DIGEST, GUESTS, NAME, NODES, Place
from vms.sandbox.core.errors import die, wrong
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import boolean, formatted, integer, one_of, text
from vms.sandbox.core.routing import Call, Routes, holder

routes = Routes()
_NAMED = {"name": NAME.required()}
_CIDR = {"cidr": formatted(formats.address_or_cidr).required()}
_MEMBER = {"cidr": formatted(formats.address_cidr_or_alias).required()}
_PAGE = {"start": integer(0), "limit": integer(0), "since": integer(0), "until": integer(0)}
Row = dict[str, Json]


def _comment(call: Call) -> Row:
    return {"comment": call.string("comment")} if call.string("comment") else {}


def _rows(found: list[Row]) -> list[Row]:
    return firewall.with_digest(
        [{key: value for key, value in row.items() if key not in {"entries", "rules"}} for row in found]
    )


class _Aliases:
    """Names of single addresses and networks, found whatever their case."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def _found(self, call: Call) -> list[Row]:
        aliases = firewall.config(call.world, self.place.scope(call))["aliases"]
        return _rows([aliases[name] for name in sorted(aliases)])

    def list(self, call: Call) -> Json:
        return self._found(call)

    def read(self, call: Call) -> Json:
        for row in self._found(call):
            if row["name"].lower() == call.string("name").lower():
                return row
        raise wrong({"name": "no such alias"})

    def create(self, call: Call) -> Json:
        name = call.string("name")
        with firewall.changing(call.world, self.place.scope(call)) as values:
            if name.lower() in values["aliases"]:
                raise wrong({"name": f"alias '{name}' already exists"})
            values["aliases"][name.lower()] = _alias(call, name)

    def change(self, call: Call) -> Json:
        name, new = call.string("name"), call.string("rename")
        with firewall.changing(call.world, self.place.scope(call)) as values:
            aliases = values["aliases"]
            sections.check_digest(str(self._found(call)[0]["digest"]) if aliases else "", call.string("digest"))
            if name.lower() not in aliases:
                raise wrong({"name": "no such alias"})
            if new and new.lower() != name.lower() and new.lower() in aliases:
                raise wrong({"name": f"alias '{new}' already exists"})
            aliases.pop(name.lower())
            aliases[(new or name).lower()] = _alias(call, new or name)

    def delete(self, call: Call) -> Json:
        with firewall.changing(call.world, self.place.scope(call)) as values:
            values["aliases"].pop(call.string("name").lower(), None)


def _alias(call: Call, name: str) -> Row:
    cidr = call.string("cidr")
    return {"name": name, "cidr": cidr, "ipversion": 6 if ":" in cidr else 4, **_comment(call)}


class _Sets:
    """Named sets of addresses, and their members."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def _sets(self, call: Call) -> dict[str, Row]:
        found: dict[str, Row] = firewall.config(call.world, self.place.scope(call))["ipsets"]
        return found

    def _members(self, call: Call, sets: dict[str, Row]) -> list[Row]:
        if call.string("name") not in sets:
            raise die(f"no such IPSet '{call.string('name')}'")
        members: list[Row] = sets[call.string("name")]["entries"]
        return members

    def list(self, call: Call) -> Json:
        return _rows([{"name": name, **one} for name, one in sorted(self._sets(call).items())])

    def create(self, call: Call) -> Json:
        name, old = call.string("name"), call.string("rename")
        with firewall.changing(call.world, self.place.scope(call)) as values:
            sets = values["ipsets"]
            if old and old not in sets:
                raise wrong({"name": f"IPSet '{old}' does not exist"})
            if name in sets and name != old:
                raise wrong({"name": f"IPSet '{name}' {'does already exist' if old else 'already exists'}"})
            sets[name] = {**sets.pop(old, {"entries": []}), **_comment(call)}

    def delete(self, call: Call) -> Json:
        with firewall.changing(call.world, self.place.scope(call)) as values:
            if self._members(call, values["ipsets"]) and not call.flag("force"):
                raise die(f"IPSet '{call.string('name')}' is not empty")
            values["ipsets"].pop(call.string("name"))

    def members(self, call: Call) -> Json:
        return firewall.with_digest(self._members(call, self._sets(call)))

    def member(self, call: Call) -> Json:
        return _one(firewall.with_digest(self._members(call, self._sets(call))), call)

    def add(self, call: Call) -> Json:
        cidr = call.string("cidr")
        with firewall.changing(call.world, self.place.scope(call)) as values:
            members = self._members(call, values["ipsets"])
            if any(row["cidr"] == cidr for row in members):
                raise wrong({"cidr": f"address '{cidr}' already exists"})
            if cidr.endswith("/0"):
                raise wrong({"cidr": "a zero prefix is not allowed in ipset entries"})
            members.insert(0, {"cidr": cidr, **_comment(call), **_nomatch(call)})

    def change(self, call: Call) -> Json:
        with firewall.changing(call.world, self.place.scope(call)) as values:
            row = _one(self._members(call, values["ipsets"]), call)
            row.pop("nomatch", None)
            row.update({**_comment(call), **_nomatch(call)})

    def remove(self, call: Call) -> Json:
        with firewall.changing(call.world, self.place.scope(call)) as values:
            members = self._members(call, values["ipsets"])
            members[:] = [row for row in members if row["cidr"] != call.string("cidr")]


def _nomatch(call: Call) -> Row:
    return {"nomatch": 1} if call.flag("nomatch") else {}


def _one(members: list[Row], call: Call) -> Row:
    for row in members:
        if row["cidr"] == call.string("cidr"):
            return row
    raise wrong({"cidr": "no such IP/Network"})


def _serve_aliases(place: Place) -> None:
    aliases, path, named = _Aliases(place), f"{place.path}/aliases", {**place.params, **_NAMED}
    item, settings = f"{path}/{{name}}", {**_CIDR, "comment": text()}
    routes.route("GET", path, place.params, place.reads)(aliases.list)
    routes.route("POST", path, {**named, **settings}, place.writes)(aliases.create)
    routes.route("GET", item, named, place.reads)(aliases.read)
    routes.route("PUT", item, {**named, **settings, "rename": NAME, **DIGEST}, place.writes)(aliases.change)
    routes.route("DELETE", item, {**named, **DIGEST}, place.writes)(aliases.delete)


def _serve_sets(place: Place) -> None:
    sets, path, named = _Sets(place), f"{place.path}/ipset", {**place.params, **_NAMED}
    item, member = f"{path}/{{name}}", f"{path}/{{name}}/{{cidr...}}"
    settings = {"comment": text(), "nomatch": boolean()}
    routes.route("GET", path, place.params, place.reads)(sets.list)
    routes.route("POST", path, {**named, "comment": text(), "rename": NAME, **DIGEST}, place.writes)(sets.create)
    routes.route("DELETE", item, {**named, "force": boolean()}, place.writes)(sets.delete)
    routes.route("GET", item, named, place.reads)(sets.members)
    routes.route("POST", item, {**named, **_MEMBER, **settings}, place.writes)(sets.add)
    routes.route("GET", member, {**named, **_MEMBER}, place.reads)(sets.member)
    routes.route("PUT", member, {**named, **_MEMBER, **settings, **DIGEST}, place.writes)(sets.change)
    routes.route("DELETE", member, {**named, **_MEMBER, **DIGEST}, place.writes)(sets.remove)


def _serve_references(place: Place) -> None:
    def references(call: Call) -> Json:
        scope, wanted = place.scope(call), call.string("type")
        found = firewall.references(firewall.config(call.world, firewall.CLUSTER), "dc", wanted)
        if scope != firewall.CLUSTER:
            found += firewall.references(firewall.config(call.world, scope), "guest", wanted)
        return found

    routes.route("GET", f"{place.path}/refs", {**place.params, "type": one_of("alias", "ipset")}, place.reads)(
        references
    )


def _log(call: Call) -> Json:
    """Nothing is ever dropped here, so nothing is logged."""
    call.extra["total"] = 1
    return [{"n": 1, "t": "no content"}]


for _place in (CLUSTER, *GUESTS):
    _serve_aliases(_place)
    _serve_sets(_place)
    _serve_references(_place)
for _place in GUESTS:
    routes.route("GET", f"{_place.path}/log", {**_place.params, **_PAGE}, holder("/vms/{vmid}", "VM.Console"))(_log)
routes.route("GET", f"{NODES.path}/log", {**NODES.params, **_PAGE}, holder("/nodes/{node}", "Sys.Syslog"))(_log)
