"""A folder of models with the tiny one in it."""

from pathlib import Path

import pytest

from instances.tiny import model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, made once for a run."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    model.write(path)
    return path


@pytest.fixture
def models(tiny: Path, settings) -> Path:
    """The folder in which it lies, as ALMA's folder of models."""
    settings.ALMA_MODELS_DIR = tiny.parent
    return tiny.parent
