"""Requests checked and answers written as Proxmox's HTTP server does it, in its order."""

import gzip
import http
import re
import zlib
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import unquote

from aiohttp import web

from vms.sandbox.bodies import NotHttp, check_kind, parameters
from vms.sandbox.core.core import Response
from vms.sandbox.core.errors import ApiError
from vms.sandbox.core.model import Json
from vms.sandbox.formatters import FORMATTERS, Page

METHODS = {"GET", "POST", "PUT", "DELETE"}
WITH_BODY = {"POST", "PUT"}
MAX_BODY = 512 * 1024
HEADERS_END = 64
HEADER_BYTES_END = 8 * 1024
_COMPRESSED_FROM = 1024
_API = "/api2"
_UNKNOWN_METHOD = re.compile(r"b'([!-&(-~]+) \S+ HTTP/1\.\d'")
"""A request line with a method that the parser does not know, as its complaint quotes it."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def is_too_large(request: web.BaseRequest) -> bool:
    """Whether the head is one that Proxmox hangs up on: the empty line at its end counts as well."""
    lines = [len(name) + len(value) + 2 for name, value in request.raw_headers]
    return len(lines) + 1 >= HEADERS_END or sum(lines) >= HEADER_BYTES_END


def check_head(request: web.BaseRequest) -> None:
    """What is refused on the head of a request alone."""
    if request.method not in METHODS:
        raise _no_method(request.method)
    encoding = request.headers.get("Transfer-Encoding", "")
    if encoding.lower() == "chunked":
        raise NotHttp(501, "chunked transfer encoding not supported")
    if encoding:
        raise NotHttp(501, f"Unknown transfer encoding '{encoding}'")


def _no_method(name: str) -> NotHttp:
    return NotHttp(501, f"method '{name}' not available", has_text=False)


def not_understood(status: int, reason: str = "") -> NotHttp:
    """The refusal of what the parser could not read, such as a method of its own, or of what went wrong in here."""
    method = _UNKNOWN_METHOD.search(reason)
    if method and method[1] not in METHODS:
        return _no_method(method[1])
    return NotHttp(400, "bad request") if status == 400 else NotHttp(500, "internal error")


def foreign_version(request: web.BaseRequest) -> bytes:
    """The whole answer to a request of another generation of HTTP, in the words of the first."""
    text = f"http protocol version {request.version.major}.{request.version.minor} not supported"
    return f"HTTP/1.0 506 {text}\r\nConnection: close\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


def split_path(path: str) -> tuple[str, str]:
    """Formatter and path below it of `/api2/json/nodes`."""
    match = re.fullmatch(rf"{_API}/+([a-z][a-z0-9]+)(/.*)?", unquote(path), re.DOTALL)
    if match:
        return match[1], match[2] or "/"
    if path.startswith(_API):
        raise NotHttp(501, "no such uri")
    raise NotHttp(501, f"no such file '{unquote(path)}'\n")


def check_length(request: web.BaseRequest) -> None:
    """What is refused once it is known who asks."""
    length = request.content_length or 0
    if length and request.method not in WITH_BODY:
        raise NotHttp(501, f"Unexpected content for method '{request.method}'")
    if length > MAX_BODY:
        raise NotHttp(501, "for data too large")
    if length:
        check_kind(request.headers.get("Content-Type", ""))


def check_format(format: str, path: str) -> None:
    if format not in FORMATTERS:
        raise NotHttp(501, f"no formatter for uri {path}, {format}")


async def given(request: web.BaseRequest) -> dict[str, Json]:
    has_body = request.method in WITH_BODY
    content_type = request.headers.get("Content-Type", "") if has_body else None
    return parameters(content_type, await request.read() if has_body else b"", request.rel_url.raw_query_string)


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request decides how its answer looks."""

    format: str = "json"
    path: str = "/"
    accepted: str = ""
    is_last: bool = False
    """The client wants no more of this connection."""

    @classmethod
    def by(cls, request: web.BaseRequest, format: str, path: str) -> "Asked":
        connection = request.headers.get("Connection", "")
        is_last = "close" in connection.lower() or (not connection and request.version.minor == 0)
        return cls(format, path, request.headers.get("Accept-Encoding", ""), is_last)


def answer(response: Response, asked: Asked) -> web.Response:
    """The HTTP answer: the first line of the message is the reason phrase."""
    if response.text is not None:
        return _built(Page(200, "", response.text.encode(), "text/plain"), asked)
    if not response.has_body:
        return _built(_without_body(response, asked), asked)
    return _built(FORMATTERS[asked.format](response, asked.path), asked)


def _without_body(response: Response, asked: Asked) -> Page:
    """Whoever looks at the pages without having logged in is sent to the page where one does."""
    if asked.format == "html" and response.status == 401:
        return Page(301, "Moved", headers={"Location": f"{_API}/html/access/ticket"})
    return Page(response.status, response.message)


def refusal(error: ApiError) -> web.Response:
    """An answer of the HTTP server itself: plain text of no declared type."""
    has_text = isinstance(error, NotHttp) and error.has_text
    body = error.message.encode(errors="replace") if has_text else b""
    return _built(Page(error.status, error.message, body, ""), Asked())


def _built(page: Page, asked: Asked) -> web.Response:
    is_last = asked.is_last or page.status >= 400
    headers = _headers(page, is_last=is_last)
    body = page.body
    if len(body) > _COMPRESSED_FROM and (coding := _coding(asked.accepted)):
        body = gzip.compress(body, compresslevel=1) if coding == "gzip" else zlib.compress(body)
        headers["Content-Encoding"] = coding
    answer = web.Response(status=page.status, reason=_reason(page), body=body, headers=headers)
    if is_last:
        answer.force_close()
    return answer


def _coding(accepted: str) -> str:
    return next((coding for coding in ("gzip", "deflate") if coding in accepted), "")


def _reason(page: Page) -> str:
    first = _CONTROL.sub(" ", page.message.split("\n")[0]).strip().encode(errors="replace").decode()
    known = {status.value: status.phrase for status in http.HTTPStatus}
    return first or known.get(page.status, "")


def _headers(page: Page, *, is_last: bool) -> dict[str, str]:
    date = formatdate(usegmt=True)
    headers = {
        "Cache-Control": "max-age=0", "Connection": "close" if is_last else "Keep-Alive", "Date": date,
        "Expires": date, "Pragma": "no-cache", "Server": "pve-api-daemon/3.0",
    }  # fmt: skip
    if page.kind:
        headers["Content-Type"] = page.kind if page.kind == "image/png" else f"{page.kind};charset=UTF-8"
    return {**headers, **page.headers}
