"""Choosing a form for the answer."""

from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class AnyNegotiation(DefaultContentNegotiation):
    """For views that answer in one form of their own, text or a stream: whatever was asked for, errors are JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        """The JSON renderer."""
        return renderers[0], renderers[0].media_type
