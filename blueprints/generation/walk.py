"""Where the reader is: the machines that it speaks of, those named in this sentence, and the values that wait for a noun."""

from dataclasses import dataclass, field

from blueprints.generation.amendments import Span, amends
from blueprints.generation.facts import Cause, Group, Request
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token


@dataclass(slots=True)
class Walk:
    """One reading of one text; `elements` to `waiting` are of the sentence that is read."""

    text: str
    request: Request
    amended: list[Span] = field(default_factory=list)
    """Where the request takes back or changes what it said before."""
    sentence: int = 0
    current: list[Group] = field(default_factory=list)
    last_named: list[Group] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    position: int = 0
    here: list[Group] = field(default_factory=list)
    waiting: list[tuple[Token, str]] = field(default_factory=list)
    mark: str = ""
    came_by_for: bool = False
    is_indented: bool = False
    heading: Group | None = None
    headings: list[Group] = field(default_factory=list)
    part: Group | None = None
    home: Group | None = None
    """The one machine that everything is said to run on."""
    installing: Group | None = None
    addons: list[str] = field(default_factory=list)
    is_sequence: bool = False
    has_kubernetes: bool = False
    link: str = ""
    is_network: bool = False
    last_label: str = ""
    is_negated: bool = False
    negated_from: int = 0
    per_ahead: str = ""
    is_replacing: bool = False
    apart: list[Phrase] = field(default_factory=list)
    """What is listed for machines that were counted, one for each."""
    naming: Group | None = None
    kin: tuple[int, Group | None] = (0, None)
    """In which sentence a noun heads a list of names, and what it says of all of them."""
    is_naming: bool = False
    """One of those that were counted got its name alone."""
    compared: list[Group] = field(default_factory=list)
    """Machines whose sizes were said by comparison."""
    things: list[Group] = field(default_factory=list)
    """Machines for what no lexicon has, called by the words of the request."""
    pools: list[Group] = field(default_factory=list)
    """Machines without a purpose, of which some were given one."""
    shares: list[Group] = field(default_factory=list)
    """Those that were given one."""
    balanced: Token | None = None
    """The words that ask for a load balancer without naming one: "a load-balanced API"."""
    put_together_at: int = -1
    """Where this sentence put a list on one machine."""
    is_existing: bool = False
    distance: int = 0
    times: int = 1
    times_before: int = 1
    """The same of the machines that were named just before: "each team gets a web server and a database"."""
    listed: int = 0
    loose: Token | None = None
    model: Token | None = None
    """A language model that is to be run."""
    per: dict[str, Group] = field(default_factory=dict)
    alike: tuple[int, str, int] = (0, "", 0)
    numbers: dict[str, int] = field(default_factory=dict)
    shared: list[Group] = field(default_factory=list)
    named_until: int = 0
    indent: int = 0
    is_item: bool = False
    goes_on: bool = False
    heading_indent: int = -1
    has_colon_end: bool = False
    order: tuple[str, tuple[Group, ...]] | None = None
    order_ahead: str = ""
    ahead: list[Group] = field(default_factory=list)
    """Who "before" or "after" at the beginning of a sentence is about; their list ends at `ahead_until`."""
    ahead_until: int = 0
    subjects: tuple[Group, ...] = ()
    """Who the last order of this sentence was said of."""
    named_at: dict[int, list[Group]] = field(default_factory=dict)
    """What each noun of this sentence stands for, by its place."""
    backup_sentence: int = -9
    backup_token: Token | None = None
    backed: list[Group] = field(default_factory=list)
    covered: list[Group] = field(default_factory=list)
    unbacked: list[Phrase] = field(default_factory=list)
    """What is said to have no backups."""
    schedules: list[Token] = field(default_factory=list)
    retentions: list[Token] = field(default_factory=list)
    environments: set[str] = field(default_factory=set)
    environment: str = ""
    """The environment that is spoken of, where the request has several."""
    has_environments: bool = False

    @property
    def focus(self) -> Group | None:
        return self.current[-1] if self.current else None

    @property
    def in_focus(self) -> Group | None:
        """The group that this sentence is about so far."""
        return self.focus if self.focus in self.here else None

    def quote(self, first: Token | Phrase, last: Token | Phrase | None = None) -> Cause:
        """The words of the request, as its author wrote them, and where."""
        if isinstance(first, Token) and first.said and last is None:
            first = first.said
        end = (last or first).end
        return Cause(" ".join(self.text[first.start : end].split()), first.start, end)

    def is_amended(self, here: Token | Phrase) -> bool:
        """Whether this stands where the request changes itself."""
        return amends(self.amended, -1, here.start)

    def amends(self, token: Token | Phrase, before: Cause | None) -> bool:
        """Whether what stands here changes what was said before, with an "I mean" or "PS" between."""
        return before is not None and before.start >= 0 and amends(self.amended, before.start, token.start)

    def turn_to(self, *groups: Group) -> None:
        """From here on, values belong to these."""
        self.current, self.shared = list(groups), []
        self.here += [group for group in groups if group not in self.here]
        self.link = ""
        self.is_network = False

    def add(self, group: Group) -> Group:
        """Machines not named before."""
        group.sentence, group.environment = self.sentence, group.environment or self.environment
        self.request.groups.append(group)
        self.turn_to(group)
        return group

    def drop(self, group: Group) -> None:
        """It was only another word for something else."""
        self.request.groups = [g for g in self.request.groups if g is not group]
        self.request.needs = [pair for pair in self.request.needs if group not in pair]
        for listed in (self.here, self.current, self.last_named):
            if group in listed:
                listed.remove(group)

    def begin(self, elements: list[Element]) -> None:
        """A new sentence."""
        self.sentence += 1
        self.last_named = [group for group in self.here if group in self.request.groups] or self.last_named
        self.elements, self.position = elements, 0
        self.here, self.waiting, self.shared = (list(self.current) if self.goes_on else []), [], []
        self.link, self.last_label, self.order_ahead = "", "", ""
        self.is_network = self.is_negated = self.is_existing = self.came_by_for = False
        self.order = self.part = self.installing = None
        self.ahead, self.subjects, self.named_at = [], (), {}
        self.apart, self.put_together_at, self.is_naming = [], -1, False
        self.is_sequence, self.times_before = False, 1

    def says(self, kind: str) -> bool:
        """Whether the sentence has such a token."""
        return any(e.has(kind) if isinstance(e, Phrase) else e.kind == kind for e in self.elements)

    def kinds_after(self, count: int) -> list[str]:
        """What follows: kinds of tokens, "phrase" for noun phrases."""
        return [kind_of(element) for element in self.elements[self.position + 1 : self.position + 1 + count]]

    def kinds_before(self, count: int) -> list[str]:
        """What came just before, nearest first."""
        return [kind_of(e) for e in reversed(self.elements[max(0, self.position - count) : self.position])]


def kind_of(element: Element) -> str:
    return "phrase" if isinstance(element, Phrase) else element.kind


def is_and(element: Element) -> bool:
    return isinstance(element, Token) and element.value == "and"
