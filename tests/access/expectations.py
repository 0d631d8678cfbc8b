"""What each kind of route promises, in words that a table can be written with.

A line of the tables is `"GET /api/v1/iprs/{ipr_id}": public_read("ipr:read", "ipr")`: the right that it needs, and what the
parameters of its path name, in order, as attributes of `tests.access.world.Things`.
"""

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Expected:
    """Who may call a route, and with what it is tried."""

    kind: str
    right: str | tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    body: dict[str, Any] = field(default_factory=dict)
    is_opened: bool = False
    """Whether settings for laptops open it to everybody."""
    is_opened_to_keys: bool = True
    """Whether they open it to credentials without the right as well."""
    is_for_staff: bool = False
    """Whether besides the right one must be of the staff of the installation."""
    looks_at_keys: bool = True
    """Whether a wrong key is refused although none is needed."""
    keeps_deleted: bool = False
    """Whether what was deleted answers as it did when it was deleted."""

    @property
    def rights(self) -> frozenset[str]:
        """All that are needed."""
        return frozenset({self.right} if isinstance(self.right, str) else self.right)

    def but(self, **changes: Any) -> "Expected":
        """The same with something else about it."""
        return replace(self, **changes)


def keyed(right: str | tuple[str, ...], *of: str, **body: Any) -> Expected:
    """The API: a key or a person with these rights, and nobody else."""
    return Expected("api", right, of, body)


def public_read(right: str | tuple[str, ...], *of: str, **body: Any) -> Expected:
    """The API: as `keyed`, and everybody where that is switched on."""
    return Expected("api", right, of, body, is_opened=True)


def any_credential(*of: str, **body: Any) -> Expected:
    """The API: whoever has a credential; and everybody where that is switched on."""
    return Expected("api", (), of, body, is_opened=True)


def in_person(right: str, *of: str, **body: Any) -> Expected:
    """The API: a person in the browser with this right; keys are refused, whatever they may."""
    return Expected("in person", right, of, body)


def measured() -> Expected:
    """Metrics: whoever may read anything."""
    return Expected("measured", is_opened=True)


def anybody(*of: str, **body: Any) -> Expected:
    """Needs no credential anywhere; a wrong one is refused."""
    return Expected("anybody", (), of, body)


def entrance(*of: str, **body: Any) -> Expected:
    """Needs no credential anywhere and looks at none."""
    return Expected("anybody", (), of, body, looks_at_keys=False)


def page(right: str | tuple[str, ...] = (), *of: str, **body: Any) -> Expected:
    """A page: people who have signed in, with this right where one is named. Keys are nobody here."""
    return Expected("page", right, of, body)


def desk(right: str | tuple[str, ...] = (), *of: str, **body: Any) -> Expected:
    """A page for people alone, most of them a little while after signing in: a key is refused in so many words."""
    return Expected("desk", right, of, body)
