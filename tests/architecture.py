"""The rules of the architecture. Each is a function from a module to the sentences that say where it breaks the rule."""

import ast
from collections.abc import Iterator

from tests.source import APPS, Import, Module, functions, imports, is_below

WIRING = (
    "alma.settings", "alma.wiring", "alma.urls", "alma.application", "alma.asgi", "alma.overview", "alma.graphql", "alma.bootstrap", "alma.styleguide",
    "alma.apps", "alma.management",
)  # fmt: skip
"""These name apps; nothing imports them but each other."""
KERNEL = (
    (
        "alma.env",
        "alma.databases",
        "alma.failpoints",
        "alma.liveness",
        "alma.errors",
        "alma.asgi_types",
        "alma.statements",
        "alma.remembering",
        "alma.searching",
        "alma.sealing",
        "alma.outbound",
    ),
    ("alma.http", "alma.htmx", "alma.routing", "alma.templatetags"),
    ("alma.accounts",),
    ("alma.api",),
    ("alma.events",),
    ("alma.accounts.desk", "alma.accounts.urls", "alma.accounts.admin"),
    ("alma.jobs",),
    ("alma.monitoring",),
    ("alma.reception",),
    ("alma.server",),
)
"""Lowest first."""
FACES = ("views", "forms", "api", "serializers", "consumers", "urls", "routing", "admin", "middleware", "templatetags")
"""Files of an app that face the outside; all others are its domain."""
PRIVATE_FACES = ("views", "forms", "serializers", "admin", "urls", "routing", "api")
WEB = ("django.http", "django.shortcuts", "rest_framework")


def wiring_imports(module: Module) -> Iterator[str]:
    """Nothing imports the wiring."""
    if is_below(module.name, *WIRING):
        return
    for found in imports(module):
        if is_below(found.target, *WIRING):
            yield _at(module, found, "is wiring, which nothing imports")


def climbing_imports(module: Module) -> Iterator[str]:
    """iprs -> blueprints -> instances -> vms -> alma; levels are skipped downward, never climbed."""
    if is_below(module.name, *WIRING):
        return
    for found in imports(module):
        if found.app in APPS and APPS.index(found.app) > APPS.index(module.app):
            yield _at(module, found, f"lies above {module.app}")


def climbing_kernel_imports(module: Module) -> Iterator[str]:
    """The kernel is layered as well; for type hints alone an upper layer may be named."""
    layer = _layer(module.name)
    if module.app != "alma" or is_below(module.name, *WIRING) or module.name == "alma":
        return
    if layer is None:
        yield f"{module.name} has no layer: give it one in KERNEL or WIRING"
        return
    for found in imports(module):
        upper = _layer(found.target)
        if upper is not None and upper > layer and not found.is_for_types:
            yield _at(module, found, f"lies above {module.name}")


def _layer(name: str) -> int | None:
    """The layer of the longest entry that a name is below."""
    found = [(len(entry), number) for number, layer in enumerate(KERNEL) for entry in layer if is_below(name, entry)]
    return max(found)[1] if found else None


def hidden_imports(module: Module) -> Iterator[str]:
    """No import inside a function, none of everything, none relative."""
    inner = {id(child): child for function in functions(module) for child in ast.walk(function)}
    for node in inner.values():
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield f"{module.name}:{node.lineno} imports inside a function"
    for found in imports(module):
        if found.target.endswith(".*"):
            yield _at(module, found, "imports everything")
        if found.target.startswith("."):
            yield _at(module, found, "is relative")


def crossing_imports(module: Module) -> Iterator[str]:
    """Of another app: its models, services and value types; never its face, never its private names."""
    if is_below(module.name, *WIRING):
        return
    own = _unit(module.name)
    for found in imports(module):
        if found.app not in APPS or _unit(found.target) == own:
            continue
        rest = found.target.removeprefix(_unit(found.target)).strip(".").split(".")
        if rest[0] in PRIVATE_FACES:
            yield _at(module, found, "is the face of another app")
        if any(part.startswith("_") for part in rest):
            yield _at(module, found, "is private to another app")


def _unit(name: str) -> str:
    """An app, or one part of the kernel."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "alma" else parts[0]


def web_in_domain(module: Module) -> Iterator[str]:
    """What an app knows does not depend on who asks: its domain imports nothing of HTTP."""
    is_app = module.app != "alma" or is_below(module.name, "alma.accounts", "alma.events", "alma.jobs", "alma.errors")
    faces = {*FACES, "credentials", "origins", "bodies", "recent_login"}
    if not is_app or faces & set(module.parts):
        return
    for found in imports(module):
        if is_below(found.target, *WEB):
            yield _at(module, found, "is of the web, and this is domain")


def environment_reads(module: Module) -> Iterator[str]:
    """Only alma/env.py reads the environment; the entry points may name the settings."""
    if module.name == "alma.env":
        return
    allowed = set(_default_setters(module)) if module.name in {"alma.asgi", "manage"} else set()
    for node in ast.walk(module.tree):
        if _is_environ(node) and id(node) not in allowed:
            yield f"{module.name}:{node.lineno} reads the environment"  # type: ignore[attr-defined]


def _default_setters(module: Module) -> Iterator[int]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr == "setdefault":
            yield id(node.value)


def _is_environ(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
        return node.attr in {"environ", "environb", "getenv", "putenv"}
    return isinstance(node, ast.ImportFrom) and node.module == "os" and "environ" in {a.name for a in node.names}


def state_writes(module: Module) -> Iterator[str]:
    """A state changes in `move`; a step's in the context of its lease; the sandbox is a world of its own."""
    if is_below(module.name, "vms.sandbox"):
        return
    doors = {id(child) for function in functions(module) if _is_door(module, function) for child in ast.walk(function)}
    for node in ast.walk(module.tree):
        if id(node) not in doors and (_assigns_state(node) or _updates_state(node)):
            yield f"{module.name}:{node.lineno} writes a state outside of move"  # type: ignore[attr-defined]


def _is_door(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    doors = {"alma.jobs.context": "_set", "alma.jobs.services": "retry"}
    return function.name in {"move", "__init__", doors.get(module.name)}


def _assigns_state(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(target, ast.Attribute) and target.attr in {"status", "state"} for target in targets)


def _updates_state(node: ast.AST) -> bool:
    is_update = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update"
    return is_update and any(word.arg in {"status", "state"} for word in node.keywords)  # type: ignore[attr-defined]


def signals_between_apps(module: Module) -> Iterator[str]:
    """An app tells another by calling its service or by an event of the log, never by a signal."""
    for found in imports(module):
        if is_below(found.target, "django.dispatch", "django.db.models.signals"):
            yield _at(module, found, "is a signal")


def _at(module: Module, found: Import, what: str) -> str:
    return f"{module.name}:{found.line} imports {found.target}, which {what}"
