"""The five methods of every kind of configured object: list, make, read, change, remove."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from vms.sandbox.core import formats, permissions, sections
from vms.sandbox.core.errors import die
from vms.sandbox.core.model import Entry, Json
from vms.sandbox.core.parameters import Param, Table, array, listing, optional, text
from vms.sandbox.core.routing import Access, Call, Handler, Routes
from vms.sandbox.core.sections import Section
from vms.sandbox.core.validation import split_list

DELETE = {"delete": replace(listing(formats.config_id), max_length=4096)}
DIGEST = {"digest": text(64)}
Values = dict[str, Json]
Shown = Callable[[Call, Entry], Values]
Checked = Callable[[Call, Entry, bool], None]
Guard = Callable[[Call, Entry], None]


def plainly(call: Call, entry: Entry) -> Values:
    return {}


def freely(call: Call, entry: Entry, is_new: bool) -> None:
    """Any values are good."""


def willingly(call: Call, entry: Entry) -> None:
    """Anything may go."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What objects of one type must and may have."""

    required: frozenset[str]
    allowed: frozenset[str]

    @classmethod
    def of(cls, required: str, optional: str) -> "Kind":
        needed = frozenset(required.split())
        return cls(needed, needed | frozenset(optional.split()))

    def check(self, given: Values, *, is_new: bool) -> None:
        for name in given:
            if name not in self.allowed and name != "type":
                raise die(f"unexpected property '{name}'")
        for name in sorted(self.required) if is_new else ():
            if name not in given:
                raise die(f"missing value for required option '{name}'")


@dataclass(frozen=True, slots=True)
class Crud:
    """How one kind of object is served below `path`.

    `options` are its settings, `fixed` those that only its making takes, `needed` those that each change must name,
    `always` what every change takes beside what is stored. `check` sees the entry as it is about to be stored, within the lock; `guard` an entry about to go. `seen_by` are
    privileges on `seen_on`, without which a row is not listed.
    """

    section: Section
    path: str
    key: Param
    options: Table
    lists: Access
    reads: Access
    makes: Access
    changes: Access
    removes: Access
    fixed: tuple[str, ...] = ("type",)
    always: Table | None = None
    filters: Table | None = None
    listed: Shown = plainly
    shown: Shown = plainly
    check: Checked = freely
    guard: Guard = willingly
    seen_on: str = ""
    seen_by: tuple[str, ...] = ()
    is_made_by_name: bool = False
    forgets_missing: bool = False
    has_digest: bool = True
    hidden: tuple[str, ...] = ()
    shows_digest: bool = True
    shows_key: bool = True
    deletes_by_array: bool = False
    keeps_always: bool = True
    makes_up_keys: bool = False
    needed: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    answer: Json = None

    @property
    def item(self) -> str:
        return f"{self.path}/{{{self.section.key}}}"

    @property
    def keyed(self) -> Table:
        return {self.section.key: self.key.required()}

    def row(self, call: Call, entry: Entry) -> Values:
        own = {name: value for name, value in entry.values.items() if name not in self.hidden}
        key = {self.section.key: entry.name} if self.shows_key else {}
        return {**key, **own} | ({"digest": sections.digest(call.world, self.section)} if self.shows_digest else {})

    def name(self, call: Call) -> str:
        return call.string(self.section.key)

    def given(self, call: Call) -> Values:
        return {name: stored(call, name, param) for name, param in self.options.items() if name in call.params}

    def deleted(self, call: Call) -> list[str]:
        """The settings that a change takes away."""
        return call.array("delete") if self.deletes_by_array else split_list(call.string("delete"))

    def check_kind(self, type: Json, given: Values, *, is_new: bool) -> None:
        """What the type of an object lets it have is looked at before anything is locked."""
        if type in self.kinds:
            self.kinds[type].check(given, is_new=is_new)


def stored(call: Call, name: str, param: Param) -> Json:
    return call.array(name) if param.type == "array" else call.params[name]


def _list(crud: Crud) -> Callable[[Call], Json]:
    def handler(call: Call) -> Json:
        found = [entry for entry in sections.rows(call.world, crud.section) if _is_wanted(crud, call, entry)]
        return [{**crud.row(call, entry), **crud.listed(call, entry)} for entry in found]

    return handler


def _is_wanted(crud: Crud, call: Call, entry: Entry) -> bool:
    if crud.seen_by:
        path = crud.seen_on.format(entry.name)
        if not permissions.may(call.world, call.identity, path, *crud.seen_by):
            return False
    return call.string("type") in {"", entry.values.get("type")}


def make(crud: Crud) -> Callable[[Call], Json]:
    def handler(call: Call) -> Json:
        crud.check_kind(call.string("type"), crud.given(call), is_new=True)
        with sections.locked("create", crud.section):
            if sections.find(call.world, crud.section, crud.name(call)) is not None:
                raise die(crud.section.taken.format(crud.name(call)))
            entry = Entry(crud.section.name, crud.name(call), crud.given(call))
            crud.check(call, entry, True)
            call.world.state.entries.put(entry)
        return crud.answer

    return handler


def _read(crud: Crud) -> Callable[[Call], Json]:
    def handler(call: Call) -> Json:
        entry = sections.require(call.world, crud.section, crud.name(call))
        return {**crud.row(call, entry), **crud.shown(call, entry)}

    return handler


def change(crud: Crud) -> Callable[[Call], Json]:
    def handler(call: Call) -> Json:
        section = crud.section
        with sections.locked("update", section):
            sections.check_digest(sections.digest(call.world, section), call.string("digest"))
            entry = sections.find(call.world, section, crud.name(call))
            if entry is None:
                raise section.not_there(crud.name(call))
            values, given = dict(entry.values), crud.given(call)
            crud.check_kind(entry.values.get("type"), given, is_new=False)
            sections.drop_options(values, crud.options, given, crud.deleted(call))
            wanted = Entry(section.name, entry.name, values | given)
            crud.check(call, wanted, False)
            call.world.state.entries.put(wanted)
        return crud.answer

    return handler


def _remove(crud: Crud) -> Callable[[Call], Json]:
    def handler(call: Call) -> Json:
        section = crud.section
        with sections.locked("delete", section):
            entry = sections.find(call.world, section, crud.name(call))
            if entry is None and not crud.forgets_missing:
                raise section.not_there(crud.name(call))
            if entry is not None:
                crud.guard(call, entry)
                call.world.state.entries.remove(entry)
        return crud.answer

    return handler


def serve(routes: Routes, crud: Crud, *, making: Handler | None = None, changing: Handler | None = None) -> None:
    """Register the five methods; two of them may be handled otherwise."""
    routes.route("GET", crud.path, crud.filters or {}, crud.lists)(_list(crud))
    routes.route("GET", crud.item, crud.keyed, crud.reads)(_read(crud))
    serve_changes(routes, crud, making=making, changing=changing)


def serve_changes(
    routes: Routes, crud: Crud, *, making: Handler | None = None, changing: Handler | None = None
) -> None:
    """Register the three that change something."""
    always, digest = crud.always or {}, DIGEST if crud.has_digest else {}
    delete = {"delete": array()} if crud.deletes_by_array else DELETE
    made_at = crud.item if crud.is_made_by_name else crud.path
    key = {} if crud.makes_up_keys else crud.keyed
    routes.route("POST", made_at, {**key, **crud.options, **always}, crud.makes)(making or make(crud))
    changed = {**crud.keyed, **_changeable(crud), **always, **delete, **digest}
    routes.route("PUT", crud.item, changed, crud.changes)(changing or change(crud))
    removed = {**crud.keyed, **(always if crud.keeps_always else {})}
    routes.route("DELETE", crud.item, removed, crud.removes)(_remove(crud))


def _changeable(crud: Crud) -> Table:
    found = optional(crud.options, *crud.fixed, *crud.needed)
    return found | {name: crud.options[name] for name in crud.needed}
