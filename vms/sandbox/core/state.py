"""Everything that is true of the simulated cluster, in tables that know which of their rows changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson

from vms.sandbox.core import model

Row = TypeVar("Row")
Key = str | int


@dataclass(frozen=True, slots=True)
class Change:
    """One row to write; `body` is None when the row is gone."""

    kind: str
    key: str
    body: bytes | None


class Table(Generic[Row]):
    """Rows by key. What `edit`, `put` and `remove` touch is written at the end of the call that did it."""

    def __init__(self, kind: str, load: Callable[..., Row], key: Callable[[Row], Key]) -> None:
        self.kind = kind
        self._load = load
        self._key = key
        self._rows: dict[str, Row] = {}
        self._dirty: set[str] = set()
        self.version = 0
        """Grows with every change, for whoever keeps something derived from the rows."""

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: Key) -> bool:
        return str(key) in self._rows

    def get(self, key: Key) -> Row | None:
        return self._rows.get(str(key))

    def edit(self, row: Row) -> Row:
        """Say that this row is being changed in the present call."""
        self.version += 1
        self._dirty.add(str(self._key(row)))
        return row

    def put(self, row: Row) -> Row:
        self._rows[str(self._key(row))] = row
        return self.edit(row)

    def keep(self, row: Row) -> None:
        """Take a row in memory only: it is written when a later call edits it."""
        self._rows[str(self._key(row))] = row

    def remove(self, row: Row) -> None:
        key = str(self._key(row))
        self._rows.pop(key, None)
        self.version += 1
        self._dirty.add(key)

    def restore(self, body: bytes) -> None:
        """Take back a row as it was written."""
        row = self._load(**orjson.loads(body))
        self._rows[str(self._key(row))] = row

    def clear(self) -> None:
        self.version += 1
        self._dirty.update(self._rows)
        self._rows.clear()

    def load(self, row: dict[str, Any]) -> None:
        """A row from plain data, to be written."""
        self.put(self._load(**row))

    def drain(self) -> list[Change]:
        changes = [Change(self.kind, key, self._body(key)) for key in self._dirty]
        self._dirty.clear()
        return changes

    def _body(self, key: str) -> bytes | None:
        row = self._rows.get(key)
        return None if row is None else orjson.dumps(row)

    def all(self) -> list[Change]:
        """Every row as it would be written."""
        return [Change(self.kind, key, self._body(key)) for key in self._rows]

    def mark(self, key: str) -> None:
        """Put a key back among the changed ones: its write failed."""
        self._dirty.add(key)


def volume_key(storage: str, node: str, name: str) -> str:
    return f"{storage}@{node}:{name}"


class State:
    def __init__(self) -> None:
        self.nodes = Table("node", model.Node, lambda row: row.name)
        self.storages = Table("storage", model.Storage, lambda row: row.name)
        self.volumes = Table("volume", model.Volume, lambda row: volume_key(row.storage, row.node, row.name))
        self.guests = Table("guest", model.Guest, lambda row: row.vmid)
        self.tasks = Table("task", model.Task, lambda row: row.upid)
        self.pools = Table("pool", model.Pool, lambda row: row.poolid)
        self.users = Table("user", model.User, lambda row: row.userid)
        self.tokens = Table("token", model.Token, lambda row: row.full_id)
        self.grants = Table("grant", model.Grant, lambda row: f"{row.path} {row.type} {row.ugid} {row.roleid}")
        self.groups = Table("group", model.Group, lambda row: row.groupid)
        self.roles = Table("role", model.Role, lambda row: row.roleid)
        self.entries = Table("entry", model.Entry, lambda row: f"{row.section} {row.name}")
        self.requests = Table("request", model.RequestCount, lambda row: f"{row.method} {row.pattern} {row.vmid}")
        self.settings = Table("setting", model.Setting, lambda row: row.name)
        self._tables: dict[str, Table[Any]] = {
            table.kind: table for table in vars(self).values() if isinstance(table, Table)
        }

    def drain(self) -> list[Change]:
        """What changed since the last time, to be written in one go."""
        return [change for table in self._tables.values() for change in table.drain()]

    def all_rows(self) -> list[Change]:
        """Everything as it would be written."""
        return [change for table in self._tables.values() for change in table.all()]

    def undrain(self, changes: list[Change]) -> None:
        for change in changes:
            self._tables[change.kind].mark(change.key)

    def restore(self, kind: str, body: bytes) -> None:
        self._tables[kind].restore(body)

    def clear(self) -> None:
        """Nothing is true of the cluster any more, not even its settings."""
        for table in self._tables.values():
            table.clear()

    def content(self, *kinds: str) -> dict[str, list[model.Json]]:
        """The rows of these kinds as plain data, for `take_in`."""
        return {kind: orjson.loads(orjson.dumps(list(self._tables[kind]))) for kind in kinds}

    def take_in(self, content: dict[str, list[model.Json]]) -> None:
        """Rows as `content` gave them, to be written with the next changes."""
        for kind, rows in content.items():
            for row in rows:
                self._tables[kind].load(row)

    def setting(self, name: str, default: model.Json = None) -> model.Json:
        row = self.settings.get(name)
        return default if row is None else row.value

    def set(self, name: str, value: model.Json) -> None:
        self.settings.put(model.Setting(name, value))
