"""The backends: what each is called, what clients may set of it, and how its program is started.

The program is the operator's: a binary, or any command, with `{models}`, `{port}` and `{marker}` where the folder of
models, the port and the name of this start belong. A container is a command like any other:
`docker run --gpus all ghcr.io/ggml-org/llama.cpp:server`; what it needs besides is added (`containers`).
"""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from django.conf import settings

from alma.errors import Invalid
from instances.backends import containers
from instances.backends.allowed import LLAMA_CPP, MLX_LM, VLLM
from instances.backends.rules import Rules

Kind = Literal["llama_cpp", "mlx_lm", "vllm"]
EMBEDDED = [sys.executable, "-m", "instances.launcher"]
"""llama.cpp inside a Python process: what serves when the operator names no program."""


@dataclass(frozen=True)
class Backend:
    """One kind of program. `key_variable` is empty where a start cannot have a key of its own; `fixed` are switches that
    are set where the program lists them."""

    kind: Kind
    label: str
    rules: Rules
    setting: str
    help_words: tuple[str, ...]
    name_flag: str
    key_variable: str
    fixed: tuple[tuple[str, bool], ...] = ()
    guarded_path: str = ""
    """What nobody is told without the key."""
    takes_files: bool = False
    """Whether a model is one file, of the kind GGUF, and not a folder."""

    @property
    def template(self) -> list[str]:
        """The words of the operator's command. Raises Invalid when there is none."""
        words = shlex.split(getattr(settings, self.setting))
        if not words and self.kind != "llama_cpp":
            raise Invalid(f"{self.label} is not set up here: {self.setting} names no command.", code="BACKEND_MISSING")
        return words or EMBEDDED

    @property
    def is_container(self) -> bool:
        """Whether what serves is no child of the command, but something that it names by the marker."""
        return containers.is_run(self.template) or any("{marker}" in word for word in self.template)

    @property
    def container_program(self) -> str:
        """What removes a container that is left; empty when there is none to be left."""
        return self.template[0] if containers.is_run(self.template) else ""

    def command(self, *, port: int = 0, marker: str = "") -> list[str]:
        """The command with everything in its place; without a marker one that is only asked about itself."""
        models = str(settings.ALMA_MODELS_DIR)
        places = {"{models}": models, "{port}": str(port), "{marker}": marker or "alma-help"}
        words = [_filled(word, places) for word in self.template]
        if not containers.is_run(words):
            return words
        return containers.completed(words, models=models, marker=marker, variable=self.key_variable)

    @property
    def takes_model_first(self) -> bool:
        """Whether the model may be the first word of a pasted command."""
        return self.kind == "vllm"

    def model_words(self, model: str) -> list[str]:
        """How the model is named: vLLM takes it as a word after `serve` alone, and in its container by `--model`."""
        return [model] if self.template[-1] == "serve" else ["--model", model]


def _filled(word: str, places: Mapping[str, str]) -> str:
    for place, value in places.items():
        word = word.replace(place, value)
    return word


BACKENDS: Mapping[Kind, Backend] = {
    "llama_cpp": Backend(
        "llama_cpp", "llama.cpp", LLAMA_CPP, "ALMA_LLAMA_COMMAND", ("--help",), "--alias", "LLAMA_API_KEY",
        fixed=(("slots", False), ("webui", False), ("ui", False), ("metrics", True)),
        guarded_path="/props", takes_files=True,
    ),
    "mlx_lm": Backend("mlx_lm", "MLX", MLX_LM, "ALMA_MLX_COMMAND", ("--help",), "", ""),
    "vllm": Backend(
        "vllm", "vLLM", VLLM, "ALMA_VLLM_COMMAND", ("--help=all",), "--served-model-name", "VLLM_API_KEY",
        guarded_path="/v1/models",
    ),
}  # fmt: skip


def backend_of(kind: str) -> Backend:
    """The backend of a name. Raises Invalid."""
    if kind not in BACKENDS:
        raise Invalid(f"backend_type must be one of {', '.join(BACKENDS)}.", code="BACKEND_MISSING")
    return BACKENDS[cast(Kind, kind)]
