"""Figures of the router, for Prometheus: requests by what became of them, tokens, and time spent waiting."""

from django.db.models import Count

from alma.monitoring.figures import Figure, filled
from alma.monitoring.tallies import tallies
from instances.models import Instance, RequestRecord, Waiter

_ENDS = [state for state in RequestRecord.State if state != RequestRecord.State.IN_FLIGHT]
_REQUESTS = {state: f"inference.requests.{state}" for state in _ENDS}
_TOKENS = {kind: f"inference.tokens.{kind}" for kind in ("prompt", "completion")}
_QUEUED, _FIRST, _STREAMED = (
    "inference.queue.microseconds",
    "inference.first_token.microseconds",
    "inference.first_token.requests",
)


def requests() -> list[Figure]:
    """Over all processes that route."""
    found = tallies.totals(*_REQUESTS.values(), *_TOKENS.values(), _QUEUED, _FIRST, _STREAMED)
    states = Instance.objects.order_by().values_list("status").annotate(Count("pk"))
    return [
        Figure(
            "alma_inference_requests", "Requests to models by what became of them.",
            {(state,): float(found[name]) for state, name in _REQUESTS.items()}, ("state",), is_counter=True,
        ),
        Figure(
            "alma_inference_tokens", "Tokens of prompts and completions.",
            {(kind,): float(found[name]) for kind, name in _TOKENS.items()}, ("kind",), is_counter=True,
        ),
        Figure.plain(
            "alma_inference_queue_seconds", "Time that requests waited for an instance.", found[_QUEUED] / 1e6, is_counter=True
        ),
        Figure.plain(
            "alma_inference_first_token_seconds", "Time from requests to the first byte of their answers.", found[_FIRST] / 1e6,
            is_counter=True,
        ),
        Figure.plain("alma_inference_answered", "Requests that were answered with a first byte.", found[_STREAMED], is_counter=True),
        Figure.plain("alma_inference_in_flight", "Requests under way.", RequestRecord.objects.in_flight().count()),
        Figure.plain("alma_inference_waiting", "Requests that wait for an instance.", Waiter.objects.count()),
        Figure(
            "alma_instances", "Instances by state.",
            filled([(state,) for state in Instance.Status.values], {(state,): float(n) for state, n in states}), ("state",),
        ),
    ]  # fmt: skip
