"""What a query may ask for, judged from its text and before anything of it is validated or run."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    parse,
)

from alma.errors import BadRequest, NotAuthenticated

MAX_TOKENS = 1_000
MAX_NESTING = 60
MAX_DEPTH = 8
MAX_COST = 1_000
MAX_ALIASES = 15
MAX_REPEATS = 50
"""How often one field may be written: validation compares each with each."""
KEPT = 128
_BRACKETS = re.compile(r"[{(\[]|[})\]]")
_INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True)
class Asked:
    """What came in: a text, values for its variables, and which of its operations to run."""

    query: str
    variables: dict[str, Any]
    name: str | None


@dataclass(frozen=True)
class Extent:
    """How deep a selection goes, how many rows it may bring, and how many fields it names anew."""

    depth: int = 0
    cost: int = 0
    aliases: int = 0

    def beside(self, other: "Extent") -> "Extent":
        """Both in one selection."""
        return Extent(max(self.depth, other.depth), self.cost + other.cost, self.aliases + other.aliases)


def check(asked: Asked, lists: Mapping[str, int], *, may_introspect: bool) -> None:
    """Refuse what is no query, or too large a one. `lists` says how many rows a field brings when no limit is given.

    Raises BadRequest, and NotAuthenticated for introspection by somebody unknown."""
    document = _parsed(asked.query)
    operations = _operations(document, asked.name)
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    for operation in operations:
        scale = Scale(fragments, _defaults(operation) | asked.variables, lists)
        _judge(scale.of(operation.selection_set))
        if scale.introspects and not may_introspect:
            raise NotAuthenticated("Introspection needs an API key.", code="INTROSPECTION_REFUSED")


def _operations(document: DocumentNode, name: str | None) -> list[OperationDefinitionNode]:
    """The operations of a document, of which the name chooses one. Raises BadRequest."""
    found = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    names = [node.name.value if node.name else None for node in found]
    if name not in names and (name or len(names) != 1):
        raise BadRequest("operationName must name one operation of the query.", code="GRAPHQL_OPERATION")
    if any(node.operation is not OperationType.QUERY for node in found):
        raise BadRequest("Only queries are answered here; changes go through the API.", code="GRAPHQL_READ_ONLY")
    return found


def _judge(extent: Extent) -> None:
    for what, has, most in (
        ("depth", extent.depth, MAX_DEPTH),
        ("cost", extent.cost, MAX_COST),
        ("number of aliases", extent.aliases, MAX_ALIASES),
    ):
        if has > most:
            said = f"{has:,}" if has < 10**9 else "enormous"
            raise BadRequest(
                f"The {what} of the query is {said}; at most {most:,} are allowed.", code="QUERY_TOO_LARGE"
            )


@lru_cache(maxsize=KEPT)
def _parsed(query: str) -> DocumentNode:
    """The document. Nesting is looked at first, for the parser calls itself once per level. Raises BadRequest."""
    nesting = 0
    for bracket in _BRACKETS.findall(query):
        nesting += 1 if bracket in "{([" else -1
        if nesting > MAX_NESTING:
            raise BadRequest(f"The query is nested deeper than {MAX_NESTING} levels.", code="QUERY_TOO_LARGE")
    try:
        return parse(query, no_location=False, max_tokens=MAX_TOKENS)
    except GraphQLError as error:
        raise BadRequest(error.message, code="GRAPHQL_SYNTAX", details=[error.formatted]) from error


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        node.variable.name.value: int(node.default_value.value)
        for node in operation.variable_definitions or ()
        if isinstance(node.default_value, IntValueNode)
    }


@dataclass
class Scale:
    """Measures selections. A fragment is measured once, however often it is used; one in itself is refused."""

    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    lists: Mapping[str, int]
    introspects: bool = False
    _known: dict[str, Extent] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)
    _written: Counter[str] = field(default_factory=Counter)

    def of(self, selections: SelectionSetNode | None) -> Extent:
        """Of a whole selection set. Raises BadRequest."""
        extent = Extent()
        for node in selections.selections if selections else ():
            extent = extent.beside(self._of_one(node))
        return extent

    def _of_one(self, node: object) -> Extent:
        if isinstance(node, FieldNode):
            return self._of_field(node)
        if isinstance(node, InlineFragmentNode):
            return self.of(node.selection_set)
        return self._of_fragment(node.name.value) if isinstance(node, FragmentSpreadNode) else Extent()

    def _of_field(self, node: FieldNode) -> Extent:
        self._written[node.name.value] += 1
        if self._written[node.name.value] > MAX_REPEATS:
            raise BadRequest(f"A field is written more than {MAX_REPEATS} times.", code="QUERY_TOO_LARGE")
        inner = self.of(node.selection_set)
        aliases = inner.aliases + int(node.alias is not None)
        if node.name.value in _INTROSPECTION:
            self.introspects = True
            return Extent(aliases=aliases)  # the library has a rule of its own for how deep these go
        cost = self._rows(node) * (1 + inner.cost) if node.selection_set else 0
        return Extent(1 + inner.depth, cost, aliases)

    def _of_fragment(self, name: str) -> Extent:
        if name in self._open:
            raise BadRequest(f"The fragment {name[:60]} contains itself.", code="GRAPHQL_FRAGMENT_CYCLE")
        if name not in self._known and name in self.fragments:
            self._open.add(name)
            self._known[name] = self.of(self.fragments[name].selection_set)
            self._open.discard(name)
        return self._known.get(name, Extent())

    def _rows(self, node: FieldNode) -> int:
        """How many objects a field brings for each one that it is asked of."""
        usual = self.lists.get(node.name.value, 1)
        limit = _argument(node.arguments or (), "limit")
        if isinstance(limit, IntValueNode):
            return max(1, int(limit.value[:12]))
        value = self.variables.get(limit.name.value) if isinstance(limit, VariableNode) else None
        return max(1, value) if isinstance(value, int) else usual


def _argument(arguments: Iterable[Any], name: str) -> ValueNode | None:
    return next((node.value for node in arguments if node.name.value == name), None)
