"""What is known of a model, whatever format it has: of a GGUF file from its head, of a folder from its configuration."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from instances.library.reading import Broken, Head, numbers

LONGEST_CONFIG, LONGEST_HEAD = 1_000_000, 32 * 1024 * 1024
MOST_LAYERS = 10_000
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L",
    14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS",
    23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M",
    32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip
"""Of llama.cpp (enum llama_ftype): how a file is quantised as a whole."""
_DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "half": "F16", "float": "F32"}


@dataclass(frozen=True)
class Facts:
    """A model in figures; 0 and empty for what it does not tell. `cached` is how many numbers of a token each layer keeps,
    keys and values, all layers together."""

    architecture: str = ""
    name: str = ""
    parameters: int = 0
    quantization: str = ""
    context_length: int = 0
    layers: int = 0
    width: int = 0
    inner: int = 0
    heads: int = 0
    vocabulary: int = 0
    cached_keys: int = 0
    cached_values: int = 0
    has_template: bool = False


def of_gguf(head: Head) -> Facts:
    """From the keys of llama.cpp. Attention that keeps a compressed state (MLA) keeps that one alone."""
    about = head.about
    architecture = _word(about, "general.architecture")

    def number(name: str, default: int = 0) -> int:
        return next(numbers(about.get(f"{architecture}.{name}")), default)

    layers = min(number("block_count"), MOST_LAYERS)
    heads, width = number("attention.head_count"), number("embedding_length")
    usual = width // heads if heads else 0
    keys, values = number("attention.key_length", usual), number("attention.value_length", usual)
    groups = list(numbers(about.get(f"{architecture}.attention.head_count_kv"))) or [heads]
    groups = groups if len(groups) == layers else groups[:1] * layers
    compressed = number("attention.kv_lora_rank")
    per_key = [compressed + number("rope.dimension_count")] * layers if compressed else [one * keys for one in groups]
    return Facts(
        architecture=architecture, name=_word(about, "general.name"), parameters=head.parameters,
        quantization=_quantization(head), context_length=number("context_length"), layers=layers, width=width,
        inner=max(numbers(about.get(f"{architecture}.feed_forward_length")), default=0), heads=heads,
        vocabulary=number("vocab_size"), cached_keys=sum(per_key), cached_values=0 if compressed else sum(one * values for one in groups),
        has_template="tokenizer.chat_template" in about,
    )  # fmt: skip


def of_folder(folder: Path, weights: list[Path]) -> Facts:
    """From `config.json` and the heads of the safetensors files. Raises Broken, OSError."""
    config = _config(folder / "config.json")

    def number(name: str, default: int = 0) -> int:
        return next(numbers(config.get(name)), default)

    heads, width, layers = number("num_attention_heads"), number("hidden_size"), number("num_hidden_layers")
    size = number("head_dim", width // heads if heads else 0)
    cached = min(layers, MOST_LAYERS) * number("num_key_value_heads", heads) * size
    dtype = str(config.get("torch_dtype") or config.get("dtype") or "")[:20]
    scheme = config.get("quantization_config")
    method = str(scheme.get("quant_method", ""))[:20] if isinstance(scheme, dict) else ""
    return Facts(
        architecture=str(config.get("model_type", ""))[:60], name=folder.name, parameters=sum(map(_parameters, weights)),
        quantization=method or _DTYPES.get(dtype, dtype), context_length=number("max_position_embeddings"),
        layers=layers, width=width, inner=number("intermediate_size"), heads=heads, vocabulary=number("vocab_size"),
        cached_keys=cached, cached_values=cached, has_template=(folder / "tokenizer_config.json").is_file(),
    )  # fmt: skip


def _quantization(head: Head) -> str:
    """As the file calls it, or the kind that most of its numbers have."""
    named = next((_FILE_TYPES.get(one, "") for one in numbers(head.about.get("general.file_type"))), "")
    return named or max(head.kinds, key=lambda kind: head.kinds[kind], default="")


def _word(about: Mapping[str, Any], key: str) -> str:
    value = about.get(key, "")
    return "".join(letter for letter in value[:100] if letter.isprintable()) if isinstance(value, str) else ""


def _config(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LONGEST_CONFIG:
        raise Broken("has a config.json that is larger than any model's")
    try:
        config = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Broken("has a config.json that is not JSON") from error
    if not isinstance(config, dict):
        raise Broken("has a config.json that is no object")
    return config


def _parameters(path: Path) -> int:
    """How many numbers a safetensors file holds, by its head. Raises Broken."""
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < length <= min(LONGEST_HEAD, path.stat().st_size - 8):
            raise Broken(f"has a file {path.name} that does not begin as safetensors do")
        try:
            tensors = json.loads(file.read(length))
            return sum(prod(one["shape"]) for name, one in tensors.items() if name != "__metadata__")
        except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
            raise Broken(f"has a file {path.name} whose head cannot be read") from error
