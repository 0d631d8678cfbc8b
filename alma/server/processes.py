"""Processes of this machine: ending with one's parent, and finding those that an earlier supervisor left behind."""

import ctypes
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from alma import env

PR_SET_PDEATHSIG = 1
MARKER = "ALMA_SUPERVISED_DATA_DIR"
SUPERVISOR = "ALMA_SUPERVISOR_PID"

_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(signum: int = signal.SIGKILL) -> None:
    """Have the kernel send us a signal when the thread that made us ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)


def end_with_supervisor() -> None:
    """For a role: end with the supervisor that started it, even if that has ended already. Alone it lives on."""
    supervisor = env.number(SUPERVISOR, 0)
    if not supervisor:
        return
    end_with_parent()
    if os.getppid() != supervisor:
        raise SystemExit("The supervisor of this process has ended.")
    os.register_at_fork(after_in_child=end_with_parent)


def supervisor_identity() -> str:
    """Names the supervisor of this process as no other one, of whatever start, is named; empty without one."""
    supervisor = env.number(SUPERVISOR, 0)
    return f"{supervisor}@{psutil.Process(supervisor).create_time()}" if supervisor else ""


def marked(environment: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """An environment by which a role of this data directory is known again."""
    return {**environment, MARKER: str(data_dir), SUPERVISOR: str(os.getpid())}


def survivors(data_dir: Path) -> Iterator[int]:
    """Processes that a supervisor of this data directory started and that are still there."""
    wanted = f"{MARKER}={data_dir}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and wanted in _environment(entry):
            yield int(entry.name)


def kill_descendants() -> None:
    """End all processes that this one has made, and those that they have made."""
    for process in psutil.Process().children(recursive=True):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:  # gone meanwhile, or not ours
        return []


def kill_survivors(data_dir: Path) -> int:
    """End what an earlier supervisor left behind; how many that were."""
    count = 0
    for pid in survivors(data_dir):
        try:
            os.kill(pid, signal.SIGKILL)
            count += 1
        except ProcessLookupError:
            continue
    return count
