"""HTTP spoken by hand over verified TLS, to see every byte of an answer."""

import gzip
import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any

from tests.fixtures.sandbox import RunningSandbox


@dataclass
class Answer:
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        body = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return json.loads(body)


class Wire:
    """One connection; `send` writes a request and reads its answer."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        context = ssl.create_default_context(cafile=sandbox.ca_path)
        plain = socket.create_connection((sandbox.host, sandbox.port), timeout=10)
        self._socket = context.wrap_socket(plain, server_hostname="localhost")
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def send(self, head: str, *headers: str, body: bytes = b"") -> Answer:
        lines = [f"{head} HTTP/1.1", "Host: localhost", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return self._read(has_body=not head.startswith("HEAD"))

    def speak(self, *lines: str) -> Answer:
        """Send lines that need not be HTTP."""
        self._socket.sendall("\r\n".join([*lines, "Host: localhost", "", ""]).encode("latin-1"))
        return self._read(has_body=True)

    def _read(self, *, has_body: bool) -> Answer:
        line = self._file.readline().decode("latin-1").rstrip("\r\n")
        headers: dict[str, str] = {}
        while (header := self._file.readline().decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = header.partition(": ")
            headers[name.lower()] = value
        length = int(headers.get("content-length", 0)) if has_body else 0
        return Answer(line, headers, self._file.read(length))

    @property
    def is_closed(self) -> bool:
        """Whether the server has ended the connection."""
        return self._file.read(1) == b""


def ask(sandbox: RunningSandbox, head: str, *headers: str, body: bytes = b"") -> Answer:
    with Wire(sandbox) as wire:
        return wire.send(head, *headers, body=body)


def token(sandbox: RunningSandbox) -> str:
    return f"Authorization: {sandbox.authorization}"
