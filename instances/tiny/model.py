"""The weights of the tiny model, and its file. The same seed gives the same file."""

from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from random import Random

from instances.gguf import F32, File, Item, Tensor
from instances.tiny.template import TEMPLATE
from instances.tiny.vocabulary import CONTROL, TURN_ENDS, Token, vocabulary

WIDTH, HEADS, KEY_HEADS, INNER, LAYERS, CONTEXT = 64, 2, 1, 128, 2, 8192
_CONSTANT = 8.0
"""The value of the first hidden dimension, which no layer touches."""
_SPREAD = 1.3
"""About the variance that the layers leave in the others."""
_F16_MOSTLY = 1


@dataclass
class _Dice:
    random: Random

    def matrix(self, name: str, rows: int, columns: int, spread: float, *, is_quiet: bool = False) -> Tensor:
        """Random weights; a quiet matrix leaves the first hidden dimension alone."""
        numbers = [self.random.gauss(0.0, spread) for _ in range(rows * columns)]
        if is_quiet:
            numbers[:columns] = [0.0] * columns
        return Tensor.of(name, (rows, columns), numbers)


def write(path: Path, *, seed: int = 0, name: str = "tiny") -> None:
    """Write the model there: about half a megabyte. Another seed is another model."""
    tokens = vocabulary()
    File(_about(tokens, name), _tensors(tokens, _Dice(Random(seed)))).write(path)


def _about(tokens: list[Token], name: str) -> dict[str, Item]:
    end = next(number for number, token in enumerate(tokens) if token.text == TURN_ENDS)
    return {
        "general.architecture": "llama", "general.name": name, "general.file_type": _F16_MOSTLY,
        "general.description": "Random weights for demonstrations and tests: it knows nothing",
        "llama.vocab_size": len(tokens), "llama.context_length": CONTEXT, "llama.embedding_length": WIDTH,
        "llama.block_count": LAYERS, "llama.feed_forward_length": INNER, "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KEY_HEADS, "llama.rope.dimension_count": WIDTH // HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": [token.text for token in tokens],
        "tokenizer.ggml.scores": [token.score for token in tokens],
        "tokenizer.ggml.token_type": [token.kind for token in tokens],
        "tokenizer.ggml.unknown_token_id": 0, "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": end,
        "tokenizer.ggml.eot_token_id": end, "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_space_prefix": False, "tokenizer.chat_template": TEMPLATE,
    }  # fmt: skip


def _tensors(tokens: list[Token], dice: _Dice) -> list[Tensor]:
    layers = [tensor for number in range(LAYERS) for tensor in _layer(f"blk.{number}.", dice)]
    return [_embedding(len(tokens), dice), _ones("output_norm.weight"), _output(tokens, dice), *layers]


def _embedding(count: int, dice: _Dice) -> Tensor:
    numbers = [dice.random.gauss(0.0, 1.0) for _ in range(count * WIDTH)]
    numbers[::WIDTH] = [_CONSTANT] * count
    return Tensor.of("token_embd.weight", (count, WIDTH), numbers)


def _output(tokens: list[Token], dice: _Dice) -> Tensor:
    """Logits of a spread of about one, to which the constant dimension adds the bias of each token. Marks hardly vary:
    whatever the seed, turns end and tools are called."""
    size = sqrt((_CONSTANT**2 + (WIDTH - 1) * _SPREAD) / WIDTH)
    spread = size / sqrt(_SPREAD * (WIDTH - 1))
    spreads = [spread / 4 if token.kind == CONTROL else spread for token in tokens for _ in range(WIDTH)]
    numbers = [dice.random.gauss(0.0, one) for one in spreads]
    numbers[::WIDTH] = [token.bias * size / _CONSTANT for token in tokens]
    return Tensor.of("output.weight", (len(tokens), WIDTH), numbers)


def _layer(prefix: str, dice: _Dice) -> list[Tensor]:
    head = WIDTH // HEADS
    return [
        _ones(f"{prefix}attn_norm.weight"),
        _ones(f"{prefix}ffn_norm.weight"),
        dice.matrix(f"{prefix}attn_q.weight", HEADS * head, WIDTH, 0.2),
        dice.matrix(f"{prefix}attn_k.weight", KEY_HEADS * head, WIDTH, 0.2),
        dice.matrix(f"{prefix}attn_v.weight", KEY_HEADS * head, WIDTH, 0.1),
        dice.matrix(f"{prefix}attn_output.weight", WIDTH, HEADS * head, 0.1, is_quiet=True),
        dice.matrix(f"{prefix}ffn_gate.weight", INNER, WIDTH, 0.1),
        dice.matrix(f"{prefix}ffn_up.weight", INNER, WIDTH, 0.1),
        dice.matrix(f"{prefix}ffn_down.weight", WIDTH, INNER, 0.1, is_quiet=True),
    ]


def _ones(name: str) -> Tensor:
    return Tensor.of(name, (WIDTH,), [1.0] * WIDTH, F32)
