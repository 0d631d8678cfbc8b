"""Figures of blueprints, for Prometheus and for the summary."""

from typing import Any

from django.db import connection
from django.db.models import Avg, Count, Func, IntegerField

from alma.monitoring.figures import Figure, Labels
from alma.monitoring.tallies import tallies
from blueprints.counting import GENERATED, REFUSED, TOKENS
from blueprints.models import Blueprint


def generation_summary() -> dict[str, Any]:
    """The part `llm` of the summary."""
    found = tallies.totals(GENERATED, TOKENS)
    requests, tokens = found[GENERATED], found[TOKENS]
    return {
        "total_generations": requests,
        "avg_tokens_per_request": round(tokens / requests) if requests else 0,
        "total_tokens_generated": tokens,
    }


def summary() -> dict[str, Any]:
    """The part `blueprints` of the summary. Deleted ones were created as well; the average is of those that are there."""
    length = {"sqlite": "JSON_ARRAY_LENGTH", "postgresql": "JSONB_ARRAY_LENGTH"}[connection.vendor]
    resources = Func("resources", function=length, output_field=IntegerField())
    average = Blueprint.objects.filter(deleted_at=None).aggregate(average=Avg(resources))["average"]
    return {
        "total_created": Blueprint.objects.count(),
        "avg_resources": round(average or 0),
        "validation_errors": tallies.totals(REFUSED)[REFUSED],
    }


def figures() -> list[Figure]:
    """For Prometheus."""
    found = tallies.totals(GENERATED, TOKENS, REFUSED)
    rows = Blueprint.objects.aggregate(all=Count("pk"), deleted=Count("deleted_at"))
    by_state: dict[Labels, float] = {("living",): rows["all"] - rows["deleted"], ("deleted",): rows["deleted"]}
    return [
        Figure("alma_blueprints", "Blueprints that are there, and that were deleted.", by_state, ("state",)),
        Figure.plain("alma_generations", "Words that became a draft.", found[GENERATED], is_counter=True),
        Figure.plain("alma_generated_tokens", "Tokens that models wrote for drafts.", found[TOKENS], is_counter=True),
        Figure.plain(
            "alma_refused_documents", "Blueprints refused for their content.", found[REFUSED], is_counter=True
        ),
    ]
