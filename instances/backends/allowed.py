"""What a client may set, by backend, with the values that it may have. What is not here is the operator's or nobody's:
options that read or write files, open ports, load code, reach the network or call tools are left out on purpose."""

from collections.abc import Mapping

from instances.backends.rules import Number, OneOf, Rules, Several, Switch, Whole

_BIG = 2**63 - 1
_TOKENS = Whole(0, 16_777_216)
_THREADS = Whole(-1, 1024)
_FACTOR = Number(-1000, 1000)
_CACHE = OneOf(("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"))
_SHARE = Number(-1, 1)
_SWITCH = Switch()
_SAMPLERS = Several("[a-z_]{2,20}", ";", 20, "names of samplers")
_FRACTIONS = Several(r"\d{1,4}(\.\d{1,4})?", ",", 16, "numbers")

LLAMA_CPP: Rules = {
    # how much it holds
    "ctx_size": _TOKENS, "parallel": Whole(-1, 1024, never=0), "batch_size": Whole(2, 1_048_576), "ubatch_size": Whole(1, 1_048_576),
    "predict": Whole(-2, 16_777_216), "keep": Whole(-1, 16_777_216), "cont_batching": _SWITCH, "swa_full": _SWITCH,
    "kv_unified": _SWITCH, "cache_type_k": _CACHE, "cache_type_v": _CACHE, "defrag_thold": _SHARE,
    "cache_prompt": _SWITCH, "cache_reuse": Whole(0, 1_048_576), "cache_ram": Whole(-1, 16_777_216), "context_shift": _SWITCH,
    "slot_prompt_similarity": _SHARE, "ctx_checkpoints": Whole(0, 1024),
    # where it works
    "threads": _THREADS, "threads_batch": _THREADS, "threads_http": _THREADS, "prio": Whole(-1, 2), "poll": Whole(0, 100),
    "gpu_layers": Whole(-1, 10_000, ("auto", "all")), "split_mode": OneOf(("none", "layer", "row", "tensor")),
    "tensor_split": _FRACTIONS, "main_gpu": Whole(0, 63), "flash_attn": OneOf(("on", "off", "auto")),
    "kv_offload": _SWITCH, "op_offload": _SWITCH, "repack": _SWITCH, "no_host": _SWITCH,
    "cpu_moe": _SWITCH, "n_cpu_moe": Whole(0, 10_000), "n_cpu_ffn": Whole(0, 10_000), "moe_cache_mib": Whole(0, 16_777_216),
    "mlock": _SWITCH, "mmap": _SWITCH, "load_mode": OneOf(("auto", "none", "mmap", "mlock", "mmap+mlock", "dio")),
    "lazy_mode": OneOf(("on", "auto", "off")), "numa": OneOf(("distribute", "isolate", "numactl")),
    "fit": OneOf(("on", "off")), "fit_ctx": _TOKENS, "warmup": _SWITCH, "check_tensors": _SWITCH, "perf": _SWITCH,
    # long contexts
    "rope_scaling": OneOf(("none", "linear", "yarn")), "rope_scale": _FACTOR, "rope_freq_base": Number(0, 1e12),
    "rope_freq_scale": _FACTOR, "yarn_orig_ctx": _TOKENS, "yarn_ext_factor": _FACTOR, "yarn_attn_factor": _FACTOR,
    "yarn_beta_slow": _FACTOR, "yarn_beta_fast": _FACTOR,
    # how it answers when a request does not say
    "seed": Whole(-1, _BIG), "temp": Number(0, 100), "top_k": Whole(0, 1_000_000), "top_p": Number(0, 1), "min_p": Number(0, 1),
    "top_nsigma": _FACTOR, "typical": Number(0, 1), "xtc_probability": Number(0, 1), "xtc_threshold": Number(0, 1),
    "repeat_last_n": Whole(-1, 16_777_216), "repeat_penalty": _FACTOR, "presence_penalty": _FACTOR,
    "frequency_penalty": _FACTOR, "dry_multiplier": _FACTOR, "dry_base": _FACTOR, "dry_allowed_length": Whole(0, 1_000_000),
    "dry_penalty_last_n": Whole(-1, 16_777_216), "mirostat": Whole(0, 2), "mirostat_lr": _FACTOR, "mirostat_ent": _FACTOR,
    "dynatemp_range": _FACTOR, "dynatemp_exp": _FACTOR, "samplers": _SAMPLERS, "ignore_eos": _SWITCH, "escape": _SWITCH,
    "special": _SWITCH,
    # what it is for
    "embedding": _SWITCH, "reranking": _SWITCH, "pooling": OneOf(("none", "mean", "cls", "last", "rank")),
    "embd_normalize": Whole(-1, 100), "jinja": _SWITCH, "prefill_assistant": _SWITCH,
    "reasoning_format": OneOf(("none", "deepseek", "deepseek-legacy", "auto")), "reasoning_budget": Whole(-1, 16_777_216),
    "timeout": Whole(1, 86_400), "sleep_idle_seconds": Whole(-1, 31_536_000), "verbosity": Whole(0, 5),
    "log_timestamps": _SWITCH, "log_prefix": _SWITCH,
}  # fmt: skip

VLLM: Rules = {
    "max_model_len": _TOKENS, "tensor_parallel_size": Whole(1, 64), "pipeline_parallel_size": Whole(1, 64),
    "data_parallel_size": Whole(1, 64), "gpu_memory_utilization": Number(0.01, 1), "swap_space": Number(0, 4096),
    "cpu_offload_gb": Number(0, 4096), "max_num_seqs": Whole(1, 65_536), "max_num_batched_tokens": _TOKENS,
    "block_size": Whole(1, 1024), "seed": Whole(0, _BIG), "enforce_eager": _SWITCH, "enable_prefix_caching": _SWITCH,
    "enable_chunked_prefill": _SWITCH, "enable_auto_tool_choice": _SWITCH,
    "dtype": OneOf(("auto", "half", "float16", "bfloat16", "float", "float32")),
    "kv_cache_dtype": OneOf(("auto", "fp8", "fp8_e4m3", "fp8_e5m2")),
    "quantization": OneOf(("awq", "gptq", "marlin", "fp8", "bitsandbytes", "gguf", "compressed-tensors")),
    "tool_call_parser": OneOf(("hermes", "mistral", "llama3_json", "pythonic", "granite", "internlm", "jamba")),
    "generation_config": OneOf(("auto", "vllm")), "max_logprobs": Whole(-1, 10_000), "disable_log_requests": _SWITCH,
}  # fmt: skip

MLX_LM: Rules = {
    "temp": Number(0, 100), "top_p": Number(0, 1), "top_k": Whole(0, 1_000_000), "min_p": Number(0, 1),
    "max_tokens": Whole(1, 16_777_216), "num_draft_tokens": Whole(0, 64),
    "log_level": OneOf(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
}  # fmt: skip

ALIASES: Mapping[str, str] = {
    "context_size": "ctx_size", "n_ctx": "ctx_size", "n_gpu_layers": "gpu_layers", "n_predict": "predict",
    "temperature": "temp", "top_n_sigma": "top_nsigma", "typical_p": "typical", "embeddings": "embedding",
    "rerank": "reranking", "log_verbosity": "verbosity", "n_threads": "threads", "n_batch": "batch_size",
}  # fmt: skip
"""Other names that documents, older builds and other tools use, whichever of them a build lists."""
OURS: Mapping[str, str] = {
    "host": "instances listen on this machine alone",
    "port": "the port is given beside the options",
    "model": "the model is given beside the options",
    "alias": "an instance answers to its own name",
    "served_model_name": "an instance answers to its own name",
    "api_key": "each start has a key of its own",
    "api_key_file": "each start has a key of its own",
    "ui": "the page of the backend is not served",
    "webui": "the page of the backend is not served",
    "slots": "slots would show the prompts of others",
    "metrics": "metrics are always on",
    "command_override": "the operator names the command that serves",
    "docker_enabled": "the operator's command says whether a container serves",
    "environment": "the environment of the program stands in the operator's command",
    "preset_ini": "an instance serves one model",
    "extra_args": "each option is given by its own name",
    "options": "options stand beside the model or in backend_options",
}
"""What ALMA sets itself or says elsewhere, and what llamactl takes besides, with why nobody sets it here."""
