"""The flags of llama-server that the embedded one takes, and where each goes in the parameters of llama.cpp."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Read = Callable[[str], Any]
_WIDTH = 40


def layers(text: str) -> int:
    """A number of layers; `auto` and `all` are numbers of llama.cpp."""
    return {"auto": -1, "all": -2}.get(text) or int(text)


def threads(text: str) -> int:
    """A number of threads; 0 and less mean all cores, as llama-server reads them. llama.cpp itself aborts at 0."""
    return max(int(text), 0) or -1


def slots(text: str) -> int:
    """A number of slots. Raises ValueError for 0, as llama-server refuses it: every request would wait for ever."""
    if not int(text):
        raise ValueError(text)
    return int(text)


def seed(text: str) -> int:
    """A seed as llama.cpp keeps it: 32 bits, all of them for a random one."""
    return int(text) & 0xFFFFFFFF


def fractions(text: str) -> list[float]:
    """Numbers with commas between them."""
    return [float(part) for part in text.split(",")]


def switched(text: str) -> bool:
    """On or off. Raises ValueError for anything else."""
    if text not in {"on", "off"}:
        raise ValueError(text)
    return text == "on"


@dataclass(frozen=True)
class Enum:
    """A word that is a member of one of llama.cpp's enums."""

    enum: str
    prefix: str
    words: dict[str, str]

    def __call__(self, text: str) -> "Member":
        """The member. Raises KeyError for a word that is none."""
        return Member(self.enum, self.prefix + self.words[text])


@dataclass(frozen=True)
class Member:
    """A member of an enum by its names, so that this table does not need the library."""

    enum: str
    name: str


def _enum(enum: str, prefix: str, *words: str, **others: str) -> Enum:
    return Enum(enum, prefix, {word: word.upper() for word in words} | others)


_CACHE = _enum("ggml_type", "GGML_TYPE_", "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")
_FLASH = _enum("llama_flash_attn_type", "LLAMA_FLASH_ATTN_TYPE_", "auto", on="ENABLED", off="DISABLED")
_SPLIT = _enum("llama_split_mode", "LLAMA_SPLIT_MODE_", "none", "layer", "row", "tensor")
_LOAD = Enum(
    "llama_load_mode", "LLAMA_LOAD_MODE_",
    {"auto": "AUTO", "none": "NONE", "mmap": "MMAP", "mlock": "MLOCK", "mmap+mlock": "MMAP_MLOCK", "dio": "DIRECT_IO"},
)  # fmt: skip
_LAZY = _enum("llama_lazy_mode", "LLAMA_LAZY_MODE_", "on", "auto", "off")
_NUMA = _enum("ggml_numa_strategy", "GGML_NUMA_STRATEGY_", "distribute", "isolate", "numactl")
_ROPE = _enum("llama_rope_scaling_type", "LLAMA_ROPE_SCALING_TYPE_", "none", "linear", "yarn")
_POOLING = _enum("llama_pooling_type", "LLAMA_POOLING_TYPE_", "none", "mean", "cls", "last", "rank")
_REASONING = Enum(
    "common_reasoning_format", "COMMON_REASONING_FORMAT_",
    {"none": "NONE", "deepseek": "DEEPSEEK", "deepseek-legacy": "DEEPSEEK_LEGACY", "auto": "AUTO"},
)  # fmt: skip


@dataclass(frozen=True)
class Flag:
    """One flag: its spellings, its hint, what it does, where it goes (`a.b`), and how its text is read. Without `read` it
    is a switch: `value` is what it sets, and `negatives` set the opposite."""

    spellings: tuple[str, ...]
    hint: str
    what: str
    places: tuple[str, ...]
    read: Read | None = None
    value: bool = True
    negatives: tuple[str, ...] = ()

    def row(self) -> str:
        """Its row in the help text, as llama-server prints it."""
        head = ", ".join((*self.spellings, *self.negatives)) + (f" {self.hint}" if self.hint else "")
        gap = "\n" + " " * _WIDTH if len(head) > _WIDTH - 2 else " " * (_WIDTH - len(head))
        return f"{head}{gap}{self.what}"


def _takes(spellings: str, hint: str, what: str, place: str, read: Read) -> Flag:
    return Flag(tuple(spellings.split()), hint, what, tuple(place.split()), read)


def _switch(spellings: str, what: str, place: str, *, value: bool = True) -> Flag:
    words = spellings.split()
    negatives = [word for word in words if word.startswith("--no-") or (word.startswith("-n") and len(words) > 2)]
    positives = [word for word in words if word not in negatives] or words
    return Flag(
        tuple(positives), "", what, tuple(place.split()), value=value,
        negatives=tuple(word for word in negatives if word not in positives),
    )  # fmt: skip


FLAGS: tuple[Flag, ...] = (
    _takes("-m --model", "FNAME", "model path to load", "model.path", str),
    _takes("-a --alias", "STRING", "name under which the model answers", "model_alias", lambda text: {text}),
    _takes("--host", "HOST", "address to listen on (default: 127.0.0.1)", "hostnames", lambda text: [text]),
    _takes("--port", "PORT", "port to listen on (default: 8080)", "port", int),
    _takes("-c --ctx-size", "N", "size of the prompt context (default: 0, 0 = loaded from model)", "n_ctx", int),
    _takes("-np --parallel", "N", "number of server slots (default: 1)", "n_parallel", slots),
    _takes("-b --batch-size", "N", "logical maximum batch size (default: 2048)", "n_batch", int),
    _takes("-ub --ubatch-size", "N", "physical maximum batch size (default: 512)", "n_ubatch", int),
    _takes("-n --predict --n-predict", "N", "number of tokens to predict (default: -1)", "n_predict", int),
    _takes("--keep", "N", "number of tokens to keep from the initial prompt (default: 0)", "n_keep", int),
    _switch("-cb --cont-batching -nocb --no-cont-batching", "continuous batching (default: enabled)", "cont_batching"),
    _switch("--swa-full", "use full-size SWA cache (default: false)", "swa_full"),
    _switch("-kvu --kv-unified -no-kvu --no-kv-unified", "one KV buffer for all sequences", "kv_unified"),
    _takes("-ctk --cache-type-k", "TYPE", "KV cache data type for K (default: f16)", "cache_type_k", _CACHE),
    _takes("-ctv --cache-type-v", "TYPE", "KV cache data type for V (default: f16)", "cache_type_v", _CACHE),
    _switch("--cache-prompt --no-cache-prompt", "whether to cache prompts (default: enabled)", "cache_prompt"),
    _takes("--cache-reuse", "N", "min chunk size to reuse from the cache (default: 0)", "n_cache_reuse", int),
    _takes("-cram --cache-ram", "N", "maximum cache size in MiB (default: 8192)", "cache_ram_mib", int),
    _switch("--context-shift --no-context-shift", "shift the context when it is full (default: off)", "ctx_shift"),
    _takes("-sps --slot-prompt-similarity", "N", "how alike a prompt must be", "slot_prompt_similarity", float),
    _takes("-ctxcp --ctx-checkpoints", "N", "context checkpoints per slot (default: 32)", "n_ctx_checkpoints", int),
    _takes("-t --threads", "N", "number of CPU threads (default: -1)", "cpuparams.n_threads cpuparams_batch.n_threads", threads),
    _takes("-tb --threads-batch", "N", "number of threads for batches", "cpuparams_batch.n_threads", threads),
    _takes("--threads-http", "N", "threads that serve HTTP (default: -1)", "n_threads_http", int),
    _takes("--poll", "<0...100>", "polling level to wait for work (default: 50)", "cpuparams.poll", int),
    _takes("-ngl --gpu-layers --n-gpu-layers", "N", "layers in VRAM: a number, auto or all", "n_gpu_layers", layers),
    _takes("-sm --split-mode", "{none,layer,row,tensor}", "how to split over GPUs", "split_mode", _SPLIT),
    _takes("-ts --tensor-split", "N0,N1,N2,...", "fraction for each GPU", "tensor_split", fractions),
    _takes("-mg --main-gpu", "INDEX", "the GPU to use for the model (default: 0)", "main_gpu", int),
    _takes("-fa --flash-attn", "[on|off|auto]", "Flash Attention (default: auto)", "flash_attn_type", _FLASH),
    _switch("-kvo --kv-offload -nkvo --no-kv-offload", "KV cache offloading (default: enabled)", "-no_kv_offload"),
    _switch("--op-offload --no-op-offload", "offload host tensor operations (default: true)", "-no_op_offload"),
    _switch("--repack -nr --no-repack", "weight repacking (default: enabled)", "-no_extra_bufts"),
    _switch("--no-host", "bypass the host buffer", "no_host"),
    _takes("--moe-cache-mib", "N", "GPU cache for experts kept in the CPU (default: 0)", "moe_cache_size", int),
    _takes("-lm --load-mode", "MODE", "model loading mode (default: auto)", "load_mode", _LOAD),
    _takes("-lzm --lazy-mode", "MODE", "on-demand reading of tensors (default: auto)", "lazy_mode", _LAZY),
    _takes("--numa", "TYPE", "distribute, isolate or numactl", "numa", _NUMA),
    _takes("-fit --fit", "[on|off]", "fit unset arguments to the device (default: on)", "fit_params", switched),
    _takes("-fitc --fit-ctx", "N", "least context that --fit may choose (default: 4096)", "fit_params_min_ctx", int),
    _switch("--warmup --no-warmup", "an empty run at the start (default: enabled)", "warmup"),
    _switch("--check-tensors", "check the model for invalid values (default: false)", "check_tensors"),
    _switch("--perf --no-perf", "internal timings (default: false)", "-no_perf"),
    _takes("--rope-scaling", "{none,linear,yarn}", "RoPE scaling method", "rope_scaling_type", _ROPE),
    _takes("--rope-scale", "N", "RoPE context scaling factor", "rope_freq_scale", lambda text: 1 / float(text)),
    _takes("--rope-freq-base", "N", "RoPE base frequency", "rope_freq_base", float),
    _takes("--rope-freq-scale", "N", "RoPE frequency scaling factor", "rope_freq_scale", float),
    _takes("--yarn-orig-ctx", "N", "YaRN: original context size of the model", "yarn_orig_ctx", int),
    _takes("--yarn-ext-factor", "N", "YaRN: extrapolation mix factor", "yarn_ext_factor", float),
    _takes("--yarn-attn-factor", "N", "YaRN: scale sqrt(t)", "yarn_attn_factor", float),
    _takes("--yarn-beta-slow", "N", "YaRN: high correction dim", "yarn_beta_slow", float),
    _takes("--yarn-beta-fast", "N", "YaRN: low correction dim", "yarn_beta_fast", float),
    _takes("-s --seed", "SEED", "RNG seed (default: -1)", "sampling.seed", seed),
    _takes("--samplers", "SAMPLERS", "samplers in their order", "sampling.samplers", str),
    _takes("--temp --temperature", "N", "temperature (default: 0.80)", "sampling.temp", float),
    _takes("--top-k", "N", "top-k sampling (default: 40)", "sampling.top_k", int),
    _takes("--top-p", "N", "top-p sampling (default: 0.95)", "sampling.top_p", float),
    _takes("--min-p", "N", "min-p sampling (default: 0.05)", "sampling.min_p", float),
    _takes("--typical --typical-p", "N", "locally typical sampling (default: 1.00)", "sampling.typ_p", float),
    _takes("--xtc-probability", "N", "xtc probability (default: 0.00)", "sampling.xtc_probability", float),
    _takes("--xtc-threshold", "N", "xtc threshold (default: 0.10)", "sampling.xtc_threshold", float),
    _takes("--repeat-last-n", "N", "last tokens to penalize (default: 64)", "sampling.penalty_last_n", int),
    _takes("--repeat-penalty", "N", "penalize repetition (default: 1.00)", "sampling.penalty_repeat", float),
    _takes("--presence-penalty", "N", "penalize presence (default: 0.00)", "sampling.penalty_present", float),
    _takes("--frequency-penalty", "N", "penalize frequency (default: 0.00)", "sampling.penalty_freq", float),
    _takes("--dry-multiplier", "N", "DRY sampling multiplier (default: 0.00)", "sampling.dry_multiplier", float),
    _takes("--dry-base", "N", "DRY sampling base value (default: 1.75)", "sampling.dry_base", float),
    _takes("--dry-allowed-length", "N", "allowed length for DRY (default: 2)", "sampling.dry_allowed_length", int),
    _takes("--dry-penalty-last-n", "N", "DRY penalty for the last tokens", "sampling.dry_penalty_last_n", int),
    _takes("--dynatemp-range", "N", "dynamic temperature range (default: 0.00)", "sampling.dynatemp_range", float),
    _takes("--dynatemp-exp", "N", "dynamic temperature exponent (default: 1.00)", "sampling.dynatemp_exponent", float),
    _takes("--mirostat", "N", "Mirostat sampling: 0, 1 or 2 (default: 0)", "sampling.mirostat", int),
    _takes("--mirostat-lr", "N", "Mirostat learning rate (default: 0.10)", "sampling.mirostat_eta", float),
    _takes("--mirostat-ent", "N", "Mirostat target entropy (default: 5.00)", "sampling.mirostat_tau", float),
    _switch("--ignore-eos", "go on after the end of a text", "sampling.ignore_eos"),
    _switch("-e --escape --no-escape", "escape sequences (default: true)", "escape"),
    _switch("-sp --special", "special tokens in the output (default: false)", "special"),
    _switch("--embedding --embeddings", "serve embeddings alone (default: disabled)", "embedding"),
    _switch("--reranking --rerank", "serve reranking (default: disabled)", "reranking"),
    _takes("--pooling", "{none,mean,cls,last,rank}", "pooling of embeddings", "pooling_type", _POOLING),
    _takes("--embd-normalize", "N", "normalisation of embeddings (default: 2)", "embd_normalize", int),
    _switch("--jinja --no-jinja", "Jinja templates for chats (default: enabled)", "use_jinja"),
    _switch("--prefill-assistant --no-prefill-assistant", "go on with the assistant's words", "prefill_assistant"),
    _takes("--reasoning-format", "FORMAT", "none, deepseek, deepseek-legacy or auto", "reasoning_format", _REASONING),
    _takes("-to --timeout", "N", "read/write timeout in seconds (default: 3600)", "timeout_read timeout_write", int),
    _takes("--sleep-idle-seconds", "N", "idle seconds until it sleeps (default: -1)", "sleep_idle_seconds", int),
    _takes("-lv --verbosity --log-verbosity", "N", "verbosity threshold (default: 3)", "verbosity", int),
    _switch("--metrics", "the Prometheus endpoint (default: disabled)", "endpoint_metrics"),
    _switch("--slots --no-slots", "the endpoint of slots (default: enabled)", "endpoint_slots"),
    _switch("--ui --no-ui --webui --no-webui", "the page of llama.cpp (default: enabled)", "ui"),
)  # fmt: skip


def help_text() -> str:
    """What `--help` prints: the layout of llama-server, so that whoever reads that reads this."""
    head = "----- common params -----\n"
    own = ["-h, --help, --usage", "--version", "--list-devices"]
    whats = ["print usage and exit", "show version and build info", "print list of available devices and exit"]
    rows: Iterator[str] = (f"{flag:<{_WIDTH}}{what}" for flag, what in zip(own, whats, strict=True))
    return "\n".join([head, *rows, *(flag.row() for flag in FLAGS), ""])
