"""Files in requests: read as they come, measured and hashed, and never kept."""

import hashlib
import re
from collections.abc import AsyncIterator
from email.parser import BytesParser
from email.policy import HTTP
from typing import Protocol

from aiohttp import BodyPartReader, web

from vms.sandbox.bodies import NotHttp, kind_of
from vms.sandbox.core.model import Json
from vms.sandbox.core.routing import Upload

MULTIPART = "multipart/form-data"
_PATH = re.compile(r"/nodes/[^/]+/storage/[^/]+/upload/?")
_LONGEST_FIELD = 64 * 1024
_ALGORITHMS = {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"}


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


def is_upload(method: str, path: str, content_type: str) -> bool:
    """Whether a request brings a file; everywhere else a body of parts is refused."""
    return method == "POST" and bool(_PATH.fullmatch(path)) and kind_of(content_type) == MULTIPART


async def read(request: web.BaseRequest) -> tuple[dict[str, Json], Upload | None]:
    """The fields, and the file that follows them."""
    given: dict[str, Json] = {}
    upload = None
    try:
        async for part in _parts(request):
            if part.filename is not None:
                given[part.name or "filename"] = part.filename
                upload = await _measured(part, _hash_of(given))
            else:
                given[part.name or ""] = await _field(part)
    except (ValueError, AssertionError) as error:
        raise NotHttp(501, "unable to parse multipart body") from error
    return given, upload


async def _parts(request: web.BaseRequest) -> AsyncIterator[BodyPartReader]:
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader):
            yield part


async def _field(part: BodyPartReader) -> str:
    text = bytearray()
    while chunk := await part.read_chunk():
        text += chunk
        if len(text) > _LONGEST_FIELD:
            raise NotHttp(501, "for data too large")
    return text.decode(errors="replace")


def _hash_of(given: dict[str, Json]) -> _Hash | None:
    name = str(given.get("checksum-algorithm", ""))
    return hashlib.new(name, usedforsecurity=False) if name in _ALGORITHMS else None


async def _measured(part: BodyPartReader, digest: _Hash | None) -> Upload:
    size = 0
    while chunk := await part.read_chunk(1 << 18):
        size += len(chunk)
        if digest is not None:
            digest.update(chunk)
    return Upload(size, digest.hexdigest() if digest is not None else "")


def parse(content_type: str, body: bytes) -> tuple[dict[str, Json], Upload | None]:
    """The same of a body that is in memory already."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    given: dict[str, Json] = {}
    upload = None
    for part in message.iter_parts():
        name = str(part.get_param("name", "", header="Content-Disposition"))
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        if (filename := part.get_filename()) is None:
            given[name] = data.decode(errors="replace")
            continue
        given[name or "filename"] = filename
        digest = _hash_of(given)
        if digest is not None:
            digest.update(data)
        upload = Upload(len(data), digest.hexdigest() if digest is not None else "")
    return given, upload
