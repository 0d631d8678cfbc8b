"""`/v1/ai/generate`: words become code of other tools. Nothing is stored and nothing is run."""

from typing import Annotated, Literal

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.answers import Answer
from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import PROXMOX
from alma.api.endpoints import Endpoint
from alma.api.schema import refusals
from blueprints import code, services
from blueprints.generation.planner import GENERATOR

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$")]


class CodeContext(BaseModel):
    """Where the code is for, and by which frameworks it is judged."""

    model_config = ConfigDict(extra="forbid")

    environment: Word | None = None
    compliance_requirements: Annotated[list[Literal["CIS", "SOC2"]], Field(max_length=10)] = Field(default_factory=list)


class CodeBody(BaseModel):
    """What is wanted, in words, and as what."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=8000, strip_whitespace=True)]
    context: CodeContext | None = None
    output_format: Literal["terraform", "ansible", "cloud-init"] = "terraform"


class CodeIssue(BaseModel):
    """A rule of the security scanner that a machine of the code breaks."""

    rule: str
    severity: str
    title: str
    subject: str
    remedy: str


class SecurityAnalysis(BaseModel):
    """By the rules that real machines are scanned by; passed when nothing critical or high was found."""

    passed: bool
    issues: list[CodeIssue]
    recommendations: list[str]


class CodeCheck(BaseModel):
    """One thing that was looked at."""

    name: str
    passed: bool
    detail: str


class GeneratedCode(BaseModel):
    """The code and what was checked of it. The score is the percentage of the checks that passed."""

    format: str
    code: str
    validation_score: int
    checks: list[CodeCheck]
    security_analysis: SecurityAnalysis


class CodeAnswer(BaseModel):
    """What was made."""

    generated_code: GeneratedCode


_EXAMPLE = OpenApiExample(
    "As documented",
    {
        "prompt": "Create a secure web server VM with Nginx, SSL certificate, and firewall rules",
        "context": {"environment": "production", "compliance_requirements": ["CIS", "SOC2"]},
        "output_format": "terraform",
    },
    request_only=True,
)


class CodeGeneration(Endpoint):
    """Code for what the words ask for."""

    dialect = PROXMOX
    scopes = {"POST": services.WRITE}

    @extend_schema(
        operation_id="ai_generate", request=CodeBody, responses={200: CodeAnswer, **refusals(400, 422, dialect=PROXMOX)},
        examples=[_EXAMPLE], tags=["ai"],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Terraform for the provider bpg/proxmox, an Ansible playbook or cloud-init, read back and judged."""
        body = read_body(CodeBody, request)
        context = body.context or CodeContext()
        made = code.make(
            body.prompt, body.output_format, environment=context.environment or "",
            frameworks=context.compliance_requirements, by=actor_of(request),
        )  # fmt: skip
        about = made.model or {}
        meta = {
            "ai_model": made.document.metadata.get("generated_by", GENERATOR),
            "tokens_used": about.get("tokens", 0),
        }
        return Answer(
            {"generated_code": _said(made, body.output_format)}, meta={**meta, **({"model": about} if about else {})}
        )


def _said(made: code.Code, kind: str) -> dict[str, object]:
    issues = [
        {"rule": one.rule, "severity": one.severity, "title": one.title, "subject": one.subject, "remedy": one.remedy}
        for one in made.findings
    ]
    return {
        "format": kind,
        "code": made.text,
        "validation_score": made.score,
        "checks": [vars(check) for check in made.checks],
        "security_analysis": {
            "passed": made.is_safe, "issues": issues[:200], "recommendations": list(made.recommendations),
        },
    }  # fmt: skip
