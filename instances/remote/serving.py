"""The side that answers: a small HTTP server beside the supervisor of a machine, which only knows the verbs of `verbs`."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socketserver import TCPServer
from typing import Any

from django.conf import settings

from alma.errors import DomainError, Refused
from instances.models import Node
from instances.nodes import OWN
from instances.remote import verbs, wire

logger = logging.getLogger(__name__)

LONGEST_QUESTION = 256 * 1024
SILENCE_SECONDS = 10.0
AT_ONCE = 32


class _Answers(BaseHTTPRequestHandler):
    """One question on each connection."""

    server: "Server"
    timeout = SILENCE_SECONDS

    def do_POST(self) -> None:
        """Answer a question; what nobody with the key has asked gets a bare 403."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= LONGEST_QUESTION):
            self.send_error(413)
            return
        try:
            question = self.server.opened(self.rfile.read(int(length)).decode("ascii"))
        except (DomainError, ValueError, TypeError):
            self.send_error(403)
            return
        body = wire.answered(question, _said(question)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug("asked by another machine", extra={"line": format % args})


class Server(ThreadingHTTPServer):
    """Answers for one node."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, node: Node, port: int) -> None:
        self.address_family = socket.AF_INET6 if ip_address(node.address).version == 6 else socket.AF_INET
        self._node = node.name
        self._asked: dict[str, float] = {}
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        super().__init__((node.address, port), _Answers)

    def server_bind(self) -> None:
        """Without asking a name server what the address is called, which can take long."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread, of which there are so many at most; further ones are hung up on."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The same, within the thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has hung up, or something is wrong with us: neither ends the server."""
        logger.info("an answer to another machine did not arrive", exc_info=True)

    def opened(self, text: str) -> wire.Question:
        """A question that is asked for the first time. Raises Refused, Unavailable, ValueError, TypeError."""
        question, now = wire.Question.opened(text, self._node), time.monotonic()
        with self._lock:
            self._asked = {nonce: until for nonce, until in self._asked.items() if until > now}
            if question.nonce in self._asked:
                raise Refused("This question was asked before.", code="STALE_QUESTION")
            self._asked[question.nonce] = now + 2 * wire.FRESH_SECONDS
        return question


def _said(question: wire.Question) -> dict[str, Any]:
    """The answer of a verb, or what it objects."""
    try:
        value = verbs.VERBS[question.verb](**question.given)
        json.dumps(value)
    except DomainError as error:
        return {"error": {"kind": type(error).__name__, "code": error.code, "message": error.message}}
    except (KeyError, TypeError, ValueError, OSError):
        logger.exception("a question of another machine could not be answered", extra={"verb": question.verb})
        return {
            "error": {"kind": "Unavailable", "code": "NODE_UNREADABLE", "message": "The machine cannot answer that."}
        }
    return {"value": value}


@contextmanager
def answering(node: Node) -> Iterator[int | None]:
    """Answer in the background while this lasts, on a port of the node's address; None where nobody asks or none is free."""
    if node.name == OWN:
        yield None
        return
    try:
        server = Server(node, settings.ALMA_NODE_PORT)
    except OSError as error:
        logger.error("other machines cannot ask this one", extra={"port": settings.ALMA_NODE_PORT, "error": str(error)})
        yield None
        return
    thread = threading.Thread(target=server.serve_forever, name="answers", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
