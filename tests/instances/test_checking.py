"""Options of clients: what they may set, in any spelling, with the reason where they may not."""

from typing import Any

import pytest

from alma.errors import Invalid
from instances.backends.allowed import LLAMA_CPP, OURS
from instances.backends.checking import MOST, Checker
from instances.backends.commandline import arguments, missing
from instances.backends.helptext import Catalogue
from tests.instances.llama import CATALOGUE, CHECKER

HOSTILE = {
    "tools": "exec_shell_command", "mcp_servers_json": "{}", "video_ffmpeg_dir": "/tmp", "rpc": "evil:50052",
    "model_url": "http://evil/x.gguf", "log_file": "/etc/cron.d/x", "slot_save_path": "/tmp", "path": "/",
    "media_path": "/", "lora": "/etc/passwd", "chat_template": "{{ evil }}", "chat_template_file": "/etc/passwd",
    "api_key_file": "/etc/passwd", "api_key": "mine", "agent": True, "extra_args": {"x": "y"}, "host": "0.0.0.0",
    "port": 80, "hf_repo": "evil/model", "cpu_mask": "ff", "override_tensor": "x=CPU", "override-kv": "a=int:1",
    "model": "/etc/passwd", "alias": "other", "mmproj": "/etc/passwd", "ssl_key_file": "/etc/passwd", "slots": True,
    "webui": True, "no_slots": False,
}  # fmt: skip


def fault(given: dict[str, Any], checker: Checker = CHECKER) -> str:
    with pytest.raises(Invalid) as caught:
        checker.check(given)
    return caught.value.message


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"ctx_size": 4096}, {"ctx_size": 4096}),
        ({"ctx-size": "4096"}, {"ctx_size": 4096}),
        ({"c": 4096}, {"ctx_size": 4096}),
        ({"--ctx-size": 4096}, {"ctx_size": 4096}),
        ({"context_size": 2048}, {"ctx_size": 2048}),
        ({"gpu_layers": 0}, {"gpu_layers": 0}),
        ({"n_gpu_layers": "all"}, {"gpu_layers": "all"}),
        ({"ngl": 99}, {"gpu_layers": 99}),
        ({"temp": 0}, {"temp": 0}),
        ({"temperature": "0.7"}, {"temp": 0.7}),
        ({"seed": 2**63 - 1}, {"seed": 2**63 - 1}),
        ({"seed": -1}, {"seed": -1}),
        ({"flash_attn": True}, {"flash_attn": "on"}),
        ({"fa": "auto"}, {"flash_attn": "auto"}),
        ({"kv_offload": False}, {"kv_offload": False}),
        ({"no_kv_offload": True}, {"kv_offload": False}),
        ({"nkvo": "true"}, {"kv_offload": False}),
        ({"mmap": False}, {"mmap": False}),
        ({"no_mmap": True}, {"mmap": False}),
        ({"no_host": True}, {"no_host": True}),
        ({"tensor_split": [3, 1]}, {"tensor_split": "3,1"}),
        ({"samplers": "top_k;temperature"}, {"samplers": "top_k;temperature"}),
        ({"threads": None}, {}),
    ],
    ids=str,
)
def test_option_is_kept_under_its_own_name(given: dict[str, Any], kept: dict[str, Any]) -> None:
    assert CHECKER.check(given) == kept


@pytest.mark.parametrize(("name", "value"), HOSTILE.items(), ids=list(HOSTILE))
def test_hostile_option_is_refused(name: str, value: Any) -> None:
    assert name.replace("-", "_") not in LLAMA_CPP
    assert name in fault({name: value})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ctx_size": True}, "must be a whole number"),
        ({"ctx_size": 4.5}, "must be a whole number"),
        ({"ctx_size": -5}, "must lie between 0 and"),
        ({"ctx_size": "9" * 400}, "must be a whole number"),
        ({"ctx_size": "-x"}, "must be a whole number"),
        ({"temp": float("nan")}, "must be a number"),
        ({"temp": "warm"}, "must be a number"),
        ({"temp": "1e999"}, "must be a number"),
        ({"kv_offload": "maybe"}, "must be true or false"),
        ({"kv_offload": 3}, "must be true or false"),
        ({"cache_type_k": "f16 --rpc evil"}, "must be one of f32"),
        ({"cache_type_k": ["f16"]}, "must be one of f32"),
        ({"tensor_split": "1,--rpc"}, "must be numbers"),
        ({"tensor_split": [True]}, "must be numbers"),
        ({"tensor_split": []}, "must be up to 16 numbers"),
        ({"samplers": "top_k\n--rpc"}, "must be names of samplers"),
        ({"no_ctx_size": 1}, "is not a known option; did you mean ctx_size?"),
        ({"ctxsize": 1}, "The option ctxsize is not a known option; did you mean ctx_size?"),
        ({"environment": {"A": "b"}}, "cannot be set: the environment of the program stands"),
        ({"qqq": 1}, "The option qqq is not a known option."),
        ({"api_key": "x"}, "cannot be set: each start has a key of its own"),
        ({"rpc": "evil"}, "cannot be set by clients"),
        ({"min_p": 0.1}, "is not an option of this build"),
        ({"parallel": 0}, "The option parallel cannot be 0."),
        ({"c": 1, "ctx_size": 2}, "was given twice, as 1 and as 2"),
    ],
    ids=str,
)
def test_refusal_says_why(given: dict[str, Any], words: str) -> None:
    assert words in fault(given)
    assert not fault(given).endswith("?.")


def test_every_fault_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        CHECKER.check({"temp": "warm", "threads": 4, "rpc": "evil", "ctxsize": 1})
    rows = caught.value.details
    assert isinstance(rows, list)
    assert [row["field"] for row in rows] == ["options.temp", "options.rpc", "options.ctxsize"]


def test_more_options_than_anybody_needs() -> None:
    assert "at most" in fault({f"x{number}": 1 for number in range(MOST + 1)})


def test_what_we_set_ourselves_no_client_sets() -> None:
    assert not set(OURS) & set(LLAMA_CPP)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ctx_size": 4096, "gpu_layers": 0}, ["--ctx-size", "4096", "--gpu-layers", "0"]),
        ({"temp": 0}, ["--temp", "0"]),
        ({"temp": 0.7}, ["--temp", "0.7"]),
        ({"seed": 2**63 - 1}, ["--seed", "9223372036854775807"]),
        ({"kv_offload": False}, ["--no-kv-offload"]),
        ({"kv_offload": True}, ["--kv-offload"]),
        ({"mmap": False}, ["--no-mmap"]),
        ({"mmap": True}, []),
        ({"mlock": False}, []),
        ({"mlock": True}, ["--mlock"]),
        ({"no_host": True}, ["--no-host"]),
        ({"flash_attn": "off"}, ["--flash-attn", "off"]),
        ({"tensor_split": "3,1"}, ["--tensor-split", "3,1"]),
        ({"load_mode": "mmap"}, []),
    ],
    ids=str,
)
def test_arguments(options: dict[str, Any], words: list[str]) -> None:
    assert arguments(options, CATALOGUE) == words


def test_order_of_arguments_is_that_of_the_options() -> None:
    first, second = arguments({"temp": 1, "top_k": 2}, CATALOGUE), arguments({"top_k": 2, "temp": 1}, CATALOGUE)
    assert first == ["--temp", "1", "--top-k", "2"]
    assert second == ["--top-k", "2", "--temp", "1"]


def test_option_of_another_build_is_missed() -> None:
    assert missing({"temp": 1, "load_mode": "mmap"}, CATALOGUE) == ["load_mode"]


def test_older_build_that_knows_a_switch_where_newer_ones_take_words() -> None:
    older = Catalogue(tuple(option for option in CATALOGUE.options if option.flag == "--mlock"))
    assert arguments({"mlock": "on"}, older) == ["--mlock"]
    assert arguments({"mlock": "auto"}, older) == []
