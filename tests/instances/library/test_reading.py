"""Heads of GGUF files: what is read of a good one, and every way in which one is broken; nothing else ever happens."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.gguf import F32, File, Tensor
from instances.library import facts, reading
from instances.library.reading import Broken
from instances.tiny import model
from instances.tiny.vocabulary import vocabulary


def written(path: Path, **about: object) -> Path:
    tensors = [Tensor.of("a.weight", (4, 8), [0.0] * 32), Tensor.of("b.weight", (8,), [0.0] * 8, F32)]
    keys = {"general.architecture": "llama"} | {name.replace("__", "."): value for name, value in about.items()}
    File(keys, tensors).write(path)  # type: ignore[arg-type]
    return path


def test_tiny_model_is_read(tiny: Path) -> None:
    head = reading.read(tiny)
    known = facts.of_gguf(head)
    assert (known.architecture, known.name, known.quantization) == ("llama", "tiny", "F16")
    assert (known.context_length, known.layers, known.width, known.heads) == (model.CONTEXT, 2, 64, 2)
    assert (known.cached_keys, known.cached_values) == (2 * 1 * 32, 2 * 1 * 32)
    tokens = len(vocabulary())
    layer = 64 * (64 + 32 + 32 + 64) + 3 * 64 * model.INNER + 2 * 64
    assert known.parameters == 2 * tokens * 64 + 64 + 2 * layer
    assert (known.vocabulary, known.has_template) == (tokens, True)


def test_every_layer_may_keep_another_number_of_heads(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.gguf", llama__block_count=3, llama__embedding_length=64, llama__attention__head_count=4,
        llama__attention__head_count_kv=[4, 2, 0], llama__attention__key_length=32, llama__attention__value_length=8,
    )  # fmt: skip
    known = facts.of_gguf(reading.read(path))
    assert (known.cached_keys, known.cached_values) == (6 * 32, 6 * 8)


def test_compressed_attention_keeps_its_state_alone(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.gguf", general__architecture="deepseek2", deepseek2__block_count=2, deepseek2__attention__kv_lora_rank=512,
        deepseek2__rope__dimension_count=64, deepseek2__attention__head_count=16, deepseek2__embedding_length=2048,
    )  # fmt: skip
    known = facts.of_gguf(reading.read(path))
    assert (known.cached_keys, known.cached_values) == (2 * 576, 0)


HEAD = b"GGUF" + struct.pack("<I", 3)
BROKEN = {
    "nothing": (b"", "cut off"),
    "another format": (b"PK\x03\x04" + b"\0" * 60, "does not begin"),
    "an old version": (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
    "half a head": (HEAD + b"\0", "cut off"),
    "more keys than any": (HEAD + struct.pack("<QQ", 0, 2**60), "more than any"),
    "more tensors than any": (HEAD + struct.pack("<QQ", 2**60, 0), "more than any"),
    "a long key": (HEAD + struct.pack("<QQQ", 0, 1, 2**50), "longer text"),
    "a kind that is not": (HEAD + struct.pack("<QQQ", 0, 1, 1) + b"k" + struct.pack("<I", 99), "not known"),
    "a list of lists": (HEAD + struct.pack("<QQQ", 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 9, 1), "not known"),
    "an endless list": (HEAD + struct.pack("<QQQ", 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 8, 2**62), "longer lists"),
    "a list that is not there": (
        HEAD + struct.pack("<QQQ", 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 4, 100_000),
        "cut off",
    ),
    "a tensor without a shape": (HEAD + struct.pack("<QQQ", 1, 0, 1) + b"t" + struct.pack("<I", 0), "without a shape"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_file_says_why(tmp_path: Path, case: str) -> None:
    content, words = BROKEN[case]
    (tmp_path / "a.gguf").write_bytes(content)
    with pytest.raises(Broken, match=words):
        reading.read(tmp_path / "a.gguf")


def test_file_that_was_cut_off_says_where(tiny: Path, tmp_path: Path) -> None:
    content = tiny.read_bytes()
    (tmp_path / "a.gguf").write_bytes(content[:-40_000])
    with pytest.raises(Broken, match=f"ends after {len(content) - 40_000} bytes, and its tensors after {len(content)}"):
        reading.read(tmp_path / "a.gguf")


@settings(max_examples=300)
@given(st.data())
def test_changed_bytes_are_read_or_broken(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.getbasetemp()
    content = bytearray(written(folder / "whole.gguf", llama__block_count=2, some__list=[1, 2, 3]).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "changed.gguf").write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        facts.of_gguf(reading.read(folder / "changed.gguf"))
    except Broken as error:
        assert str(error)
