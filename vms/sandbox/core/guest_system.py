"""The inside of a virtual machine as far as its guest agent shows it: files, and a few programs that it can run."""

import base64
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from vms.sandbox.core import agent, cloudinit, drives
from vms.sandbox.core.errors import die
from vms.sandbox.core.model import Guest, Json
from vms.sandbox.core.world import World

_KEPT = 50
_FIRST_PID = 1200


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program left."""

    code: int = 0
    out: str = ""
    err: str = ""


Program = Callable[[World, Guest, list[str], str], Ended]


def _echo(world: World, guest: Guest, words: list[str], given: str) -> Ended:
    ending = "" if words[:1] == ["-n"] else "\n"
    return Ended(out=" ".join(words[1:] if not ending else words) + ending)


def _cat(world: World, guest: Guest, words: list[str], given: str) -> Ended:
    if not words:
        return Ended(out=given)
    found = [read(world, guest, path) for path in words]
    lost = [path for path, content in zip(words, found, strict=True) if content is None]
    errors = "".join(f"cat: {path}: No such file or directory\n" for path in lost)
    return Ended(int(bool(lost)), b"".join(one for one in found if one).decode(errors="replace"), errors)


def _uname(world: World, guest: Guest, words: list[str], given: str) -> Ended:
    info = agent.os_info(world, guest)
    if "-a" in words:
        return Ended(out=f"Linux {guest.name} {info['kernel-release']} {info['kernel-version']} x86_64 GNU/Linux\n")
    return Ended(out=f"{info['kernel-release'] if '-r' in words else 'Linux'}\n")


def _shell(world: World, guest: Guest, words: list[str], given: str) -> Ended:
    """`sh -c` with one plain command, or several joined by `&&`; nothing more of a shell is there."""
    text = words[1] if words[:1] == ["-c"] and len(words) > 1 else given
    out = ""
    for part in text.split("&&"):
        ended = run(world, guest, shlex.split(part), "")
        out += ended.out
        if ended.code:
            return Ended(ended.code, out, ended.err)
    return Ended(out=out)


_PROGRAMS: dict[str, Program] = {
    "echo": _echo,
    "cat": _cat,
    "uname": _uname,
    "sh": _shell,
    "bash": _shell,
    "true": lambda world, guest, words, given: Ended(),
    "false": lambda world, guest, words, given: Ended(1),
    "hostname": lambda world, guest, words, given: Ended(out=f"{guest.name}\n"),
    "whoami": lambda world, guest, words, given: Ended(out="root\n"),
    "id": lambda world, guest, words, given: Ended(out="uid=0(root) gid=0(root) groups=0(root)\n"),
    "date": lambda world, guest, words, given: Ended(
        out=f"{datetime.fromtimestamp(world.now(), UTC):%a %b %d %H:%M:%S UTC %Y}\n"
    ),
}


def run(world: World, guest: Guest, words: list[str], given: str) -> Ended:
    """Run a program by name or path; one that is not there does not start."""
    name = words[0].rpartition("/")[2] if words else ""
    program = _PROGRAMS.get(name)
    if program is None:
        raise die(
            "Agent error: Guest agent command failed, error was 'Failed to execute child process "
            f'"{name}" (No such file or directory)\''
        )
    return program(world, guest, words[1:], given)


def execute(world: World, guest: Guest, words: list[str], given: str) -> int:
    """Start a program; its process id."""
    ended = run(world, guest, words, given)
    memory = world.state.guests.edit(guest).agent_memory
    pid = int(memory.get("pid", _FIRST_PID)) + 1
    processes = {**memory.get("processes", {}), str(pid): [ended.code, ended.out, ended.err]}
    guest.agent_memory = memory | {"pid": pid, "processes": dict(list(processes.items())[-_KEPT:])}
    return pid


def status(world: World, guest: Guest, pid: int) -> dict[str, Json]:
    """How a program ended; told once, as the agent forgets it then."""
    processes = dict(guest.agent_memory.get("processes", {}))
    ended = processes.pop(str(pid), None)
    if ended is None:
        raise die(f"Agent error: PID {pid} does not exist")
    world.state.guests.edit(guest).agent_memory["processes"] = processes
    code, out, err = ended
    told: dict[str, Json] = {"exited": 1, "exitcode": code}
    return told | ({"out-data": out} if out else {}) | ({"err-data": err} if err else {})


def read(world: World, guest: Guest, path: str) -> bytes | None:
    """The content of a file, None when there is none."""
    written = guest.agent_memory.get("files", {}).get(path)
    if written is not None:
        return base64.b64decode(written)
    info = agent.os_info(world, guest)
    known = {
        "/etc/hostname": f"{guest.name}\n",
        "/etc/machine-id": f"{guest.vmid:032x}\n",
        "/etc/os-release": f'PRETTY_NAME="{info["pretty-name"]}"\nID={info["id"]}\nVERSION_ID="{info["version-id"]}"\n',
    }
    return known[path].encode() if path in known else None


def write(world: World, guest: Guest, path: str, content: bytes) -> None:
    files = {**guest.agent_memory.get("files", {}), path: base64.b64encode(content).decode()}
    world.state.guests.edit(guest).agent_memory["files"] = dict(list(files.items())[-_KEPT:])


def users(guest: Guest) -> set[str]:
    """The accounts of the system: root, and the one that cloud-init made."""
    return {"root", str(cloudinit.told(guest).get("ciuser", "root"))}


def is_frozen(guest: Guest) -> bool:
    return bool(guest.agent_memory.get("frozen"))


def freeze(world: World, guest: Guest, *, is_on: bool) -> int:
    """Freeze or thaw all file systems; how many."""
    world.state.guests.edit(guest).agent_memory["frozen"] = is_on
    return len(drives.attached(world, guest)) and 1
