"""The tiny model is small, always the same, and a GGUF file to the byte."""

import struct
from pathlib import Path

import pytest
from django.core.management import call_command

from instances.gguf import ALIGNMENT, F32, File, Tensor
from instances.tiny import model
from instances.tiny.vocabulary import SPACE, WORDS, vocabulary


def test_file_is_small_and_always_the_same(tiny: Path, tmp_path: Path) -> None:
    model.write(tmp_path / "again.gguf")
    model.write(tmp_path / "other.gguf", seed=1)
    assert tiny.read_bytes() == (tmp_path / "again.gguf").read_bytes()
    assert tiny.read_bytes() != (tmp_path / "other.gguf").read_bytes()
    assert tiny.stat().st_size < 1_000_000


def test_every_word_can_be_built_from_its_letters() -> None:
    texts = [token.text for token in vocabulary()]
    assert len(texts) == len(set(texts))
    for word in WORDS:
        full = SPACE + word
        assert all(full[:end] in set(texts) for end in range(1, len(full) + 1))


def test_whole_words_are_likelier_than_their_beginnings() -> None:
    biases = {token.text: token.bias for token in vocabulary()}
    assert biases[f"{SPACE}house"] > biases[f"{SPACE}hous"]
    assert biases[f"{SPACE}be"] == biases[f"{SPACE}become"]


def test_command_writes_it_into_the_folder_of_models(tmp_path: Path, settings, capsys) -> None:
    settings.ALMA_MODELS_DIR = tmp_path / "models"
    call_command("tiny_model", str(settings.ALMA_MODELS_DIR / "demo.gguf"), "--seed", "7")
    assert (tmp_path / "models" / "demo.gguf").read_bytes()[:4] == b"GGUF"
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["demo.gguf"]


@pytest.mark.parametrize(
    ("value", "packed"),
    [
        (True, struct.pack("<I?", 7, True)),
        (5, struct.pack("<II", 4, 5)),
        (0.5, struct.pack("<If", 6, 0.5)),
        ("ab", struct.pack("<IQ", 8, 2) + b"ab"),
        (["a", "b"], struct.pack("<IIQ", 9, 8, 2) + struct.pack("<Q", 1) + b"a" + struct.pack("<Q", 1) + b"b"),
        ([1, -2], struct.pack("<IIQii", 9, 5, 2, 1, -2)),
        ([0.5], struct.pack("<IIQf", 9, 6, 1, 0.5)),
    ],
    ids=["truth", "whole", "number", "text", "texts", "wholes", "numbers"],
)
def test_what_is_told_of_a_model(value: object, packed: bytes) -> None:
    content = File({"k": value}).content()  # type: ignore[dict-item]
    assert content.startswith(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"k" + packed)


def test_tensors_lie_where_their_rows_say() -> None:
    tensors = [Tensor.of("a", (3,), [1.0, 2.0, 3.0], F32), Tensor.of("b", (2, 3), [1.0] * 6)]
    content = File({}, tensors).content()
    start = len(content) - 2 * ALIGNMENT
    assert content[start : start + 12] == struct.pack("<3f", 1, 2, 3)
    assert content[start + ALIGNMENT :][:12] == struct.pack("<6e", *[1.0] * 6)
    assert struct.pack("<I2QIQ", 2, 3, 2, 1, ALIGNMENT) in content
