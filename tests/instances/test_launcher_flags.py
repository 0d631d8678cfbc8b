"""The embedded server takes llama-server's flags, and lists them so that ALMA reads them like any other build's."""

import re
import subprocess
import sys

import pytest

from alma.errors import Invalid
from instances.backends import helptext
from instances.backends.allowed import LLAMA_CPP
from instances.backends.asking import catalogue_of, checker_of, said
from instances.backends.commandline import arguments
from instances.backends.kinds import BACKENDS
from instances.launcher.flags import FLAGS, Member, help_text
from instances.launcher.reading import Setting, WrongFlag, read
from tests.source import ROOT

LLAMA = BACKENDS["llama_cpp"]
NOT_EMBEDDED = {"prio", "n_cpu_ffn", "cpu_moe", "n_cpu_moe", "mlock", "mmap", "top_nsigma", "reasoning_budget", "defrag_thold",
                "log_timestamps", "log_prefix"}  # fmt: skip


def test_help_lists_every_flag() -> None:
    catalogue = helptext.read(help_text())
    for flag in FLAGS:
        found = catalogue.find(flag.spellings[0])
        assert found is not None
        assert (found.option.flags, found.option.negatives) == (flag.spellings, flag.negatives)
        assert found.option.takes_value == (flag.read is not None)


def test_what_clients_may_set_is_there_to_be_set() -> None:
    catalogue = helptext.read(help_text())
    assert {name for name in LLAMA_CPP if name not in catalogue} == NOT_EMBEDDED


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["-c", "4096"], [Setting("n_ctx", 4096)]),
        (["--ctx-size=0"], [Setting("n_ctx", 0)]),
        (["-n", "-1"], [Setting("n_predict", -1)]),
        (["-ngl", "0"], [Setting("n_gpu_layers", 0)]),
        (["-ngl", "all"], [Setting("n_gpu_layers", -2)]),
        (["-s", "-1"], [Setting("sampling.seed", 2**32 - 1)]),
        (["-t", "2"], [Setting("cpuparams.n_threads", 2), Setting("cpuparams_batch.n_threads", 2)]),
        (["--no-kv-offload"], [Setting("no_kv_offload", True)]),
        (["-kvo"], [Setting("no_kv_offload", False)]),
        (["--no-webui", "--metrics"], [Setting("ui", False), Setting("endpoint_metrics", True)]),
        (["-fa", "--jinja"], [Setting("flash_attn_type", Member("llama_flash_attn_type", "LLAMA_FLASH_ATTN_TYPE_ENABLED")), Setting("use_jinja", True)]),
        (["-fa", "off"], [Setting("flash_attn_type", Member("llama_flash_attn_type", "LLAMA_FLASH_ATTN_TYPE_DISABLED"))]),
        (["-ts", "3,1"], [Setting("tensor_split", [3.0, 1.0])]),
        (["--rope-scale", "2"], [Setting("rope_freq_scale", 0.5)]),
    ],
    ids=range(14),
)  # fmt: skip
def test_flags_are_read(words: list[str], settings: list[Setting]) -> None:
    assert read(words) == settings


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--nonsense"], "error: invalid argument: --nonsense"),
        (["stray"], "error: invalid argument: stray"),
        (["-c"], "error: expected value for argument: -c"),
        (["-c", "many"], "error: invalid value for argument: -c many"),
        (["-ctk", "f12"], "error: invalid value for argument: -ctk f12"),
        (["--rope-scale", "0"], "error: invalid value for argument: --rope-scale 0"),
        (["--parallel", "0"], "error: invalid value for argument: --parallel 0"),
    ],
    ids=range(7),
)
def test_wrong_flag_is_said(words: list[str], error: str) -> None:
    with pytest.raises(WrongFlag) as caught:
        read(words)
    assert str(caught.value) == error


@pytest.mark.parametrize(("text", "read_as"), [("0", -1), ("-1", -1), ("-7", -1), ("3", 3)])
def test_no_thread_means_all_cores(text: str, read_as: int) -> None:
    """As llama-server reads it; llama.cpp itself aborts at its first request with 0 threads."""
    assert {setting.value for setting in read(["-t", text, "-tb", text])} == {read_as}


def test_batch_of_one_is_refused() -> None:
    """llama.cpp aborts at its first prompt."""
    with pytest.raises(Invalid, match="The option batch_size must lie between 2 and"):
        checker_of(LLAMA).check({"batch_size": 1})


def test_every_option_of_a_client_is_taken() -> None:
    """What the allow-list takes goes through the command line into settings, whatever the value."""
    samples = {"gpu_layers": 0, "temp": 0, "kv_offload": False, "flash_attn": "off", "seed": 2**40, "tensor_split": [1, 2],
               "samplers": "top_k;temperature", "numa": "isolate", "rope_scaling": "yarn", "reasoning_format": "none",
               "load_mode": "mmap+mlock", "fit": False, "pooling": "mean"}  # fmt: skip
    options = checker_of(LLAMA).check(samples)
    settings = {setting.place: setting.value for setting in read(arguments(options, catalogue_of(LLAMA)))}
    assert settings["n_gpu_layers"] == 0
    assert settings["sampling.temp"] == 0
    assert settings["no_kv_offload"] is True
    assert settings["fit_params"] is False
    assert len(settings) == len(samples)


def test_it_says_its_version_and_devices() -> None:
    """As llama-server says them: in words, not as what Python makes of a structure."""
    assert re.fullmatch(r"version: xllamacpp \S+\nbuilt with .+ for .+\n", said(LLAMA, "--version"))
    rows = said(LLAMA, "--list-devices").splitlines()
    assert rows[0] == "Available devices:"
    assert rows[1:] and all(re.fullmatch(r"  \w+: .+ \(\d+ MiB, \d+ MiB free\)", row) for row in rows[1:])


def test_wrong_flag_ends_it_before_anything_is_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "instances.launcher", "--rpc", "evil"], cwd=ROOT, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (1, b"error: invalid argument: --rpc\n")


def test_without_the_package_it_says_what_to_do(tmp_path) -> None:
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('no build for this machine')")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from instances.launcher.serving import library; library()"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=60, text=True)
    assert done.returncode == 1
    assert "Name a llama-server in ALMA_LLAMA_COMMAND instead." in done.stderr
