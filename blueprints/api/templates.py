"""Templates over the API: what there is, one whole, and one with other values. Nothing is stored."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.dialects import ALMA
from alma.api.endpoints import Endpoint
from alma.api.parsers import body_object
from alma.api.permissions import DRAFTS, READS
from alma.api.schema import refusals
from alma.errors import BadRequest, Invalid
from blueprints import catalogue, services
from blueprints.catalogue.presenting import card_of, parameters_of
from blueprints.pricing import PriceList
from blueprints.pricing.book import price_list
from blueprints.schema import BlueprintDocument


class TemplateCard(BaseModel):
    """A template in the list."""

    id: str
    name: str
    description: str
    complexity: str = Field(description="low: up to 3 machines and other resources, medium: up to 10, high: more")
    estimated_cost: str = Field(description="From what it costs as it is to twice as many servers")
    category: str
    machines: int
    parameters: list[str]


class TemplateList(BaseModel):
    """Every template."""

    templates: list[TemplateCard]
    count: int


class CustomizeBody(BaseModel):
    """Values of parameters; what is not named keeps its default."""

    model_config = ConfigDict(extra="forbid")

    parameters: dict[str, JsonValue] = Field(default_factory=dict)


_WANTED = OpenApiExample(
    "As documented",
    {
        "parameters": {
            "instance_count": 3, "cpu_per_instance": 4, "memory_per_instance": "8GB", "environment": "production",
        }
    },
    request_only=True,
)  # fmt: skip


class Templates(Endpoint):
    """The gallery."""

    dialect = ALMA
    scopes = {"GET": services.READ}
    openings = {"GET": READS}

    @extend_schema(operation_id="templates_list", responses={200: TemplateList}, tags=["templates"])
    def get(self, request: Request) -> Response:
        """All templates, with what they cost in a month."""
        prices = _prices(request)
        cards = [card_of(template, prices) for template in catalogue.all_templates().values()]
        return Response({"templates": cards, "count": len(cards)})


class TemplateDetail(Endpoint):
    """One template."""

    dialect = ALMA
    scopes = {"GET": services.READ}
    openings = {"GET": READS}

    @extend_schema(
        operation_id="templates_get", responses={200: BlueprintDocument, **refusals(404)}, tags=["templates"]
    )
    def get(self, request: Request, template_id: str) -> Response:
        """The blueprint that it makes by default; `metadata.parameter_schema` says what can be chosen."""
        template = catalogue.find(template_id)
        answer = catalogue.render(template, prices=_prices(request)).as_dict()
        answer["metadata"]["parameter_schema"] = parameters_of(template)
        return Response(answer)


class TemplateCustomize(Endpoint):
    """One template with other values."""

    dialect = ALMA
    scopes = {"POST": services.WRITE}
    openings = {"POST": DRAFTS}

    @extend_schema(
        operation_id="templates_customize",
        request=CustomizeBody,
        responses={200: BlueprintDocument, **refusals(400, 404)},
        examples=[_WANTED],
        tags=["templates"],
    )
    def post(self, request: Request, template_id: str) -> Response:
        """The blueprint for these values, ready to be created. It is not stored, and the template stays as it is."""
        template = catalogue.find(template_id)
        try:
            return Response(catalogue.render(template, _given(request.data), _prices(request)).as_dict())
        except Invalid as error:
            raise BadRequest(error.message, code=error.code, details=error.details) from error


def _prices(request: Request) -> PriceList:
    return price_list(actor_of(request).organization_id)


def _given(data: Any) -> dict[str, Any]:
    """The parameters of a body. Raises BadRequest."""
    body = body_object(data)
    if unknown := sorted(body.keys() - {"parameters"}):
        raise BadRequest(f"Field {unknown[0][:60]}: is not a known field; values belong in parameters.")
    given = body.get("parameters")
    if given is not None and not isinstance(given, dict):
        raise BadRequest('Field parameters: must be an object, for example {"instance_count": 3}.')
    return given or {}
