"""The formats of an answer: JSON as it is, JSON for ExtJS, pages for people, files for a console's viewer."""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from vms.sandbox.core.core import Response
from vms.sandbox.core.model import Json


@dataclass(frozen=True, slots=True)
class Page:
    """What is sent: an empty `kind` declares no type."""

    status: int
    message: str = ""
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Formatter = Callable[[Response, str], Page]


def _body(response: Response) -> dict[str, Json]:
    body: dict[str, Json] = {"data": response.data}
    if response.errors:
        body["errors"] = response.errors
    elif response.status < 400:
        body.update({key: value for key, value in response.extra.items() if value})
    return body


def _message(response: Response) -> str:
    return f"{response.message}\n" if response.is_line else response.message


def as_json(response: Response, path: str) -> Page:
    body = _body(response)
    if response.status >= 400:
        body["message"] = _message(response)
    return Page(response.status, response.message, orjson.dumps(body))


def _for_extjs(response: Response) -> bytes:
    """ExtJS looks at `success`, never at the status."""
    body = _body(response)
    body["success"] = int(response.status < 400 and not response.errors)
    if response.status >= 400:
        body |= {"message": _message(response), "status": response.status}
    return orjson.dumps(body)


def as_extjs(response: Response, path: str) -> Page:
    return Page(200, "", _for_extjs(response))


def as_extjs_in_html(response: Response, path: str) -> Page:
    """For forms that upload files from within a frame."""
    return Page(200, "", html.escape(_for_extjs(response).decode()).encode(), "text/html")


def as_viewer_file(response: Response, path: str) -> Page:
    """The settings of a console's viewer, an INI file."""
    pairs = response.data.items() if isinstance(response.data, dict) else ()
    lines = [f"{key}={value}\n" for key, value in pairs if value is not None]
    text = "".join(["[virt-viewer]\n", *lines]) if isinstance(response.data, dict | list) else ""
    return Page(response.status, response.message, text.encode(), "application/x-virt-viewer")


def as_image(response: Response, path: str) -> Page:
    """Pictures are drawn no more: what asks for one gets an empty one."""
    return Page(response.status, response.message, b"", "image/png")


_PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Proxmox VE sandbox</title></head>
<body><nav><a href="/api2/html">Home</a>{crumbs}</nav>{alert}{links}<pre>{text}</pre></body></html>
"""


def as_page(response: Response, path: str) -> Page:
    """The API as pages that can be clicked through."""
    alert = f"<p>Error {response.status}: {html.escape(response.message)}</p>" if response.status >= 400 else ""
    text = html.escape(orjson.dumps(_body(response), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())
    page = _PAGE.format(crumbs=_crumbs(path), alert=alert, links=_links(response.data, path), text=text)
    return Page(response.status, response.message, page.encode(), "text/html")


def _crumbs(path: str) -> str:
    parts = [part for part in path.split("/") if part]
    links = ("/".join(quote(part) for part in parts[:size]) for size in range(1, len(parts) + 1))
    return "".join(f' / <a href="/api2/html/{link}">{html.escape(parts[size])}</a>' for size, link in enumerate(links))


_CHILD_KEYS = (
    "subdir",
    "node",
    "vmid",
    "storage",
    "poolid",
    "userid",
    "groupid",
    "roleid",
    "realm",
    "upid",
    "name",
    "id",
)


def _links(data: Json, path: str) -> str:
    """The children that a list names."""
    rows = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
    names = [next((str(row[key]) for key in _CHILD_KEYS if row.get(key)), "") for row in rows]
    base = "/api2/html" + path.rstrip("/")
    items = (f'<li><a href="{base}/{quote(name)}">{html.escape(name)}</a></li>' for name in sorted(filter(None, names)))
    return f"<ul>{''.join(items)}</ul>"


FORMATTERS: Mapping[str, Formatter] = {
    "json": as_json, "extjs": as_extjs, "htmljs": as_extjs_in_html, "spiceconfig": as_viewer_file, "png": as_image,
    "html": as_page,
}  # fmt: skip
