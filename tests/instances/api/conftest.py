"""A folder of models in which those lie that tests name."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def named_models(tiny: Path, settings, tmp_path: Path) -> Path:
    """The tiny model under the names of these tests."""
    folder = tmp_path / "models"
    folder.mkdir(exist_ok=True)
    for name in ("x", "y", "tiny", "new"):
        shutil.copy(tiny, folder / f"{name}.gguf")
    settings.ALMA_MODELS_DIR = folder
    return folder
