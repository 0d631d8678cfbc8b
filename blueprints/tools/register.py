"""What a tool is, and the register in which all of them stand, in the order of the API document."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alma.accounts.actors import Actor

NAMES = (
    "create_blueprint", "validate_blueprint", "estimate_resources", "optimize_costs", "security_audit",
    "generate_deployment_plan", "troubleshoot_issue", "compare_blueprints", "suggest_architecture",
    "calculate_capacity", "migrate_infrastructure", "check_compliance", "forecast_metrics",
)  # fmt: skip
"""The tools of alma-api.txt."""


class Arguments(BaseModel):
    """What a tool is given. Unknown keys are refused; numbers may come as text, as forms send them."""

    model_config = ConfigDict(extra="forbid", str_max_length=20_000, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_switches_for_numbers(cls, data: Any) -> Any:
        """Python takes true for 1; whoever sends it means something else."""
        for name, value in data.items() if isinstance(data, dict) else ():
            field = cls.model_fields.get(name)
            if isinstance(value, bool) and field is not None and field.annotation is not bool:
                raise ValueError(f"{name} must not be true or false")
        return data


class Result(BaseModel):
    """What a tool finds. Whatever it had to assume is listed."""

    summary: str = Field(description="The result in a sentence")
    assumptions: list[str] = Field(default_factory=list, description="What was taken for granted, and why")


Run = Callable[[Any, Actor], Result]
Ran = TypeVar("Ran", bound=Run)


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One tool. Those of the register change nothing: what they propose is a draft for people."""

    name: str
    title: str
    description: str
    rights: tuple[str, ...]
    """What the caller must hold beside the right to use tools."""
    arguments: type[Arguments]
    result: type[Result]
    run: Run
    example: Mapping[str, Any]

    def schema(self) -> dict[str, Any]:
        """JSON schema of the arguments."""
        return {**self.arguments.model_json_schema(), "examples": [dict(self.example)]}


REGISTER: dict[str, Tool] = {}
"""By name; `blueprints.tools` fills it."""


def tool(
    name: str, title: str, description: str, *, example: Mapping[str, Any], rights: tuple[str, ...] = ()
) -> Callable[[Ran], Ran]:
    """Enter a function from arguments and an actor to a result; its annotations are the schemas."""

    def enter(run: Ran) -> Ran:
        assert name in NAMES, name
        assert name not in REGISTER, name
        hints = get_type_hints(run)
        REGISTER[name] = Tool(
            name=name, title=title, description=description, rights=rights, run=run, example=example,
            arguments=hints["arguments"], result=hints["return"],
        )  # fmt: skip
        return run

    return enter


def tools() -> list[Tool]:
    """All of them, in the order of the document."""
    return [REGISTER[name] for name in NAMES if name in REGISTER]
