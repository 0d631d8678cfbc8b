"""The product's own source as syntax trees, and the rules of its architecture as functions over one module."""

import ast
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ("alma", "vms", "instances", "blueprints", "iprs")
"""Lowest first: an app may import those before it."""


@dataclass(frozen=True)
class Module:
    """One file: its dotted name and its tree."""

    name: str
    tree: ast.Module

    @property
    def app(self) -> str:
        return self.name.split(".")[0]

    @property
    def parts(self) -> list[str]:
        return self.name.split(".")


@dataclass(frozen=True)
class Import:
    """One imported name: `from a.b import c` is `a.b.c`, `import a.b` is `a.b`."""

    target: str
    line: int
    is_for_types: bool

    @property
    def app(self) -> str:
        return self.target.split(".")[0]


def module_of(path: Path) -> Module:
    """The module in a file of the repository."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return Module(".".join(parts).removesuffix(".__init__"), parsed(path.read_text()))


def parsed(source: str) -> ast.Module:
    """Python 3.11 fails with «recursion depth mismatch» when the collector has work in the middle of making a tree."""
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        gc.enable()


def snippet(name: str, source: str) -> Module:
    """A module that exists in a test only."""
    return Module(name, parsed(source))


@cache
def paths(*folders: str) -> list[Path]:
    """Python files below folders of the repository, migrations apart."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


@cache
def modules() -> list[Module]:
    """Every module of the product."""
    return [module_of(path) for path in paths(*APPS)]


@cache
def imports(module: Module) -> list[Import]:
    """What a module imports, wherever it does so."""
    for_types = {id(child) for node in ast.walk(module.tree) if _is_for_types(node) for child in ast.walk(node)}
    return [
        Import(target, node.lineno, id(node) in for_types)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for target in _targets(node)
    ]


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _targets(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    origin = "" if isinstance(node, ast.Import) else f"{'.' * node.level}{node.module or ''}."
    for alias in node.names:
        yield f"{origin}{alias.name}"


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods, nested ones included."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def is_below(target: str, *roots: str) -> bool:
    """Whether a dotted name is one of the roots or lies below one."""
    return any(target == root or target.startswith(f"{root}.") for root in roots)
