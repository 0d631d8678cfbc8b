"""A Hugging Face compatible endpoint of the tests: one repository over real HTTP, which can be told to misbehave."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "a" * 40
REPO = "org/model"


@dataclass
class Hub:
    """What it has, and how it behaves. Every request is remembered with its range and whether a token came along."""

    files: dict[str, bytes]
    port: int = 0
    dies_after: int = 0
    """Bytes after which the connection of a file ends, as often as `deaths` says."""
    deaths: int = 0
    says_size: dict[str, int] = field(default_factory=dict)
    says_sum: dict[str, str] = field(default_factory=dict)
    extra: list[Any] = field(default_factory=list)
    redirects: str = ""
    """Where files lie in truth; empty for here."""
    ignores_ranges: bool = False
    wants_token: str = ""
    status: int = 0
    slow: threading.Event = field(default_factory=threading.Event)
    is_slow: bool = False
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tree(self) -> list[Any]:
        return [self.entry(name, content) for name, content in self.files.items()] + self.extra

    def entry(self, name: str, content: bytes) -> dict[str, Any]:
        size = self.says_size.get(name, len(content))
        blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
        row: dict[str, Any] = {"type": "file", "path": name, "size": size, "oid": blob}
        if name.endswith((".gguf", ".safetensors")):
            row["lfs"] = {"oid": self.says_sum.get(name, hashlib.sha256(content).hexdigest()), "size": size}
        return row

    def fetched(self) -> list[tuple[str, str, str]]:
        return [row for row in self.asked if "/resolve/" in row[0] or "/blobs/" in row[0]]


class _Answer(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        path, hub = urlsplit(self.path).path, self.hub
        hub.asked.append((path, self.headers.get("Range", ""), self.headers.get("Authorization", "")))
        if (
            hub.wants_token
            and self.headers.get("Authorization") != f"Bearer {hub.wants_token}"
            and "/blobs/" not in path
        ):
            self._say(401, b"{}")
        elif hub.status:
            self._say(hub.status, b"{}")
        elif path == f"/api/models/{REPO}/revision/main":
            self._say(200, json.dumps({"sha": COMMIT}).encode())
        elif path == f"/api/models/{REPO}/tree/{COMMIT}":
            self._say(200, json.dumps(hub.tree()).encode())
        elif path.startswith(f"/{REPO}/resolve/{COMMIT}/"):
            self._resolve(unquote(path.rpartition(f"{COMMIT}/")[2]))
        elif path.startswith("/blobs/"):
            self._file(unquote(path.removeprefix("/blobs/")))
        else:
            self._say(404, b"{}")

    def _resolve(self, name: str) -> None:
        if self.hub.redirects:
            self.send_response(302)
            self.send_header("Location", self.hub.redirects + name)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._file(name)

    def _file(self, name: str) -> None:
        hub, content = self.hub, self.hub.files[name]
        asked = self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked and not hub.ignores_ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        if hub.deaths > 0:
            hub.deaths -= 1
            self.wfile.write(body[: hub.dies_after])
            self.wfile.flush()
            self.connection.close()
            return
        if hub.is_slow:
            self.wfile.write(body[:70_000])
            self.wfile.flush()
            hub.slow.wait(20)
            body = body[70_000:]
        self.wfile.write(body)

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The endpoint on a port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answer", (_Answer,), {"hub": hub}))
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    server.daemon_threads = True
    hub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.slow.set()
        server.shutdown()
        server.server_close()
        thread.join()
