"""An error as bytes, for what answers below Django: the body guard, sockets before their handshake, the data plane."""

from alma.api.dialects import dialect_of
from alma.api.renderers import dumps
from alma.errors import DomainError
from alma.http import BROWSER_HEADERS, NO_CONTENT, request_id

RPC = "/mcp"
"""Where JSON-RPC is spoken, which is no dialect."""
_INVALID_REQUEST = -32600
Headers = list[tuple[bytes, bytes]]
BROWSER: Headers = [
    (name.lower().encode(), value.encode())
    for name, value in {**BROWSER_HEADERS, "Content-Security-Policy": NO_CONTENT}.items()
]
"""What a browser is told by whatever answers below Django."""


def given_id(headers: Headers) -> str:
    """The id of a request: its own when it is well formed, or a new one."""
    given = next((value for name, value in headers if name.lower() == b"x-request-id"), b"")
    return request_id(given.decode("latin-1"))


def rpc_error(message: str) -> bytes:
    """A refusal as JSON-RPC, for `/mcp`, before anything of the protocol was read."""
    return dumps({"jsonrpc": "2.0", "id": None, "error": {"code": _INVALID_REQUEST, "message": message}})


def error_response(path: str, error: DomainError, request_id: str, status: int = 400) -> tuple[int, Headers, bytes]:
    """Status, headers and body in the dialect of a path; with the given status JSON-RPC or plain text where it has none."""
    dialect = dialect_of(path)
    headers: Headers = [
        *BROWSER,
        (b"x-request-id", request_id.encode()),
    ]
    if dialect is None and path.rstrip("/") == RPC:
        body, kind = rpc_error(error.message), b"application/json"
    elif dialect is None:
        body, kind = error.message.encode(), b"text/plain; charset=utf-8"
    else:
        status, kind = dialect.status(error), b"application/json"
        body = dumps(dialect.error_body(error, request_id))
        headers += [(name.lower().encode(), value.encode()) for name, value in dialect.error_headers(error).items()]
    return status, [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *headers], body
