"""The machine that instances run on: what it is, and what of it is in use now."""

import platform
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
_MEASURED = 0.1
_GROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Resources:
    """Per cent of all cores, bytes, bytes, and per cent of the disk of the data directory."""

    cpu_usage: float
    memory_usage: int
    memory_total: int
    disk_usage: float


def resources() -> Resources:
    """What is in use now; the processor over a tenth of a second."""
    memory = memory_bytes()
    disk = shutil.disk_usage(existing(settings.ALMA_DATA_DIR))
    return Resources(
        psutil.cpu_percent(interval=_MEASURED), memory.total - memory.free, memory.total,
        round(100 * disk.used / (disk.used + disk.free), 1),
    )  # fmt: skip


@dataclass(frozen=True)
class Memory:
    """Bytes: all there is, and what programs can still have of it."""

    total: int
    free: int


def memory_bytes() -> Memory:
    """Of this machine, or of the container that ALMA runs in where that has less."""
    known = psutil.virtual_memory()
    limit, used = _of_group("memory.max"), _of_group("memory.current")
    if limit is None or used is None or limit >= known.total:
        return Memory(known.total, known.available)
    return Memory(limit, min(known.available, max(0, limit - used)))


def _of_group(name: str) -> int | None:
    try:
        return int((_GROUP / name).read_text())
    except (OSError, ValueError):  # no such group, or «max»
        return None


def existing(path: Path) -> Path:
    """The path, or the nearest one above it that is there."""
    return next(one for one in (path, *path.parents) if one.exists())


def hostname() -> str:
    """Its name in its network."""
    return socket.gethostname()


def system() -> str:
    """Like `linux`."""
    return platform.system().lower()


def architecture() -> str:
    """Like `amd64`, as the documents write it."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def uptime_seconds() -> int:
    """Since this process of ALMA began."""
    return int(time.time() - psutil.Process().create_time())


def cpu_count() -> int:
    """Cores as programs see them."""
    return psutil.cpu_count() or 1
