"""The OpenAPI document of this ALMA: the same for everybody, and so made once in each process and for each format."""

from threading import Lock
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_MADE: dict[str, bytes] = {}
"""By format."""
_ONE_AT_A_TIME = Lock()
"""Half a second of work: whoever comes meanwhile waits for it, and does not begin it as well."""


class Description(SpectacularAPIView):
    """As YAML or as JSON, by `Accept` or `?format=`. Nothing else in a request has any say in it."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The whole document."""
        renderer = request.accepted_renderer
        with _ONE_AT_A_TIME:
            document = _MADE.get(renderer.format) or _MADE.setdefault(renderer.format, _written(renderer))
        headers = {"Content-Disposition": f'inline; filename="ALMA.{renderer.format}"'}
        return HttpResponse(document, content_type=f"{renderer.media_type}; charset=utf-8", headers=headers)


def _written(renderer: BaseRenderer) -> bytes:
    """The document in the format of a renderer."""
    schema = Description.generator_class().get_schema(request=None, public=True)
    document = renderer.render(schema, renderer_context={})
    return document if isinstance(document, bytes) else document.encode()
