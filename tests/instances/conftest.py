"""A folder of models with the tiny one in it."""

import shutil
from pathlib import Path

import pytest
from django.conf import settings as configured

from instances.tiny import model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, made once for a run."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    model.write(path)
    return path


@pytest.fixture(autouse=True)
def models(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which it lies, as ALMA's folder of models."""
    monkeypatch.setattr(configured, "ALMA_MODELS_DIR", tiny.parent)
    return tiny.parent


@pytest.fixture
def others(tiny: Path, tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models more, in a folder of this test."""
    for name in ("tiny", "other", "b"):
        shutil.copy(tiny, tmp_path / f"{name}.gguf")
    monkeypatch.setattr(configured, "ALMA_MODELS_DIR", tmp_path)
