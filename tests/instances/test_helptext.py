"""What a program lists is read as it is meant, in both layouts."""

import pytest

from instances.backends import helptext
from tests.instances.llama import CATALOGUE

ARGPARSE = """
usage: vllm serve [model_tag] [options]

options:
  -h, --help            show this help message and exit
  --tensor-parallel-size TENSOR_PARALLEL_SIZE, -tp TENSOR_PARALLEL_SIZE
                        Number of tensor parallel groups. (default: 1)
  --enable-prefix-caching, --no-enable-prefix-caching
                        Whether to enable prefix caching. (default: None)
  --dtype {auto,half,float16}
                        Data type for model weights - the "auto" option
  --enforce-eager       Whether to always use eager-mode
"""


@pytest.mark.parametrize(
    ("name", "flag", "hint"),
    [
        ("threads", "--threads", "N"),
        ("t", "--threads", "N"),
        ("--ctx-size", "--ctx-size", "N"),
        ("n_gpu_layers", "--gpu-layers", "N"),
        ("ngl", "--gpu-layers", "N"),
        ("-fa", "--flash-attn", "[on|off|auto]"),
        ("override-tensor", "--override-tensor", "<tensor name pattern>=<buffer type>,..."),
        ("mlock", "--mlock", ""),
        ("no_host", "--no-host", ""),
        ("rope-scaling", "--rope-scaling", "{none,linear,yarn}"),
    ],
)
def test_option_is_found_by_any_spelling(name: str, flag: str, hint: str) -> None:
    found = CATALOGUE.find(name)
    assert found is not None
    assert (found.option.flag, found.option.hint, found.is_negated) == (flag, hint, False)


@pytest.mark.parametrize("name", ["no_kv_offload", "-nkvo", "no-repack", "nr", "--no-perf", "mmap"])
def test_opposite_is_known_as_such(name: str) -> None:
    found = CATALOGUE.find(name)
    assert found is not None
    assert found.is_negated


def test_what_takes_no_value_is_a_switch() -> None:
    switches = {option.flag for option in CATALOGUE.options if not option.takes_value}
    assert switches == {
        "--help", "--version", "--perf", "--kv-offload", "--repack", "--no-host", "--mlock", "--no-mmap", "--metrics",
        "--slots", "--webui", "--cont-batching",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["q8_0", "env", "no_such_thing", "", "-", "default"])
def test_explanations_are_no_options(name: str) -> None:
    assert CATALOGUE.find(name) is None


def test_layout_of_argparse() -> None:
    catalogue = helptext.read(ARGPARSE)
    flags = [(option.flag, option.hint, option.negatives) for option in catalogue.options]
    assert flags == [
        ("--help", "", ()),
        ("--tensor-parallel-size", "TENSOR_PARALLEL_SIZE", ()),
        ("--enable-prefix-caching", "", ("--no-enable-prefix-caching",)),
        ("--dtype", "{auto,half,float16}", ()),
        ("--enforce-eager", "", ()),
    ]
    assert catalogue.find("tp") == catalogue.find("tensor_parallel_size")


def test_nothing_is_read_from_nothing() -> None:
    assert helptext.read("").options == ()
    assert helptext.read("Illegal instruction (core dumped)\n").options == ()
