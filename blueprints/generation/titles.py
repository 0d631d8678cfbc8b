"""The name and the one-line description of a generated blueprint."""

from django.utils.translation import gettext as _

from blueprints.generation.design import Part
from blueprints.generation.facts import Request
from blueprints.schema.names import guest_name

_MAIN_FIRST = ("k8s_control", "cms", "app", "web")


def name(request: Request, parts: list[Part]) -> str:
    """ha-web-server-postgresql: redundancy, then at most two parts that matter most."""
    labels = [part.label for part in sorted(parts, key=_weight)][:2]
    prefix = ["ha"] if request.is_ha or any(part.group.is_ha for part in parts) else []
    words = prefix + (labels or ["infrastructure"]) + ([request.environment] if request.environment else [])
    return guest_name("-".join(words))


def description(request: Request, parts: list[Part]) -> str:
    """2 x web-server, 1 x postgresql for production."""
    if not parts:
        return _("Nothing to build yet; see the questions.")
    listed = ", ".join(f"{part.count} x {part.label}" for part in parts)
    if request.environment:
        listed = _("%(parts)s for %(environment)s") % {"parts": listed, "environment": request.environment}
    return _("Highly available: %(parts)s") % {"parts": listed} if request.is_ha else listed


def _weight(part: Part) -> int:
    return _MAIN_FIRST.index(part.role) if part.role in _MAIN_FIRST else len(_MAIN_FIRST)
