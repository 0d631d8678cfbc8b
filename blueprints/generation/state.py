"""Where the reader is: the machines in focus, the count that waits for its noun, the reach of a "no"."""

from dataclasses import dataclass, field

from blueprints.generation.facts import Group, Request
from blueprints.generation.tokens import Token

_SIZES = ("cpu", "memory", "disk", "gpu", "os", "size", "count")
_KEPT_SIZES = ("cpu", "memory", "disk")


@dataclass(slots=True)
class State:
    """One reading of one text."""

    text: str
    tokens: list[Token]
    request: Request
    position: int = 0
    sentence: int = 0
    focus: Group | None = None
    cohort: list[Group] = field(default_factory=list)
    early: Group = field(default_factory=Group)
    pending: Token | None = None
    is_open: bool = False
    link: str = ""
    last_label: str = ""
    negated: bool = False
    distance: int = 0
    is_another: bool = False
    is_own: bool = False
    is_exact: bool = False
    together: bool = False
    covers_all: bool = False
    in_network: bool = False
    sizes_in_sentence: bool = False
    given: set[str] = field(default_factory=set)
    total_in_sentence: bool = False
    each_in_sentence: bool = False
    backup_sentence: int = -2
    named_until: int = 0
    order: tuple[str, Group] | None = None

    def quote(self, token: Token) -> str:
        """The words of the request, as its author wrote them."""
        return " ".join(self.text[token.start : token.end].split())

    def give(self, name: str, value: object, token: Token, *, early: bool = False) -> None:
        """A value goes to the machines in focus, to those still to be named, or to all."""
        self.sizes_in_sentence = True
        if early or self.focus is None:
            self.early.set(name, value, self.quote(token))
            return
        for group in self.request.groups if self.covers_all else self.cohort or [self.focus]:
            group.set(name, value, self.quote(token))
            self._mark_total(group, name)

    def _mark_total(self, group: Group, name: str) -> None:
        if name in _KEPT_SIZES:
            self.given.add(name)
            (group.totals.add if self.total_in_sentence else group.totals.discard)(name)

    def place(self, name: str, value: object, token: Token) -> Group:
        """A network value goes to the machines in focus, or describes a network for all."""
        holder = self.request.network if self.in_network or self.focus is None else self.focus
        holder.set(name, value, self.quote(token))
        return holder

    def copy_sizes(self, source: Group, target: Group) -> None:
        for name in _KEPT_SIZES:
            if getattr(source, name) is not None:
                target.set(name, getattr(source, name), source.causes.get(name, ""))

    def add(self, group: Group) -> Group:
        """New machines, with everything that was said before their noun."""
        for name in _SIZES:
            if name in self.early.causes:
                group.set(name, getattr(self.early, name), self.early.causes[name])
        group.is_ha = self.early.is_ha
        self.request.is_ha |= group.is_ha and group.is_umbrella
        group.sentence = self.sentence
        self.early = Group()
        self.request.groups.append(group)
        self.meet(group)
        return group

    def meet(self, group: Group) -> None:
        """Turn to this group, and note what was just said to come before or after it."""
        self._settle_order(group)
        self.focus = group
        self.cohort = []
        self.is_open = True
        self.in_network = False
        self.link = ""
        self.distance = 0
        self.is_another = self.is_own = False

    def _settle_order(self, group: Group) -> None:
        if self.order is None or self.order[1] is group:
            return
        direction, other = self.order
        pair = (other, group) if direction == "after" else (group, other)
        self.request.needs.append(pair)
        if direction == "before":
            self.order = None

    def take_count(self) -> tuple[int | None, bool, str]:
        """The waiting count, whether it insists, and its words."""
        token, self.pending = self.pending, None
        if token is None:
            return None, False, ""
        return max(1, int(token.value)), token.kind == "number", self.quote(token)

    def expire_count(self) -> None:
        self.pending = None

    def listed(self) -> list[Group]:
        """The groups that this sentence has named."""
        return [group for group in self.request.groups if group.sentence == self.sentence]

    def named_here(self, token: Token) -> Group | None:
        """A group whose own name stands at this place."""
        for group in self.request.groups:
            if group.name and self.text[token.start : token.start + len(group.name)].lower() == group.name.lower():
                self.named_until = token.start + len(group.name)
                return group
        return None

    def end_sentence(self) -> None:
        self.sentence += 1
        self.pending = None
        self.negated = self.covers_all = self.together = False
        self.sizes_in_sentence = self.total_in_sentence = self.each_in_sentence = False
        self.is_another = self.is_own = False
        self.given = set()
        self.order = None
        self.link = "comma"
        self.last_label = ""
