"""How much memory a model claims when it is started with some options, reckoned before anybody starts it.

Four parts, as llama.cpp allocates them (src/llama-model.cpp, src/llama-kv-cache.cpp, src/llama-context.cpp):

- weights: the bytes of the files. They are mapped, and resident once every layer has been used.
- cache: for each token of the context the keys and values of every layer, in the type of the cache:
  `context x (keys of all layers x bytes of K + values of all layers x bytes of V)`. llama-server's context is that of all
  slots together, so more slots share it and claim no more. Windows that slide (Gemma and others) claim less than this.
- working: the largest graph of one batch: its logits (`ubatch x vocabulary x 4`), its activations, and, without flash
  attention, the scores (`ubatch x heads x context x 4`).
- runtime: the program itself, measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instances.library.facts import Facts
from instances.library.scanning import Found

RUNTIME = {"llama_cpp": 38 * 1024**2, "mlx_lm": 400 * 1024**2, "vllm": 2 * 1024**3}
"""The embedded llama.cpp was measured; of the other two this is what their interpreters and libraries take before a model."""
UBATCH, CELLS = 512, 256
_ACTIVATIONS = 6
_TYPES: Mapping[str, tuple[int, int]] = {
    "f32": (4, 1), "f16": (2, 1), "bf16": (2, 1), "q8_0": (34, 32), "q4_0": (18, 32), "q4_1": (20, 32), "iq4_nl": (18, 32),
    "q5_0": (22, 32), "q5_1": (24, 32),
}  # fmt: skip
"""By type of the cache: so many bytes for so many numbers."""


@dataclass(frozen=True)
class Claim:
    """Bytes by what they are for, and the context that they were reckoned with. `is_whole` says whether the model tells
    enough of itself to reckon its cache."""

    weights: int
    cache: int
    working: int
    runtime: int
    context: int
    is_whole: bool

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.cache + self.working + self.runtime


def claim_of(model: Found, options: Mapping[str, Any], backend: str = "llama_cpp") -> Claim:
    """What a start with these options would claim."""
    facts = model.facts
    context = _whole(options.get("ctx_size") or options.get("max_model_len")) or facts.context_length
    context = -(-context // CELLS) * CELLS
    cache = context * (
        _bytes(facts.cached_keys, options.get("cache_type_k"))
        + _bytes(facts.cached_values, options.get("cache_type_v"))
    )
    working = _working(facts, options, context)
    return Claim(model.size, int(cache), working, RUNTIME[backend], context, bool(context and facts.layers))


def _working(facts: Facts, options: Mapping[str, Any], context: int) -> int:
    batch = _whole(options.get("batch_size")) or 2048
    ubatch = min(_whole(options.get("ubatch_size")) or UBATCH, batch, context or UBATCH)
    scores = facts.heads * context if options.get("flash_attn") == "off" else 0
    return 4 * ubatch * (facts.vocabulary + _ACTIVATIONS * max(facts.width, facts.inner) + scores)


def _bytes(numbers: int, kind: object) -> float:
    bytes_, per = _TYPES.get(str(kind), _TYPES["f16"])
    return numbers * bytes_ / per


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
