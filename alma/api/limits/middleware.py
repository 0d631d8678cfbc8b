"""Counts what no view of the API counts, and says in every answer of a family how much is left."""

from django.http import HttpRequest, HttpResponse

from alma.api.dialects import dialect_of
from alma.api.endpoints import Endpoint
from alma.api.exceptions import api_error
from alma.api.limits.charging import charge_of, charge_request, is_counted
from alma.errors import DomainError
from alma.http import GetResponse


class RateLimitMiddleware:
    """Outside of everything that may answer. Pages belong to no family and are not limited."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """What was answered without being counted, as an unknown path is, counts for the address that it came from."""
        response = self.get_response(request)
        dialect = dialect_of(request.path)
        if dialect is None:
            return response
        if not is_counted(request):
            response = _refusal(request) or response
        charge = charge_of(request)
        if charge is not None:
            for name, value in charge.headers(dialect).items():
                response[name] = value
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """Views of ours count for themselves, once they know who asks; others count before they have done anything."""
        kind = getattr(view, "cls", None)
        return None if isinstance(kind, type) and issubclass(kind, Endpoint) else _refusal(request)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    dialect = dialect_of(request.path)
    if dialect is None:
        return None
    try:
        charge_request(request, dialect)
    except DomainError as error:
        return api_error(request, error)
    return None
