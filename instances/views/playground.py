"""Talking to a model from a page."""

import json
from time import perf_counter
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from alma.errors import Invalid, Unavailable
from alma.htmx import HtmxRequest
from instances.forms.playground import AskForm
from instances.pages.playground import choices
from instances.router.inside import PLANE, streamed, whole

USE = "inference:use"
STREAM = "text/event-stream"


@require_safe
@login_required
def playground(request: HtmxRequest) -> HttpResponse:
    """An empty conversation, with the model that was chosen elsewhere."""
    request.actor.require(USE)
    form = AskForm(initial={"model": request.GET.get("model", "")[:200]})
    return _page(request, form, {})


@require_POST
@login_required
def ask(request: HtmxRequest) -> HttpResponseBase:
    """The answer of a model: as a stream of events for scripts, else as the page with it."""
    request.actor.require(USE)
    form = AskForm(request.POST)
    is_stream = STREAM in request.headers.get("Accept", "")
    if not form.is_valid():
        if is_stream:
            raise Invalid(_first(form))
        return _page(request, form, {}, status=422)
    plane = getattr(request, "scope", {}).get(PLANE)
    if plane is None:
        raise Unavailable("This server does not route requests to models.", code="NO_DATA_PLANE")
    body, actor, request_id = form.body(streams=is_stream), request.actor, request.request_id
    if is_stream:
        events = streamed(plane, body, by=actor, request_id=request_id)
        answer = StreamingHttpResponse(events, content_type=f"{STREAM}; charset=utf-8")
        answer["Cache-Control"], answer["X-Accel-Buffering"] = "no-cache", "no"
        return answer
    began = perf_counter()
    status, said = async_to_sync(whole)(plane, body, by=actor, request_id=request_id)
    return _answered(request, form, (status, said), perf_counter() - began)


def _answered(request: HtmxRequest, form: AskForm, answer: tuple[int, bytes], seconds: float) -> HttpResponse:
    status, said = answer
    value: dict[str, Any] = json.loads(said)
    given = form.cleaned_data
    if status != 200:
        problem = value.get("error", {})
        words = problem.get("message", "") if isinstance(problem, dict) else str(problem)
        return _page(request, form, {"problem": words or f"It answered {status}."}, status=status)
    text = value["choices"][0]["message"].get("content") or ""
    turns = [*given["history"], {"role": "user", "content": given["message"]}, {"role": "assistant", "content": text}]
    tokens = value.get("usage", {}).get("completion_tokens", 0)
    kept = {name: given[name] for name in ("model", "system", "temperature", "max_tokens")}
    again = AskForm(initial={**kept, "history": json.dumps(turns)})
    return _page(request, again, {"turns": turns, "told": {"tokens": tokens, "seconds": seconds}})


def _page(request: HtmxRequest, form: AskForm, more: dict[str, Any], status: int = 200) -> HttpResponse:
    told = {"form": form, "choices": choices(request.actor), "base": request.build_absolute_uri("/v1"), **more}
    if form.is_bound and "turns" not in told:
        told["turns"] = getattr(form, "cleaned_data", {}).get("history", [])
    return render(request, "instances/playground.html", told, status=status)


def _first(form: AskForm) -> str:
    name, errors = next(iter(form.errors.items()))
    return f"{form.fields[name].label or name.capitalize()}: {errors[0]}"
