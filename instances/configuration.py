"""What this installation is set to where language models are concerned: shown without secrets, and changed for the next
start. What the environment says stands above what is changed here."""

import json
import os
import shlex
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from alma import env
from alma.accounts.actors import Actor
from alma.accounts.models import Organization
from alma.errors import Refused, WrongState
from instances import build

WRITE = "policy:write"
CHANGEABLE: Mapping[str, str] = {
    "max_instances": "ALMA_INSTANCES",
    "max_running_instances": "ALMA_INSTANCES_RUNNING",
    "on_demand_start_timeout": "ALMA_INSTANCE_START_SECONDS",
    "port_range": "ALMA_INSTANCE_PORTS",
}
"""Of the part `instances`: by name the variable that it stands for."""


def shown() -> dict[str, Any]:
    """The configuration as it is at work. Of commands the program alone: arguments may hold what nobody should read."""
    current = build.current()
    return {
        "version": current.version, "commit_hash": current.commit or build.UNKNOWN, "build_time": current.built,
        "data_dir": str(settings.ALMA_DATA_DIR), "local_node": settings.ALMA_NODE,
        "server": {
            "host": settings.ALMA_HTTP_HOST, "port": settings.ALMA_HTTP_PORT, "allowed_origins": settings.CSRF_TRUSTED_ORIGINS,
            "enable_swagger": True,
        },
        "backends": {
            "llama-cpp": {"command": _program(settings.ALMA_LLAMA_COMMAND) or "xllamacpp"},
            "vllm": {"command": _program(settings.ALMA_VLLM_COMMAND)},
            "mlx": {"command": _program(settings.ALMA_MLX_COMMAND)},
        },
        "instances": {name: getattr(settings, variable) for name, variable in CHANGEABLE.items()}
        | {"models_dir": str(settings.ALMA_MODELS_DIR)},
        "auth": {
            "require_inference_auth": settings.ALMA_AUTH_ENABLED, "require_management_auth": settings.ALMA_AUTH_ENABLED,
        },
    }  # fmt: skip


def pending() -> dict[str, Any]:
    """What the next start will find changed, of the part `instances`."""
    kept = _kept()
    found = {name: _value(name, kept[variable]) for name, variable in CHANGEABLE.items() if variable in kept}
    return {name: value for name, value in found.items() if value != getattr(settings, CHANGEABLE[name])}


def change(values: Mapping[str, Any], *, by: Actor) -> None:
    """Keep values for the next start. Raises Refused, WrongState for what the environment says."""
    _require_operator(by)
    for name in values:
        if env.is_set(CHANGEABLE[name]):
            raise WrongState(
                f"{name} is set in the environment of ALMA, by {CHANGEABLE[name]}.", code="SET_BY_ENVIRONMENT"
            )
    _write(_kept() | {CHANGEABLE[name]: _text(value) for name, value in values.items()})


def _require_operator(by: Actor) -> None:
    """The installation belongs to nobody's organization, unless there is one alone. Raises Refused."""
    by.require(WRITE)
    is_staff = bool(by.user and by.user.is_staff)
    if not is_staff and Organization.objects.count() > 1:
        raise Refused("Several organizations share this installation; its staff alone changes it.", code="STAFF_ONLY")


def _kept() -> dict[str, str]:
    try:
        kept: dict[str, str] = json.loads(settings.ALMA_CONFIG_FILE.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return kept


def _write(kept: Mapping[str, str]) -> None:
    path = settings.ALMA_CONFIG_FILE
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(kept, indent=1, sort_keys=True))
    draft.replace(path)


def _program(command: str) -> str:
    return next(iter(shlex.split(command)), "")


def _text(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _value(name: str, text: str) -> Any:
    return tuple(map(int, text.split("-"))) if name == "port_range" else int(text)
