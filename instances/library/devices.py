"""Graphics cards of this machine, as the program of their maker tells."""

import shutil
import subprocess
import time
from dataclasses import dataclass
from functools import lru_cache

_SECONDS, _KEPT = 5.0, 10
_QUESTION = ["--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"]
_MIB = 1024**2


@dataclass(frozen=True)
class Device:
    """A graphics card; bytes."""

    name: str
    total: int
    free: int


def devices() -> tuple[Device, ...]:
    """Those of NVIDIA; none without their program. Asked every ten seconds at most."""
    program = shutil.which("nvidia-smi")
    return _asked(program, int(time.monotonic() // _KEPT)) if program else ()


@lru_cache(maxsize=1)
def _asked(program: str, moment: int) -> tuple[Device, ...]:
    try:
        done = subprocess.run([program, *_QUESTION], capture_output=True, timeout=_SECONDS, check=True, text=True)
        rows = [[part.strip() for part in line.rsplit(",", 2)] for line in done.stdout.splitlines() if line.strip()]
        return tuple(Device(name, int(total) * _MIB, int(free) * _MIB) for name, total, free in rows)
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()
