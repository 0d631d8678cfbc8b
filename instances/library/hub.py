"""The only code that speaks to a Hugging Face compatible endpoint."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from django.conf import settings

from alma import outbound
from alma.errors import DomainError
from alma.outbound import Incoming, Unreached

LARGEST = 4 * 1024 * 1024
MOST_PAGES, MOST_REDIRECTS = 20, 5
_SHA256, _SHA1 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


class Silent(Exception):
    """No clear answer: worth asking again."""


class Denied(Exception):
    """A clear answer, and it is no. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Entry:
    """A file of a repository. Large ones are known by their SHA-256, others by git's SHA-1 of a blob."""

    name: str
    size: int
    sha256: str = ""
    blob: str = ""


def commit_of(repo: str, revision: str, token: str) -> str:
    """The commit that a revision means now. Raises Silent, Denied."""
    found = _json(f"/api/models/{repo}/revision/{quote(revision, safe='')}", token)
    commit = found.get("sha") if isinstance(found, dict) else None
    if not isinstance(commit, str) or not _SHA1.fullmatch(commit):
        raise Denied("HUB_UNREADABLE", f"The endpoint does not say which commit {revision} of {repo} is.")
    return commit


def files_of(repo: str, commit: str, token: str) -> list[Entry]:
    """All files of a commit. Raises Silent, Denied."""
    url, found = f"/api/models/{repo}/tree/{commit}?recursive=true", list[Entry]()
    for _ in range(MOST_PAGES):
        rows, url = _page(url, token)
        found += [_entry(row) for row in rows if isinstance(row, dict) and row.get("type") == "file"]
        if not url:
            return found
    raise Denied("HUB_UNREADABLE", f"{repo} has more files than any model.")


@contextmanager
def opened(repo: str, commit: str, entry: Entry, *, start: int, token: str) -> Iterator[Incoming]:
    """The bytes of a file from `start` on, wherever redirects lead. The token goes to the endpoint's own host alone.
    Raises Silent, Denied."""
    url = _endpoint() + f"/{repo}/resolve/{commit}/{quote(entry.name)}"
    headers = {"Range": f"bytes={start}-"} if start else {}
    for _ in range(MOST_REDIRECTS):
        with _got(url, {**headers, **_known(url, token)}) as answer:
            if answer.status not in _REDIRECTS:
                _check(answer.status, entry.name)
                yield answer
                return
            url = urljoin(url, answer.headers.get("location", ""))
    raise Denied("HUB_REDIRECTS", f"{entry.name} leads from one address to the next.")


@contextmanager
def _got(url: str, headers: Mapping[str, str]) -> Iterator[Incoming]:
    try:
        with outbound.get(url, {"User-Agent": f"alma/{settings.ALMA_VERSION}", **headers}) as answer:
            yield answer
    except Unreached as error:
        raise Silent(error.message) from error
    except DomainError as error:
        raise Denied("ADDRESS_REFUSED", f"{urlsplit(url).hostname}: {error.message}") from error


def _endpoint() -> str:
    return str(settings.ALMA_HF_ENDPOINT).rstrip("/")


def _known(url: str, token: str) -> dict[str, str]:
    ours, theirs = urlsplit(_endpoint()), urlsplit(url)
    is_ours = (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
    return {"Authorization": f"Bearer {token}"} if token and is_ours else {}


def _check(status: int, what: str) -> None:
    if status in {200, 206}:
        return
    if status in _RETRIED:
        raise Silent(f"The endpoint answers {status}.")
    if status in {401, 403}:
        raise Denied(
            "HUB_REFUSED", f"The endpoint does not give {what} to us; it may need a token, or one with more rights."
        )
    if status == 404:
        raise Denied("HUB_NOT_FOUND", f"The endpoint has no {what}.")
    raise Denied("HUB_UNREADABLE", f"The endpoint answers {status} for {what}.")


def _page(url: str, token: str) -> tuple[list[Any], str]:
    with _got(urljoin(_endpoint(), url), _known(urljoin(_endpoint(), url), token)) as answer:
        _check(answer.status, "such repository or revision")
        found = _read(answer)
        match = _NEXT.search(answer.headers.get("link", ""))
    if not isinstance(found, list):
        raise Denied("HUB_UNREADABLE", "The endpoint lists no files.")
    return found, match[1] if match else ""


def _json(path: str, token: str) -> Any:
    with _got(_endpoint() + path, _known(_endpoint(), token)) as answer:
        _check(answer.status, "such repository or revision")
        return _read(answer)


def _read(answer: Incoming) -> Any:
    try:
        return json.loads(answer.whole(LARGEST))
    except (ValueError, RecursionError) as error:
        raise Denied(
            "HUB_UNREADABLE", "The endpoint answers with something that is not JSON, or too much of it."
        ) from error


def _entry(row: Mapping[str, Any]) -> Entry:
    large = row.get("lfs")
    size, name = row.get("size"), row.get("path")
    sha256 = large.get("oid") if isinstance(large, dict) else None
    size = large.get("size", size) if isinstance(large, dict) else size
    if not isinstance(name, str) or not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise Denied("HUB_UNREADABLE", "The endpoint lists a file without a name or a size.")
    return Entry(name, size, _fitting(_SHA256, sha256), "" if sha256 else _fitting(_SHA1, row.get("oid")))


def _fitting(form: re.Pattern[str], value: object) -> str:
    text = value.removeprefix("sha256:") if isinstance(value, str) else ""
    return text if form.fullmatch(text) else ""
