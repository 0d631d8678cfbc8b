"""The public utilities of alumia-api.txt. They need no credential; how much may be sent and kept is bounded."""

from typing import Annotated

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import AfterValidator, Field, JsonValue, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import CamelModel, read_body
from alma.api.bounds import trimmed
from alma.api.dialects import ALUMIA
from alma.api.endpoints import Endpoint
from alma.api.permissions import ANYBODY
from alma.reception.answering import MOST_CITATIONS, answer
from alma.reception.forms import LONGEST_QUESTION
from alma.reception.services import inquire


def _text(longest: int, shortest: int = 1) -> StringConstraints:
    return StringConstraints(min_length=shortest, max_length=longest)


def _address(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValueError("is not an address of electronic mail") from error
    return email


class Question(CamelModel):
    """What somebody wants to know about the product."""

    question: Annotated[str, _text(LONGEST_QUESTION, 2), trimmed(2)]
    limit: int = Field(default=3, ge=1, le=MOST_CITATIONS, description="Most passages to cite")


class CitationBody(CamelModel):
    """A passage of the documentation and where it stands."""

    path: str
    title: str
    heading: str
    anchor: str
    quote: str
    score: float


class AnswerBody(CamelModel):
    """An answer in the words of the documentation, or of a model that cites it; `found` is false when it says nothing about
    the question."""

    question: str
    answer: str
    found: bool
    citations: list[CitationBody]
    model: dict[str, JsonValue] | None = Field(description="What became of asking a model, where there is one")


class Utility(Endpoint):
    """What strangers may call, also where reading needs a key."""

    dialect = ALUMIA
    scopes = {"POST": ANYBODY}
    permission_classes = []


class DocsAsk(Utility):
    """`/api/v1/docs/ask`."""

    @extend_schema(
        operation_id="docs_ask",
        request=Question,
        responses={200: AnswerBody},
        examples=[OpenApiExample("A question", request_only=True, value={"question": "How do I run the tests?"})],
        tags=["utilities"],
    )
    def post(self, request: Request) -> Response:
        """Answer a question from the product's own documentation, with citations."""
        asked = read_body(Question, request)
        said = answer(asked.question, limit=asked.limit, by=actor_of(request))
        citations = [vars(row) for row in said.citations]
        told = {"answer": said.answer, "found": said.is_found, "citations": citations, "model": said.model}
        return Response({"question": asked.question, **told})


class Inquiry(CamelModel):
    """The form of companies that want to talk. `website` is invisible to people; whoever fills it in is a program."""

    name: Annotated[str, _text(100), trimmed(1)]
    email: Annotated[str, _text(254, 3), trimmed(), AfterValidator(_address)]
    company: Annotated[str, _text(150), trimmed(1)]
    role: Annotated[str, _text(100, 0), trimmed()] = ""
    team_size: int | None = Field(default=None, ge=1, le=1_000_000)
    message: Annotated[str, _text(4000, 10), trimmed(10)]
    website: str = Field(default="", max_length=200, description="Leave empty")


class InquiryBody(CamelModel):
    """That it has arrived."""

    received: bool


class EnterpriseInquiryView(Utility):
    """`/api/v1/enterprise-inquiry`."""

    @extend_schema(
        operation_id="enterprise_inquiry",
        request=Inquiry,
        responses={201: InquiryBody},
        examples=[
            OpenApiExample(
                "An inquiry", request_only=True,
                value={
                    "name": "Jane Smith", "email": "jane@example.com", "company": "Example GmbH", "teamSize": 40,
                    "message": "We run three clusters and would like to see a demonstration.",
                },
            )
        ],
        tags=["utilities"],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Leave an inquiry for the operators of this installation. No mail is sent."""
        said = read_body(Inquiry, request)
        if not said.website:  # programs are told the same, and nothing is kept
            inquire(**said.model_dump(exclude={"website"}))
        return Response({"received": True}, status=201)
