"""What a model may be told: the fields of OpenAI's and Anthropic's requests and those by which llama.cpp and vLLM sample.

Everything else is dropped, for a backend knows fields that name files, choose slots of others or have had faults.
"""

import re

_OPENAI = """
model messages prompt input suffix echo best_of n stream stream_options stop seed user metadata store audio modalities
temperature top_p frequency_penalty presence_penalty logit_bias logprobs top_logprobs max_tokens max_completion_tokens
response_format tools tool_choice parallel_tool_calls functions function_call prediction reasoning_effort verbosity
service_tier safety_identifier prompt_cache_key web_search_options dimensions encoding_format
instructions max_output_tokens previous_response_id reasoning text truncation include background max_tool_calls
query documents texts top_n return_documents return_text
"""
_ANTHROPIC = "system stop_sequences thinking top_k output_config output_format"
_LLAMA_CPP = """
min_p typical_p repeat_penalty repeat_last_n dry_multiplier dry_base dry_allowed_length dry_penalty_last_n
dry_sequence_breakers xtc_probability xtc_threshold mirostat mirostat_tau mirostat_eta dynatemp_range dynatemp_exponent
top_n_sigma samplers grammar json_schema n_probs min_keep ignore_eos cache_prompt n_predict n_keep n_indent
t_max_predict_ms return_tokens return_progress timings_per_token post_sampling_probs chat_template_kwargs reasoning_format
reasoning_control thinking_budget_tokens parse_tool_calls add_generation_prompt continue_final_message embd_normalize
input_prefix input_suffix input_extra content tokens add_special parse_special with_pieces
"""
_VLLM = """
min_tokens stop_token_ids repetition_penalty length_penalty include_stop_str_in_output skip_special_tokens
spaces_between_special_tokens add_special_tokens structured_outputs guided_json guided_regex guided_choice guided_grammar
prompt_logprobs truncate_prompt_tokens allowed_token_ids bad_words
"""
KNOWN = frozenset(f"{_OPENAI} {_ANTHROPIC} {_LLAMA_CPP} {_VLLM}".split())
_WHOLE = re.compile(r"-?\d+")
_LEAST, _MOST = -1, 2**31 - 1
_BOUNDS = {
    "n": (1, 16), "best_of": (1, 16), "top_logprobs": (0, 20), "logprobs": (0, 20), "n_probs": (0, 100),
    "prompt_logprobs": (0, 20), "seed": (-(2**63), 2**64 - 1), "mirostat": (0, 2),
}  # fmt: skip


def is_known(name: str) -> bool:
    """Whether a model is told a field of this name."""
    return name in KNOWN


def check(name: str, text: str) -> str | None:
    """What is wrong with a value, when it is a whole number; None for all others."""
    if not _WHOLE.fullmatch(text):
        return None
    least, most = _BOUNDS.get(name, (_LEAST, _MOST))
    if len(text) <= 20 and least <= int(text) <= most:
        return None
    return f"must be a whole number from {least} to {most}"
