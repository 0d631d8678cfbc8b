"""What a request asks: the model, whether the answer is a stream, how long the model is to be kept, and the body for it."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from django.utils import timezone

from alma.errors import BadRequest, Invalid
from instances.models import Instance
from instances.router.board import Target
from instances.router.bodies import LONGEST_NAME, Body, Form
from instances.router.clerk import FOR_EVER
from instances.router.routes import Route

_SPAN = re.compile(r"(-?\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST_KEEP = timedelta(days=365)
JSON = b"application/json"


@dataclass
class Wish:
    """A request that was understood."""

    model: str
    body: Body | Form
    is_stream: bool = False
    keeps: bool = False
    keep_seconds: float = 0.0
    is_filtered: bool = field(default=False, init=False)
    """Whether the stream tells usage because we asked it to."""

    @classmethod
    def read(cls, raw: bytes, content_type: bytes) -> Self:
        """Understand a body. Raises BadRequest, Invalid."""
        if content_type.lower().startswith(b"multipart/form-data"):
            form = Form(raw)
            return cls(_named(form.model), form)
        body = Body.read(raw)
        keep_alive, keeps = body.value("keep_alive"), "keep_alive" in body.members
        wish = cls(_named(body.text("model")), body, body.flag("stream"), keeps)
        wish.keep_seconds = _seconds(keep_alive) if keeps else 0.0
        body.members.pop("keep_alive", None)
        body.keep_known()
        return wish

    @property
    def dropped(self) -> list[str]:
        """The fields that no model is told."""
        return self.body.dropped if isinstance(self.body, Body) else []

    def body_for(self, target: Target, route: Route) -> bytes:
        """The body as this instance is to have it."""
        if isinstance(self.body, Form):
            return self.body.raw(target.name)
        body = Body(dict(self.body.members))
        body.put("model", target.name)
        body.fill(target.defaults)
        if self.is_stream and route.streams_usage and target.backend != Instance.Backend.LLAMA_CPP:
            self._ask_for_usage(body)
        return body.raw()

    def _ask_for_usage(self, body: Body) -> None:
        """llama.cpp tells what it took without being asked."""
        given = body.value("stream_options")
        options: dict[str, Any] = given if isinstance(given, dict) else {}
        self.is_filtered = not options.get("include_usage")
        body.put("stream_options", options | {"include_usage": True})

    def kept_until(self) -> datetime | None:
        """Until when the instance is to be kept after this request; None to let it go."""
        if self.keep_seconds < 0:
            return FOR_EVER
        return timezone.now() + timedelta(seconds=self.keep_seconds) if self.keep_seconds else None


def _named(model: str | None) -> str:
    if not model:
        raise BadRequest(
            "model is required: the name of an instance.", code="MISSING_MODEL",
            details=[{"field": "model", "message": "is required"}],
        )  # fmt: skip
    return model[:LONGEST_NAME]


def _seconds(value: Any) -> float:
    """Of 300, "5m", "1.5h" or -1. Raises Invalid."""
    found = (
        _SPAN.fullmatch(str(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    )
    seconds = float(found[1]) * _UNITS[found[2] or "s"] if found else LONGEST_KEEP.total_seconds() + 1
    if seconds > LONGEST_KEEP.total_seconds():
        said = "must be seconds or a text like 5m, 0 to let it go, or -1 for ever"
        raise Invalid(f"keep_alive: {said}", details=[{"field": "keep_alive", "message": said}])
    return seconds
