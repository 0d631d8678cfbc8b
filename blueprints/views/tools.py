"""The pages of the tools: all of them, one with its form and its result, and a question that picks one."""

import json
from typing import Any

import yaml
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alma.errors import BadRequest, DomainError, Invalid
from alma.htmx import HtmxRequest
from blueprints import tools
from blueprints.tools import Tool, choosing
from blueprints.views.tool_fields import arguments_of, errors_by_field, fields_of
from blueprints.views.tool_results import Drawn, draw

GROUPS = (
    ("Design", ("create_blueprint", "validate_blueprint", "suggest_architecture", "compare_blueprints")),
    ("Size and money", ("estimate_resources", "optimize_costs", "calculate_capacity", "forecast_metrics")),
    ("Safety", ("security_audit", "check_compliance")),
    ("Operate", ("generate_deployment_plan", "migrate_infrastructure", "troubleshoot_issue")),
)
QUESTIONS = (
    "Estimate resources for a high traffic web application with 10,000 users",
    "How many more machines fit on the cluster?",
    "Suggest an architecture for a highly available shop with PostgreSQL",
)


@require_safe
@login_required
def tool_list(request: HtmxRequest) -> HttpResponse:
    """All tools, by what they are for."""
    request.actor.require(tools.READ)
    return _list(request)


def _list(request: HtmxRequest, status: int = 200, **told: str) -> HttpResponse:
    groups = [(title, [tools.find(name) for name in names]) for title, names in GROUPS]
    server = {
        "type": "http",
        "url": request.build_absolute_uri("/mcp"),
        "headers": {"Authorization": "Bearer alm_live_…"},
    }
    connecting = json.dumps({"mcpServers": {"alma": server}}, indent=2, ensure_ascii=False)
    context = {"groups": groups, "questions": QUESTIONS, "connecting": connecting, **told}
    return render(request, "tools/tool_list.html", context, status=status)


@require_POST
@login_required
def tool_ask(request: HtmxRequest) -> HttpResponse:
    """A question: the tool that it picks, with the arguments that it fills and what comes of them."""
    request.actor.require(tools.READ)
    question = request.POST.get("query", "")
    try:
        choice = choosing.choose(question, {}, by=request.actor)
    except BadRequest as error:
        return _list(request, 422, question=question, refusal=error.message)
    typed = {name: _typed(value) for name, value in choice.arguments.items()}
    chosen = tools.find(choice.tool)
    return _page(request, chosen, typed, arguments=choice.arguments, question=question, reasons=choice.reasons)


def _typed(value: Any) -> str:
    """An argument as it would stand in its field."""
    if isinstance(value, list):
        is_text = all(isinstance(one, str) for one in value)
        return ", ".join(value) if is_text else yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    return str(value)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def tool_detail(request: HtmxRequest, tool_name: str) -> HttpResponse:
    """One tool: its form, and its result once it was asked. HTMX gets the result alone."""
    request.actor.require(tools.READ)
    if tool_name not in tools.REGISTER:
        raise Http404
    found = tools.find(tool_name)
    if request.method != "POST":
        given = {key: str(value) for key, value in request.GET.items() if key in found.arguments.model_fields}
        return _page(request, found, given)
    typed = {key: str(value) for key, value in request.POST.items()}
    return _page(request, found, typed, is_asked=True)


def _page(
    request: HtmxRequest,
    found: Tool,
    typed: dict[str, str],
    *,
    arguments: Any = None,
    is_asked: bool = False,
    **context: Any,
) -> HttpResponse:
    """The page with the form as it was filled, and what came of it; 422 when that was refused for what was typed."""
    drawn: Drawn | None = None
    refusal: DomainError | None = None
    if is_asked or arguments is not None:
        try:
            given = arguments_of(found, typed) if arguments is None else arguments
            drawn = draw(tools.execute(found.name, given, by=request.actor))
        except DomainError as error:
            refusal = error
    errors = errors_by_field(refusal.details) if refusal else {}
    context |= {
        "tool": found, "drawn": drawn, "refusal": refusal.message if refusal else "",
        "fields": fields_of(found, typed, errors, request.actor), "missing": [one for one in found.rights if not request.actor.has(one)],
    }  # fmt: skip
    status = 422 if isinstance(refusal, BadRequest | Invalid) else 200
    return render(request, "tools/_result.html" if request.htmx else "tools/tool_detail.html", context, status=status)
