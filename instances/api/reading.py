"""What both documents say of an instance, and how their bodies become wishes."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from rest_framework.request import Request

from alma.api.authentication import actor_of
from alma.api.paging import MAX_LIMIT
from alma.errors import BadRequest
from instances import services
from instances.models import Instance
from instances.remote import logs

NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the instance")
LOG_LINES = 100_000
_SETTINGS = {
    "group": "group", "pinned": "is_pinned", "auto_restart": "restarts_itself", "max_restarts": "max_restarts",
    "restart_delay": "restart_seconds", "on_demand_start": "starts_on_demand", "idle_seconds": "idle_seconds",
    "preload": "is_preloaded", "aliases": "aliases", "unlisted": "is_unlisted", "request_defaults": "request_defaults",
    "concurrency": "concurrency", "stop_seconds": "stop_seconds",
}  # fmt: skip
"""By the name that the documents use the one of the field."""


class Wish(BaseModel):
    """What an instance shall be. An option of the backend may stand beside the other fields or in `backend_options`; null
    takes it back to its default."""

    model_config = ConfigDict(extra="allow", strict=True)

    backend_type: str = Field(default="llama_cpp", max_length=20, description="llama_cpp, vllm or mlx_lm")
    model: str | None = Field(default=None, max_length=500, description="Its path in the folder of models")
    backend_options: dict[str, JsonValue] = Field(default_factory=dict)
    port: int | None = Field(default=None, ge=1, le=65535)
    nodes: list[str] = Field(
        default_factory=list, max_length=1, description="The machine that runs it; this one without"
    )
    group: str = Field(default="", max_length=50)
    pinned: bool = False
    auto_restart: bool = True
    max_restarts: int = Field(default=3, ge=0, le=100)
    restart_delay: int = Field(default=5, ge=0, le=3600, description="Seconds before the first restart")
    stop_seconds: int = Field(default=30, ge=0, le=3600, description="How long a stop waits for the requests under way")
    on_demand_start: bool = Field(default=True, description="Started by the first request that needs it")
    idle_timeout: int = Field(default=30, ge=0, le=525_600, description="Minutes after its last request; 0 for never")
    idle_seconds: int = Field(default=1800, ge=0, le=31_536_000, description="The same in seconds; goes before minutes")
    preload: bool = Field(default=False, description="Started when its supervisor starts")
    aliases: list[str] = Field(default_factory=list, max_length=20, description="Replicas of one model share them")
    unlisted: bool = Field(default=False, description="Answers, and is in no list of models")
    request_defaults: dict[str, JsonValue] = Field(default_factory=dict, description="Where a request does not say")
    concurrency: int | None = Field(default=None, ge=1, le=1024, description="Requests at a time; others wait in line")

    def draft(self, name: str) -> services.Draft:
        """An instance to be. Raises BadRequest without a model."""
        model, options = self.parts()
        if model is None:
            raise BadRequest("model is required", details=[{"field": "model", "message": "is required"}])
        return services.Draft(
            name=name, model=model, backend=self.backend_type, options=options, port=self.port, settings=self.settings(),
            node=self.nodes[0] if self.nodes else "",
        )  # fmt: skip

    def parts(self) -> tuple[str | None, dict[str, Any]]:
        """The model, wherever it stands, and the options. Raises BadRequest for a model that is no text."""
        options = {**(self.model_extra or {}), **self.backend_options}
        inner = options.pop("model_path", None) or options.pop("model", None)
        model = self.model or inner
        if model is not None and not isinstance(model, str):
            raise BadRequest("model must be a text", details=[{"field": "model", "message": "must be a text"}])
        return model, options

    def settings(self) -> dict[str, Any]:
        """The fields that are given, by the names of the model's."""
        given = {field: getattr(self, name) for name, field in _SETTINGS.items() if name in self.model_fields_set}
        return {"idle_seconds": self.idle_timeout * 60} | given if "idle_timeout" in self.model_fields_set else given


def shown_settings(instance: Instance) -> dict[str, Any]:
    """The settings of an instance, by the names that the documents use."""
    own = {name: getattr(instance, field) for name, field in _SETTINGS.items()}
    return {**own, "idle_timeout": -(-instance.idle_seconds // 60)}


def instance_of(request: Request, name: str) -> Instance:
    """The instance that a path names. Raises NotFound."""
    return services.find(name, by=actor_of(request))


def instances_of(request: Request) -> list[Instance]:
    """All of the caller's, as many as a page may have."""
    return list(Instance.objects.visible_to(actor_of(request))[:MAX_LIMIT])


def logs_of(instance: Instance, most: int | None = None) -> list[str]:
    """Its last lines. Raises Unavailable when its machine does not answer."""
    return logs.tail(instance, most)


def lines_asked(request: Request, default: int | None) -> int | None:
    """How many lines of a log are wanted, None for all that are kept. Raises BadRequest."""
    text = request.query_params.get("lines", "").strip()
    if not text:
        return default
    if text == "-1":
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 6 or int(text) > LOG_LINES:
        raise BadRequest(f"lines must be a whole number from 0 to {LOG_LINES}, or -1 for all.")
    return int(text)


def shown_options(options: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Options under the names that a document uses for some of them."""
    return {names.get(name, name): value for name, value in options.items()}
