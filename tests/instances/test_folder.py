"""No path leads out of the folder of models."""

from pathlib import Path

import pytest

from alma.errors import Invalid
from instances import folder


@pytest.fixture
def models(tmp_path: Path, settings) -> Path:
    root = tmp_path / "models"
    (root / "family").mkdir(parents=True)
    (root / "a.gguf").write_bytes(b"GGUF")
    (root / "family" / "b.gguf").write_bytes(b"GGUF")
    (root / "notes.txt").write_text("no model")
    (tmp_path / "outside.gguf").write_bytes(b"GGUF")
    (root / "link.gguf").symlink_to(tmp_path / "outside.gguf")
    (root / "up").symlink_to(tmp_path)
    settings.ALMA_MODELS_DIR = root
    return root


@pytest.mark.parametrize("path", ["a.gguf", "/models/a.gguf", "/a.gguf", "./a.gguf"])
def test_model_of_the_folder(models: Path, path: str) -> None:
    assert folder.located(path, is_file=True) == models / "a.gguf"


def test_model_by_its_full_path(models: Path) -> None:
    assert folder.located(str(models / "family" / "b.gguf"), is_file=True) == models / "family" / "b.gguf"


def test_folder_as_a_model(models: Path) -> None:
    assert folder.located("family", is_file=False) == models / "family"


@pytest.mark.parametrize(
    "path",
    ["", "../outside.gguf", "/models/../../outside.gguf", "family/../../outside.gguf", "-x.gguf", "family/-x.gguf",
     "a\n.gguf", "a\0.gguf", "..\\outside.gguf", "x" * 600, "\u202egguf.a", "/..", "..", "a.gguf\r"],
)  # fmt: skip
def test_path_that_can_be_no_model(models: Path, path: str) -> None:
    with pytest.raises(Invalid):
        folder.written(path)


@pytest.mark.parametrize(
    "path",
    ["link.gguf", "up/outside.gguf", "/etc/passwd", "notes.txt", "family", "none.gguf", "/path/to/model.gguf",
     "\uff0e\uff0e/outside.gguf", "\u2024\u2024/outside.gguf", "a.gguf/x"],
)  # fmt: skip
def test_path_that_leads_elsewhere_is_no_model(models: Path, path: str) -> None:
    with pytest.raises(Invalid):
        folder.located(path, is_file=True)
