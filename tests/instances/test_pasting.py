"""Pasted commands: what a shell would have made of them, and what ALMA leaves out."""

import pytest

from alma.errors import Invalid
from instances.backends import helptext
from instances.backends.allowed import VLLM
from instances.backends.checking import Checker
from instances.backends.pasting import LONGEST, Pasted, read_command
from tests.instances.llama import CHECKER
from tests.instances.test_helptext import ARGPARSE


def pasted(command: str) -> Pasted:
    return read_command(command, CHECKER)


@pytest.mark.parametrize(
    ("command", "model", "options"),
    [
        ("llama-server -m x.gguf -ngl 99", "x.gguf", {"gpu_layers": 99}),
        ("/opt/llama/bin/llama-server --model 'my model.gguf' -c 4096", "my model.gguf", {"ctx_size": 4096}),
        ('llama-server -m "my \\"own\\" model.gguf"', 'my "own" model.gguf', {}),
        ("llama-server \\\n  -m x.gguf \\\n  --temp 0.7", "x.gguf", {"temp": 0.7}),
        ("llama-server \\\r\n  -m x.gguf", "x.gguf", {}),
        ("-m x.gguf -n -1 --seed -1", "x.gguf", {"predict": -1, "seed": -1}),
        ("CUDA_VISIBLE_DEVICES=0 LLAMA_ARG_RPC=evil llama-server -m x.gguf", "x.gguf", {}),
        ("env A=b nohup llama-server -m x.gguf", "x.gguf", {}),
        ("llama-server --model=x.gguf --ctx-size=0", "x.gguf", {"ctx_size": 0}),
        ("llama-server -fa -m x.gguf", "x.gguf", {"flash_attn": "on"}),
        ("llama-server -fa off -m x.gguf", "x.gguf", {"flash_attn": "off"}),
        ("llama-server --no-mmap -nkvo -m x.gguf", "x.gguf", {"mmap": False, "kv_offload": False}),
        ("llama-server --samplers 'top_k;temperature'", "", {"samplers": "top_k;temperature"}),
        ("llama-server -c 1 -c 2", "", {"ctx_size": 2}),
        ("llama-server", "", {}),
        ("python3 -m llama_cpp.server --model x.gguf", "x.gguf", {}),
    ],
    ids=range(16),
)
def test_command_is_read_as_a_shell_would(command: str, model: str, options: dict[str, object]) -> None:
    read = pasted(command)
    assert (read.model, read.options) == (model, options)


def test_what_is_ours_or_dangerous_is_left_out_and_said() -> None:
    read = pasted("llama-server --host 0.0.0.0 --port 9999 --api-key-file /etc/k --rpc evil --no-webui -c 1")
    assert read.options == {"ctx_size": 1}
    assert read.port == 9999
    assert [(row["flag"], row["reason"]) for row in read.left_out] == [
        ("--host", "instances listen on this machine alone"),
        ("--api-key-file", "each start has a key of its own"),
        ("--rpc", "clients cannot set it"),
        ("--no-webui", "the page of the backend is not served"),
    ]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("llama-server --ctxsize 4096", "--ctxsize is not a known option; did you mean ctx_size?"),
        ("llama-server -c many", "-c must be a whole number"),
        ("llama-server -c", "-c must be a whole number"),
        ("llama-server -c 1 stray", "stray stands alone"),
        ("llama-server --port 99999999999999999999", "must be a port"),
        ("llama-server 'unfinished", "does not end"),
        ("", "no command"),
        ("A=b", "no command"),
        ("x" * (LONGEST + 1), "at most"),
    ],
    ids=range(9),
)
def test_command_that_nobody_understands(command: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        pasted(command)
    assert words in caught.value.message


def test_model_of_vllm_stands_without_a_flag() -> None:
    checker = Checker(VLLM, helptext.read(ARGPARSE))
    read = read_command("vllm serve org/model -tp 2 --no-enable-prefix-caching", checker, positional_model=True)
    assert (read.model, read.options) == ("org/model", {"tensor_parallel_size": 2, "enable_prefix_caching": False})
