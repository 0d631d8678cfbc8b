"""The living style guide: every component, rendered beside the markup that makes it. Only while developing."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from alma.errors import Invalid
from alma.templatetags.icons import ICONS
from alma.templatetags.statuses import ANYWHERE, words_of

EXAMPLES = Path(settings.BASE_DIR) / "templates" / "styleguide"


def _examples() -> list[dict[str, str]]:
    """Each file of the folder, in the order of its number: `12_tables.html` is «Tables»."""
    return [
        {
            "name": path.stem.partition("_")[2],
            "title": words_of(path.stem.partition("_")[2]),
            "template": f"styleguide/{path.name}",
            "source": path.read_text(encoding="utf-8").strip(),
        }
        for path in sorted(EXAMPLES.glob("[0-9]*.html"))
    ]


def _sample() -> dict[str, Any]:
    """What the examples show."""
    now = timezone.now()
    return {
        "when": now - timedelta(hours=5),
        "since": now - timedelta(seconds=72),
        "until": now - timedelta(seconds=9),
        "bytes": 8 * 1024**3,
        "rows": Paginator(range(1, 241), 25).page(3),
        "statuses": sorted(ANYWHERE),
        "icons": sorted(ICONS),
        "error": Invalid(
            "The blueprint is not valid.",
            details=[
                {"field": "resources.web-2.specs.memory", "message": "«8» has no unit; write 8GB."},
                {"field": "resources.web-3.dependencies", "message": "«db-9» is not a resource of this blueprint."},
            ],
        ),
        "request_id": "5f2c9be04d1a4c0f",
    }


def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in its states."""
    return render(request, "styleguide.html", {"examples": _examples(), **_sample()})
