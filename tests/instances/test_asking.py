"""Programs are asked about themselves: once for each build, and never with our secrets."""

from pathlib import Path

import pytest

from alma.errors import Invalid, Unavailable
from instances.backends.asking import catalogue_of, checker_of, said
from instances.backends.kinds import BACKENDS, EMBEDDED, backend_of

LLAMA = BACKENDS["llama_cpp"]


def program(path: Path, lines: str) -> Path:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return path


def test_build_is_asked_once_and_again_when_it_is_another(tmp_path: Path, settings) -> None:
    path = program(tmp_path / "llama-server", f"echo x >> {tmp_path}/asked; echo '--threads N   how many'")
    settings.ALMA_LLAMA_COMMAND = str(path)
    assert "threads" in catalogue_of(LLAMA)
    assert "threads" in catalogue_of(LLAMA)
    assert (tmp_path / "asked").read_text() == "x\n"
    program(path, "echo '--brand-new N   a flag of tomorrow'")
    assert "brand_new" in catalogue_of(LLAMA)
    assert "threads" not in catalogue_of(LLAMA)


def test_program_sees_no_secret_of_ours(tmp_path: Path, settings, monkeypatch) -> None:
    monkeypatch.setenv("ALMA_SECRET_KEY", "do-not-tell")
    monkeypatch.setenv("LLAMA_ARG_RPC", "evil")
    settings.ALMA_LLAMA_COMMAND = str(program(tmp_path / "tells", "env; echo; echo '--a N   b'"))
    told = said(LLAMA, "--help")
    assert "PATH=" in told
    assert "ALMA" not in told
    assert "LLAMA_ARG" not in told


@pytest.mark.parametrize("lines", ["exit 3", "echo nothing to see"])
def test_program_that_does_not_say(tmp_path: Path, settings, lines: str) -> None:
    settings.ALMA_LLAMA_COMMAND = str(program(tmp_path / "broken", lines))
    with pytest.raises(Unavailable):
        catalogue_of(LLAMA)


def test_program_that_is_not_there(settings) -> None:
    settings.ALMA_LLAMA_COMMAND = "/nowhere/llama-server"
    with pytest.raises(Unavailable, match="cannot be asked"):
        checker_of(LLAMA)


@pytest.mark.parametrize("kind", ["vllm", "mlx_lm"])
def test_backend_that_the_operator_has_not_set_up(kind: str) -> None:
    with pytest.raises(Invalid, match="is not set up here"):
        checker_of(backend_of(kind))


def test_backend_that_is_none() -> None:
    with pytest.raises(Invalid, match="llama_cpp, mlx_lm, vllm"):
        backend_of("ollama")


def test_without_a_command_llama_cpp_runs_in_a_process_of_ours(settings) -> None:
    assert LLAMA.command() == EMBEDDED
    assert not LLAMA.is_container
