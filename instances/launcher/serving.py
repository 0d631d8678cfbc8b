"""The server of llama.cpp with these settings. The only module that needs the package xllamacpp."""

import logging
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from alma import env
from instances.launcher.flags import Member
from instances.launcher.reading import Setting

KEY = "LLAMA_API_KEY"
logger = logging.getLogger(__name__)


def library() -> Any:
    """The package. Raises SystemExit with a sentence when it is not installed, for not every machine has a build of it."""
    try:
        return import_module("xllamacpp")
    except ImportError as error:
        raise SystemExit(
            f"The package xllamacpp cannot be loaded ({error}). Name a llama-server in ALMA_LLAMA_COMMAND instead."
        ) from error


def parameters(llama: Any, settings: list[Setting]) -> Any:
    """The parameters of llama.cpp. What it needs besides is set as llama-server does."""
    params = llama.CommonParams()
    reranks = any(setting.place == "reranking" and setting.value for setting in settings)
    if reranks:
        params.embedding = True
        params.pooling_type = llama.llama_pooling_type.LLAMA_POOLING_TYPE_RANK
    for setting in settings:
        if setting.place != "reranking":
            _set(llama, params, setting)
    if params.embedding:
        params.n_batch = params.n_ubatch = min(params.n_batch, params.n_ubatch)
    if key := env.text(KEY):
        params.api_keys = [key]
    return params


def _set(llama: Any, params: Any, setting: Setting) -> None:
    *path, name = setting.place.split(".")
    holder = params
    for part in path:
        holder = getattr(holder, part)
    value = setting.value
    if isinstance(value, Member):
        value = getattr(getattr(llama, value.enum), value.name)
    if name == "tensor_split":
        value = (value + [0.0] * len(params.tensor_split))[: len(params.tensor_split)]
    setattr(holder, name, value)


def version(llama: Any) -> str:
    """What `--version` prints, in the manner of llama-server."""
    built = llama.BUILD_INFO
    return f"version: xllamacpp {llama.__version__}\nbuilt with {built['compiler']} for {built['build_target']}\n"


def devices(llama: Any) -> str:
    """What `--list-devices` prints, in the manner of llama-server."""
    return "Available devices:\n" + "".join(map(_device, llama.get_device_info()))


def _device(told: Mapping[str, Any]) -> str:
    total, free = (told[name] // 2**20 for name in ("memory_total", "memory_free"))
    return f"  {told['name']}: {told['description']} ({total} MiB, {free} MiB free)\n"


def serve(llama: Any, settings: list[Setting]) -> Any:
    """Load the model and listen; the server, which works for as long as it is kept. Raises SystemExit."""
    try:
        server = llama.Server(parameters(llama, settings))
    except RuntimeError as error:
        raise SystemExit(f"error: {error}") from error
    sys.stdout.write(f"server is listening on {server.listening_address}\n")
    sys.stdout.flush()
    return server
