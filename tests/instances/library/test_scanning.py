"""What a scan finds in a folder of models: files, split files, folders, and what is wrong with the broken ones."""

import json
import os
import struct
from pathlib import Path

import pytest

from instances.library import reading, scanning
from instances.library.scanning import Found, scan


@pytest.fixture
def folder(tmp_path: Path, settings) -> Path:
    settings.ALMA_MODELS_DIR = tmp_path / "models"
    settings.ALMA_MODELS_DIR.mkdir()
    return settings.ALMA_MODELS_DIR


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def safetensors(*shapes: list[int]) -> bytes:
    head = {
        f"t{number}": {"dtype": "BF16", "shape": shape, "data_offsets": [0, 0]} for number, shape in enumerate(shapes)
    }
    text = json.dumps({"__metadata__": {"format": "pt"}, **head}).encode()
    return struct.pack("<Q", len(text)) + text


def found() -> dict[str, Found]:
    return {model.path: model for model in scan()}


def test_files_and_split_files_are_models(folder: Path, tiny: Path) -> None:
    content = tiny.read_bytes()
    put(folder / "tiny.gguf", content)
    for number in (1, 2, 3):
        put(folder / "org" / "big" / f"big-Q4_K_M-0000{number}-of-00003.gguf", content)
    models = found()
    assert list(models) == ["org/big/big-Q4_K_M-00001-of-00003.gguf", "tiny.gguf"]
    big, small = models.values()
    assert (len(big.parts), big.size, big.problem) == (3, 3 * len(content), "")
    assert big.facts.parameters == 3 * small.facts.parameters > 0
    assert (big.repo, small.repo) == ("org/big", "")


def test_folder_of_safetensors_is_one_model(folder: Path) -> None:
    config = {
        "model_type": "qwen2", "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 3,
        "max_position_embeddings": 4096, "torch_dtype": "bfloat16", "vocab_size": 100,
    }  # fmt: skip
    place = folder / "org" / "small"
    put(place / "config.json", json.dumps(config).encode())
    put(place / "model-00001-of-00002.safetensors", safetensors([4, 5], [6]))
    put(place / "model-00002-of-00002.safetensors", safetensors([10]))
    (model,) = scan()
    assert (model.path, model.format, model.problem, model.repo) == ("org/small", "safetensors", "", "org/small")
    facts = model.facts
    assert (facts.parameters, facts.quantization, facts.context_length, facts.architecture) == (
        36,
        "BF16",
        4096,
        "qwen2",
    )
    assert facts.cached_keys == facts.cached_values == 3 * 2 * 16


def test_broken_ones_are_named_with_why(folder: Path, tiny: Path) -> None:
    content = tiny.read_bytes()
    put(folder / "cut.gguf", content[:-50_000])
    put(folder / "page.gguf", b"<html>not found</html>")
    put(folder / "half-00001-of-00002.gguf", content)
    put(folder / "bare" / "model.safetensors", safetensors([1]))
    put(folder / "odd" / "model.safetensors", b"\xff" * 20)
    put(folder / "odd" / "config.json", b"{}")
    put(folder / "list" / "model.safetensors", safetensors([1]))
    put(folder / "list" / "config.json", b"[]")
    problems = {path: model.problem for path, model in found().items()}
    words = {
        "cut.gguf": "it was cut off", "page.gguf": "does not begin as a GGUF file does", "half-00001-of-00002.gguf": "1 are missing",
        "bare": "no config.json", "odd": "does not begin as safetensors do", "list": "is no object",
    }  # fmt: skip
    assert problems.keys() == words.keys()
    assert [path for path, part in words.items() if part not in problems[path]] == []


def test_links_hidden_files_and_what_comes_are_passed_over(folder: Path, tiny: Path) -> None:
    outside = put(folder.parent / "outside" / "a.gguf", tiny.read_bytes())
    (folder / "link.gguf").symlink_to(outside)
    (folder / "linked").symlink_to(outside.parent)
    put(folder / ".hidden" / "a.gguf", b"")
    put(folder / "coming.gguf.part", tiny.read_bytes())
    put(folder / "notes.txt", b"")
    put(folder.joinpath(*"abcdefghi") / "deep.gguf", tiny.read_bytes())
    os.mkfifo(folder / "pipe.txt")
    assert scan() == []


def test_file_is_read_once_for_each_state(folder: Path, tiny: Path, monkeypatch) -> None:
    asked: list[Path] = []
    read = reading.read
    monkeypatch.setattr(scanning.reading, "read", lambda path: asked.append(path) or read(path))
    path = put(folder / "a.gguf", tiny.read_bytes())
    assert scan() == scan() and len(asked) == 1
    os.utime(path, (1, 1))
    scan()
    assert len(asked) == 2


def test_no_folder_is_no_model(settings, tmp_path: Path) -> None:
    settings.ALMA_MODELS_DIR = tmp_path / "none"
    assert scan() == []
