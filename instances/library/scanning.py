"""What lies in the folder of models: looked through each time, read once for each state of a file."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from instances.library import facts, reading
from instances.library.facts import Facts
from instances.library.reading import Broken

DEEPEST, MOST_ENTRIES = 6, 20_000
GGUF, SAFETENSORS = ".gguf", ".safetensors"
_SPLIT = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")
_STRANGE = frozenset({"clip"})
"""Architectures of files that belong to a model and are none: what sees and hears for it."""


@dataclass(frozen=True)
class Part:
    """A file of a model: its path below the folder of models, and its bytes."""

    path: str
    size: int


@dataclass(frozen=True)
class Found:
    """A model. `path` is what an instance calls it: of several files the first, of safetensors the folder. With a `problem`
    it cannot be served, and the sentence says why."""

    path: str
    format: str
    parts: tuple[Part, ...]
    facts: Facts
    problem: str = ""

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(part.size for part in self.parts)

    @property
    def repo(self) -> str:
        """Owner and name, where it lies as a download does; else the folder that it lies in."""
        folders = self.path.split("/") if self.format == "safetensors" else self.path.split("/")[:-1]
        return "/".join(folders[:2])


def scan() -> list[Found]:
    """All models, by path. Links are passed over, as are files that begin with a dot or end otherwise."""
    root = Path(settings.ALMA_MODELS_DIR)
    if not root.is_dir():
        return []
    walked = list(_walk(root))
    files = [path for path in walked if path.suffix == GGUF]
    folders = sorted({path.parent for path in walked if path.suffix == SAFETENSORS and path.parent != root})
    found = [*_of_files(root, files), *(_folder(root, folder) for folder in folders)]
    return sorted(found, key=lambda model: model.path)


def find(path: str) -> Found | None:
    """The model of this path, as a scan writes it."""
    return next((model for model in scan() if model.path == path), None)


def _walk(root: Path) -> Iterator[Path]:
    seen = 0
    for folder, folders, names in os.walk(root, followlinks=False):
        depth = len(Path(folder).relative_to(root).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < DEEPEST else []
        for name in sorted(names):
            seen += 1
            path = Path(folder, name)
            if (
                seen <= MOST_ENTRIES
                and name.isprintable()
                and not name.startswith((".", "-"))
                and not path.is_symlink()
            ):
                yield path


def _of_files(root: Path, files: list[Path]) -> Iterator[Found]:
    """Each file, and each row of files that were split, as one model."""
    rows: dict[tuple[Path, str, str], list[Path]] = {}
    for path in files:
        match = _SPLIT.fullmatch(path.name)
        key = (path.parent, match["stem"], match["count"]) if match else (path, "", "1")
        rows.setdefault(key, []).append(path)
    for (_, _, count), row in rows.items():
        yield _gguf(root, row, int(count))


def _gguf(root: Path, row: list[Path], count: int) -> Found:
    parts, heads, problem = tuple(_part(root, path) for path in row), [], ""
    for path in row:
        head, why = _head(str(path), *_state(path))
        heads.append(head)
        problem = problem or why
    if not problem and len(row) != count:
        problem = f"{row[0].name} is one of {count} files, of which {count - len(row)} are missing."
    known = facts.of_gguf(heads[0]) if heads[0] else Facts()
    if known.architecture in _STRANGE:
        problem = problem or f"{row[0].name} belongs to a model and is none itself."
    total = sum(head.parameters for head in heads if head)
    return Found(parts[0].path, "gguf", parts, _with(known, total), problem)


def _with(known: Facts, parameters: int) -> Facts:
    return Facts(**{**vars(known), "parameters": parameters})


def _folder(root: Path, folder: Path) -> Found:
    names = sorted(
        path for path in folder.iterdir() if path.is_file() and not path.is_symlink() and path.name[0] != "."
    )
    weights = [path for path in names if path.suffix == SAFETENSORS]
    parts = tuple(_part(root, path) for path in names if not path.name.endswith(".part"))
    state = tuple(_state(path) for path in names)
    known, problem = _of_folder(str(folder), tuple(map(str, weights)), state)
    return Found(folder.relative_to(root).as_posix(), "safetensors", parts, known, problem)


def _part(root: Path, path: Path) -> Part:
    return Part(path.relative_to(root).as_posix(), _state(path)[0])


def _state(path: Path) -> tuple[int, int]:
    """Size and time of the last change; another state is read anew. A file that goes meanwhile is an empty one."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=2_000)
def _head(path: str, size: int, changed: int) -> tuple[reading.Head | None, str]:
    try:
        return reading.read(Path(path)), ""
    except (Broken, OSError) as error:
        return None, _sentence(path, error)


@lru_cache(maxsize=500)
def _of_folder(folder: str, weights: tuple[str, ...], state: tuple[tuple[int, int], ...]) -> tuple[Facts, str]:
    try:
        return facts.of_folder(Path(folder), list(map(Path, weights))), ""
    except FileNotFoundError:
        return Facts(name=Path(folder).name), f"{Path(folder).name} has no config.json."
    except (Broken, OSError) as error:
        return Facts(name=Path(folder).name), _sentence(folder, error)


def _sentence(path: str, error: Exception) -> str:
    why = str(error) if isinstance(error, Broken) else "cannot be read"
    return f"{Path(path).name} {why}."
