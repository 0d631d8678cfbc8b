"""The folder of models. It is the root of every path that a client writes: nothing outside of it has a name."""

from pathlib import Path, PurePosixPath

from django.conf import settings

from alma.errors import Invalid

LONGEST = 500
_SHOWN_ROOT = "/models"
"""How documents write the folder."""


def written(path: str) -> str:
    """A model's path as it is kept. Raises Invalid for what can never be one."""
    if not path or len(path) > LONGEST or not path.isprintable():
        raise Invalid(f"A model is a path of up to {LONGEST} printable characters.", code="INVALID_MODEL")
    parts = PurePosixPath(path).parts
    if ".." in parts or "\\" in path or any(part.startswith("-") for part in parts):
        raise Invalid(
            "A model's path has no «..», no backslash, and no part that begins with «-».", code="INVALID_MODEL"
        )
    return path


def located(path: str, *, is_file: bool) -> Path:
    """Where a model lies. Raises Invalid when there is none, or when it is not in the folder of models itself."""
    root = Path(settings.ALMA_MODELS_DIR).resolve()
    found = root / _within(written(path), root)
    if not (found.is_file() if is_file else found.is_dir()):
        raise Invalid(f"There is no model {path} in the folder of models.", code="MODEL_MISSING")
    if found.resolve() != found:
        raise Invalid(f"The model {path} is reached through a link, which may lead anywhere.", code="INVALID_MODEL")
    if is_file and found.suffix != ".gguf":
        raise Invalid(f"The model {path} is not a GGUF file.", code="INVALID_MODEL")
    return found


def names(written_path: str, model: str) -> bool:
    """Whether a path as somebody wrote it means the model of that path below the folder, or one of its files."""
    meant = _within(written_path, Path(settings.ALMA_MODELS_DIR).resolve())
    return meant == PurePosixPath(model) or PurePosixPath(model) in meant.parents


def _within(path: str, root: Path) -> PurePosixPath:
    """The path below the root: as written in full, as documents write it, or as if the root were `/`."""
    pure = PurePosixPath(path)
    for prefix in (str(root), str(settings.ALMA_MODELS_DIR), _SHOWN_ROOT):
        if pure.is_relative_to(prefix):
            return pure.relative_to(prefix)
    return PurePosixPath(*[part for part in pure.parts if part != "/"])
