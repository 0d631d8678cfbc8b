"""An OpenAI-compatible server that says what a test wants it to say."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.fixtures.receiver import Request, Respond


def chunk(text: str, **more: Any) -> dict[str, Any]:
    """One event of a stream."""
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}], **more}  # fmt: skip


def head(handler: BaseHTTPRequestHandler, status: int = 200, kind: str = "text/event-stream") -> None:
    """Status and headers; the body ends with the connection."""
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Connection", "close")
    handler.end_headers()


def events(chunks: Iterable[Any], *, ends: bool = True) -> Respond:
    """These events, then the end."""

    def respond(_: Request, handler: BaseHTTPRequestHandler) -> None:
        head(handler)
        for one in chunks:
            handler.wfile.write(b"data: " + json.dumps(one).encode() + b"\n\n")
        if ends:
            handler.wfile.write(b"data: [DONE]\n\n")

    return respond


def says(text: str, *, tokens: int | None = None) -> Respond:
    """This text in pieces of twenty letters."""
    pieces = [chunk(text[at : at + 20]) for at in range(0, len(text), 20)]
    usage = [
        {**chunk(""), "choices": [], "usage": {"completion_tokens": tokens, "prompt_tokens": 9, "total_tokens": 9}}
    ]
    return events([*pieces, *(usage if tokens else [])])


class Slow:
    """Writes for as long as somebody reads, and notes when nobody does any more."""

    def __init__(self) -> None:
        self.began, self.left = threading.Event(), threading.Event()

    def __call__(self, _: Request, handler: BaseHTTPRequestHandler) -> None:
        head(handler)
        self.began.set()
        try:
            for _ in range(1000):
                handler.wfile.write(b"data: " + json.dumps(chunk("x" * 30)).encode() + b"\n\n")
                time.sleep(0.02)
        except OSError:
            self.left.set()


def refuses(status: int, body: Any = None) -> Respond:
    """An error."""

    def respond(_: Request, handler: BaseHTTPRequestHandler) -> None:
        head(handler, status, "application/json")
        handler.wfile.write(json.dumps(body or {"error": {"message": "no"}}).encode())

    return respond


def one_after_the_other(*scripts: Respond) -> Respond:
    """Each of these once, the last for good."""
    left = list(scripts)

    def respond(request: Request, handler: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(request, handler)

    return respond


def part(name: str, **values: Any) -> dict[str, Any]:
    """A part of a proposal, plain unless told."""
    return {"name": name, "words": "", "role": "web", "count": 1, "cpu": 2, "memory_gb": 2, "disk_gb": 40, "os": None,
            "software": [], "needs": [], **values}  # fmt: skip


def proposal(*parts: dict[str, Any], summary: str = "") -> str:
    """What a model says that keeps to the schema."""
    return json.dumps({"summary": summary, "parts": list(parts)})


Script = Callable[..., Respond]
