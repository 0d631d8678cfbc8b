"""A pasted command as the options of an instance: nothing is run and nothing is made."""

from typing import Any

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.bodies import read_body
from alma.api.dialects import LLAMACTL
from alma.api.endpoints import Endpoint
from alma.api.schema import refusals
from instances import nodes
from instances.backends.kinds import BACKENDS, Kind
from instances.backends.pasting import LONGEST, Pasted, read_command
from instances.remote.programs import checker_of


class CommandLine(BaseModel):
    """A command as it stands in a shell, with or without the program before its arguments."""

    model_config = ConfigDict(extra="forbid", strict=True)

    command: str = Field(min_length=1, max_length=LONGEST)
    node: str = Field(default="", max_length=64, description="Whose program reads it; without it the one that answers")


class LeftOut(BaseModel):
    """A flag that no client sets, and why."""

    flag: str
    reason: str


class ParsedCommand(BaseModel):
    """What makes an instance: send it to `POST /api/v1/instances/{name}` without `left_out`. `port` where one was named."""

    backend_type: str
    backend_options: dict[str, JsonValue]
    port: int | None
    left_out: list[LeftOut]


def as_options(kind: Kind, command: str, node: str = "") -> Pasted:
    """The options of a command for one backend of a machine, this one without a name. Raises Invalid, Unavailable."""
    backend = BACKENDS[kind]
    nodes.refuse_unknown(node)
    return read_command(command, checker_of(backend, node), positional_model=backend.takes_model_first)


class _Parse(Endpoint):
    dialect = LLAMACTL
    scopes = {"POST": "instance:read"}
    kind: Kind = "llama_cpp"

    def parsed(self, request: Request) -> Response:
        """Raises BadRequest, Invalid with a row for each word that nobody understands, Unavailable."""
        body = read_body(CommandLine, request)
        pasted = as_options(self.kind, body.command, body.node)
        options: dict[str, Any] = ({"model": pasted.model} if pasted.model else {}) | pasted.options
        return Response(
            {"backend_type": self.kind, "backend_options": options, "port": pasted.port, "left_out": pasted.left_out}
        )


def _schema(name: str) -> Any:
    return extend_schema(
        operation_id=f"llamactl_parse_{name}", request=CommandLine, tags=["server"],
        responses={200: ParsedCommand, **refusals(400, 503, dialect=LLAMACTL)},
    )  # fmt: skip


class ParseLlama(_Parse):
    """Commands of llama-server."""

    @_schema("llama_cpp")
    def post(self, request: Request) -> Response:
        """Read a command of `llama-server`."""
        return self.parsed(request)


class ParseMlx(_Parse):
    """Commands of MLX."""

    kind = "mlx_lm"

    @_schema("mlx")
    def post(self, request: Request) -> Response:
        """Read a command of `mlx_lm.server`."""
        return self.parsed(request)


class ParseVllm(_Parse):
    """Commands of vLLM."""

    kind = "vllm"

    @_schema("vllm")
    def post(self, request: Request) -> Response:
        """Read a command of `vllm serve`."""
        return self.parsed(request)
