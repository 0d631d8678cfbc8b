"""What must hold of the files of the repository, whatever is in them."""

import ast
import re
import statistics
import subprocess
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.urls import get_resolver

from tests.indirect import indirect
from tests.source import APPS, ROOT, functions, imports, modules, paths

FOLDERS = {"alma", "blueprints", "iprs", "instances", "vms", "templates", "static", "tests", "docs", ".ci"}
PRODUCT_LINES, TEST_LINES, TEMPLATE_LINES, FUNCTION_LINES, MEDIAN_LINES = 300, 450, 100, 40, 8
PINNED = re.compile(r"[a-z0-9._-]+(\[[a-z0-9,]+\])?==[0-9][0-9a-z.]*")
ELSEWHERE = re.compile(r"(?<![\w./-])/(root|work|Users|home/\w+)/|--(extra-)?index-url|files\.pythonhosted")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|^(<<<<<<<|>>>>>>>) ", re.MULTILINE)
INLINE = {
    "a script in the page": re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE),
    "a style in the page": re.compile(r"<style|\sstyle\s*=", re.IGNORECASE),
    "a handler in the page": re.compile(r"\s(hx-)?on[a-z:-]+\s*=|javascript:", re.IGNORECASE),
    "something from another origin": re.compile(r"""\s(src|href|action)\s*=\s*["'](https?:)?//""", re.IGNORECASE),
}
ALLOWED_DISTRIBUTIONS = {"asgiref", "pydantic-core"}
"""Come with Django, Channels, DRF and pydantic, whose interfaces they are."""


VENDORED = ROOT / "static" / "novnc"
"""As it is published, see its ORIGIN.txt; its words are not ours."""


@cache
def tracked() -> list[Path]:
    """The files that Git knows, but for those that others wrote; every text among them is checked."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    found = [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]
    return [path for path in found if VENDORED not in path.parents]


@cache
def texts() -> dict[str, str]:
    """Tracked text files by name."""
    binary = {".png", ".ico", ".woff2", ".mo"}
    return {str(path.relative_to(ROOT)): path.read_text() for path in tracked() if path.suffix not in binary}


@cache
def templates() -> dict[str, str]:
    """Templates by the name under which they are loaded."""
    folder = ROOT / "templates"
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.html"))}


def test_top_level_folders() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in tracked() if len(path.relative_to(ROOT).parts) > 1}
    assert found == FOLDERS


def test_documents_of_the_repository() -> None:
    names = {"README.md", "CHANGELOG.md", "LICENSE", "THREAT_MODEL.md", "Makefile", "manage.py", ".ci/run"}
    assert names <= texts().keys()


def test_only_one_style_sheet_and_one_script() -> None:
    own = [path.name for path in tracked() if path.suffix in {".css", ".js"}]
    assert sorted(own) == ["app.css", "app.js"]


def test_files_are_short() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in paths(*APPS, "tests")}
    bound = {path: TEST_LINES if "tests" in path.relative_to(ROOT).parts else PRODUCT_LINES for path in lengths}
    assert [f"{path.relative_to(ROOT)}: {n}" for path, n in lengths.items() if n > bound[path]] == []


def test_functions_are_short() -> None:
    lengths = {
        f"{module.name}.{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for module in modules()
        for function in functions(module)
    }
    assert [f"{name}: {length}" for name, length in lengths.items() if length > FUNCTION_LINES] == []
    assert statistics.median(lengths.values()) <= MEDIAN_LINES


def test_every_module_says_what_it_is() -> None:
    silent = [module.name for module in modules() if module.tree.body and not ast.get_docstring(module.tree)]
    assert silent == []


def test_nothing_names_the_machine_it_was_written_on() -> None:
    own = {"tests/test_repository.py"}
    found = {name: match[0] for name, text in texts().items() if name not in own and (match := ELSEWHERE.search(text))}
    assert found == {}


def test_nothing_is_left_unfinished() -> None:
    own = {"tests/test_repository.py"}
    found = {name: match[0] for name, text in texts().items() if name not in own and (match := UNFINISHED.search(text))}
    assert found == {}


@pytest.mark.parametrize("text", ["see /work/x", "(/root/.cache)", "/home/jane/alma", "pip --index-url http"])
def test_machine_names_are_noticed(text: str) -> None:
    assert ELSEWHERE.search(text)


@pytest.mark.parametrize("text", ["https://example.org/work/x", "var/root", "the /api/v1/ipr route", "/homepage"])
def test_other_paths_are_allowed(text: str) -> None:
    assert not ELSEWHERE.search(text)


# -- packages -------------------------------------------------------------------------------------
def requirements(name: str) -> list[str]:
    """The lines of a requirements file that name a package."""
    lines = (line.split("#")[0].strip() for line in texts()[name].splitlines())
    return [line for line in lines if line and not line.startswith("-r ")]


def _distribution(line: str) -> str:
    return re.split(r"[\[=]", line)[0].lower().replace("_", "-")


def test_what_they_bring_along_is_pinned_too() -> None:
    pinned = dict(line.split("==") for line in requirements("requirements-indirect.txt"))
    assert pinned == indirect(), "run `make lock`"


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-indirect.txt", "requirements-clients.txt"]
)
def test_every_package_is_pinned(name: str) -> None:
    assert [line for line in requirements(name) if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize(
    ("folders", "files"),
    [(APPS, ["requirements.txt"]), (("tests", "docs"), ["requirements.txt", "requirements-dev.txt"])],
    ids=["product", "tests"],
)
def test_every_imported_package_is_required(folders: tuple[str, ...], files: list[str]) -> None:
    known = {_distribution(line) for name in files for line in requirements(name)} | ALLOWED_DISTRIBUTIONS
    missing = {
        f"{path.relative_to(ROOT)}: {package}"
        for path in paths(*folders)
        for package in _foreign_packages(path)
        if not {name.lower().replace("_", "-") for name in _owners()[package]} & known
    }
    assert missing == set()


@cache
def _owners() -> dict[str, list[str]]:
    return dict(packages_distributions())


def _foreign_packages(path: Path) -> set[str]:
    from_here = {*APPS, "tests", "docs"}
    tree = ast.parse(path.read_text())
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    packages = {name.split(".")[0] for name in names}
    return {package for package in packages if package in _owners()} - from_here


# -- templates ------------------------------------------------------------------------------------
def test_templates_are_short() -> None:
    lengths = {name: len(text.splitlines()) for name, text in templates().items()}
    assert [f"{name}: {length}" for name, length in lengths.items() if length > TEMPLATE_LINES] == []


@pytest.mark.parametrize("what", INLINE)
def test_templates_hold_no(what: str) -> None:
    found = {name: match[0] for name, text in templates().items() if (match := INLINE[what].search(text))}
    assert found == {}


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a script in the page", "<script>alert(1)</script>"),
        ("a style in the page", '<p style="color:red">'),
        ("a handler in the page", "<a onclick='x()'>"),
        ("a handler in the page", "<a hx-on:click='x()'>"),
        ("something from another origin", '<img src="https://example.org/x.png">'),
    ],
)
def test_inline_parts_are_noticed(what: str, text: str) -> None:
    assert INLINE[what].search(text)


def test_every_template_compiles_and_so_do_those_it_names() -> None:
    named = re.compile(r"""{%-?\s*(?:include|extends)\s+["']([^"']+)["']""")
    assert len(templates()) > 20
    for name, text in templates().items():
        for wanted in [name, *named.findall(text)]:
            get_template(wanted)


def test_every_static_file_that_a_template_names_exists() -> None:
    named = re.compile(r"""{%\s*static\s+["']([^"']+)["']""")
    wanted = {(name, path) for name, text in templates().items() for path in named.findall(text)}
    assert wanted
    assert [f"{name}: {path}" for name, path in sorted(wanted) if not finders.find(path)] == []


def test_every_url_that_a_template_names_exists() -> None:
    named = re.compile(r"""{%\s*url\s+["']([^"']+)["']""")
    wanted = {(name, url) for name, text in templates().items() for url in named.findall(text)}
    assert wanted
    assert [f"{name}: {url}" for name, url in sorted(wanted) if not _is_routed(url)] == []


def _is_routed(url: str) -> bool:
    resolver = get_resolver()
    *spaces, last = url.split(":")
    for space in spaces:
        if space not in resolver.namespace_dict:
            return False
        resolver = resolver.namespace_dict[space][1]
    return last in resolver.reverse_dict


def test_imports_are_known() -> None:
    """The trees that all rules look at hold what they should."""
    assert any(found.target.startswith("django.") for module in modules() for found in imports(module))
