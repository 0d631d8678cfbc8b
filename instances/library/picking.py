"""Which files of a repository make the model that somebody asked for."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from instances.library import places
from instances.library.hub import Denied, Entry
from instances.models import Download

PREFERRED = ("Q4_K_M", "Q4_0")
"""What is taken when nobody says which quantisation, as llama.cpp does it."""
_SPLIT = re.compile(r"-\d{5}-of-\d{5}\.gguf\Z")
_SHOWN = 8
_WEIGHTS = ".safetensors"


def picked(entries: Sequence[Entry], wish: Download) -> list[Entry]:
    """The files, the first one first. Raises Denied when there are none, Unsafe for a name that cannot be one here."""
    if wish.format == Download.Format.SAFETENSORS:
        found = _of_folder(entries)
    else:
        found = _of_files([entry for entry in entries if entry.name.endswith(".gguf")], wish)
    for entry in found:
        places.checked_name(entry.name)
        if not entry.sha256 and not entry.blob:
            raise Denied("HUB_UNREADABLE", f"The endpoint says no checksum of {entry.name}.")
    return found


def _of_files(entries: Sequence[Entry], wish: Download) -> list[Entry]:
    models = sorted((one for one in entries if not _is_companion(one.name)), key=lambda one: one.name)
    first = next((one for one in _candidates(models, wish)), None)
    if first is None:
        raise Denied("HUB_NOT_FOUND", _nothing(models, wish))
    stem = _stem(first.name)
    return [one for one in models if _stem(one.name) == stem]


def _candidates(models: Sequence[Entry], wish: Download) -> Sequence[Entry]:
    if wish.file:
        return [one for one in models if one.name == wish.file]
    if wish.tag:
        return [one for one in models if has_tag(one.name, wish.tag)]
    preferred = (one for tag in PREFERRED for one in models if has_tag(one.name, tag))
    return [*preferred, *models]


def has_tag(name: str, tag: str) -> bool:
    """Whether a file is called after a quantisation: `q4_0` is in `tiny-Q4_0.gguf` and not in `tiny-Q4_0_4_4.gguf`."""
    return bool(re.search(rf"(?<![A-Z0-9]){re.escape(tag.upper())}(?![A-Z0-9_])", _stem(name).upper()))


def _nothing(models: Sequence[Entry], wish: Download) -> str:
    what = wish.file or (f"GGUF file of {wish.tag}" if wish.tag else "GGUF file")
    names = [one.name for one in models[:_SHOWN]]
    return f"{wish.repo} has no {what}" + (f"; it has {', '.join(names)}." if names else ".")


def _of_folder(entries: Sequence[Entry]) -> list[Entry]:
    """What lies at the top: weights, configuration, tokenizer."""
    top = [one for one in entries if "/" not in one.name and not one.name.startswith(".")]
    found = [one for one in top if PurePosixPath(one.name).suffix in places.SUFFIXES - {".gguf"}]
    if not any(one.name.endswith(_WEIGHTS) for one in found):
        raise Denied("HUB_NOT_FOUND", "The repository has no safetensors.")
    return found


def _stem(name: str) -> str:
    return _SPLIT.sub("", name).removesuffix(".gguf")


def _is_companion(name: str) -> bool:
    """Files for seeing and hearing, and matrices of importance, are no models."""
    base = PurePosixPath(name).name.lower()
    return base.startswith("mmproj") or "imatrix" in base
