"""Where the files of a download go: below the folder of models, whatever a repository calls them."""

import re
import shutil
from pathlib import Path, PurePosixPath

from django.conf import settings

from alma.errors import Invalid
from instances import machine

REPO = re.compile(r"(?=.{3,193}\Z)[A-Za-z0-9](?:[\w-]|\.(?!\.)){0,95}/[A-Za-z0-9](?:[\w-]|\.(?!\.)){0,95}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9](?:[\w +()\[\]-]|\.(?!\.)){0,150}", re.ASCII)
SUFFIXES = frozenset({".gguf", ".safetensors", ".json", ".model", ".txt", ".jinja"})
"""What a model consists of; nothing of it is ever run."""
DEEPEST = 3
PART = ".part"


class Unsafe(Invalid):
    """A name that a download cannot have."""

    code = "UNSAFE_NAME"


def checked_repo(repo: str) -> str:
    """An owner and a name. Raises Invalid."""
    if not REPO.fullmatch(repo):
        raise Invalid("repo must read like org/model or org/model:Q4_K_M.", code="INVALID_REPO")
    return repo


def checked_name(name: str) -> str:
    """The path of a file in its repository. Raises Unsafe for one that could lead elsewhere, or that is no part of a model."""
    parts = name.split("/")
    if len(parts) > DEEPEST or not all(_NAME.fullmatch(part) for part in parts):
        raise Unsafe(f"The repository has a file whose name cannot be one here: {name[:80]!r}.")
    if PurePosixPath(name).suffix not in SUFFIXES:
        raise Unsafe(f"{name} is no file of a model.")
    return name


def path_of(repo: str, name: str) -> str:
    """Below the folder of models. Raises Invalid."""
    return f"{checked_repo(repo)}/{checked_name(name)}"


def made(path: str) -> Path:
    """Where a file goes, with its folders made. Raises Unsafe when a link lies on the way."""
    root = Path(settings.ALMA_MODELS_DIR)
    root.mkdir(parents=True, exist_ok=True)
    place = root.resolve() / path
    for folder in reversed(place.relative_to(root.resolve()).parents[:-1]):
        (root.resolve() / folder).mkdir(exist_ok=True)
    if place.parent.resolve() != place.parent or place.is_symlink() or part_of(place).is_symlink():
        raise Unsafe(f"{path} would be reached through a link, which may lead anywhere.")
    return place


def part_of(place: Path) -> Path:
    """What has come of a file so far."""
    return place.with_name(place.name + PART)


def refuse_without_room(needed: int) -> None:
    """Raises Invalid when so many bytes would not leave the reserve free on the disk of the folder of models."""
    free = shutil.disk_usage(machine.existing(Path(settings.ALMA_MODELS_DIR))).free - settings.ALMA_MODELS_RESERVE
    if needed > free:
        raise Invalid(
            f"This needs {needed:,} bytes, and {max(0, free):,} may be used on the disk of models.", code="NO_SPACE_LEFT"
        )  # fmt: skip


def remove(path: str) -> None:
    """A file, what has come of it, and the folders that are empty then."""
    root = Path(settings.ALMA_MODELS_DIR).resolve()
    place = root / path
    if place.parent.resolve() != place.parent:
        return
    for one in (place, part_of(place)):
        one.unlink(missing_ok=True)
    for folder in place.parents:
        if folder == root or not folder.is_relative_to(root) or not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()
