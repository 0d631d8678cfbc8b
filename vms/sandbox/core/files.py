"""Files that are brought to a storage: ISO images, container templates and disk images to import."""

import hashlib
import re

from vms.sandbox.core import permissions, tasks, volumes
from vms.sandbox.core.errors import TaskError, die, invalid, refused
from vms.sandbox.core.model import Json, Storage, Task, Volume
from vms.sandbox.core.routing import Call
from vms.sandbox.core.sizes import MIB
from vms.sandbox.core.world import World

_EXTENSIONS = {
    "iso": r".+\.(?:iso|img)", "vztmpl": r".+\.tar\.(?:gz|xz|zst|bz2)", "import": r".+\.(?:ova|qcow2|raw|vmdk)",
}  # fmt: skip
_FORMATS = {".tar.gz": "tgz", ".tar.xz": "txz", ".tar.zst": "tzst", ".tar.bz2": "tbz2"}
_SYSTEMS = {
    r"debian-?11|bullseye": "debian-11", r"debian-?12|bookworm": "debian-12", r"debian-?13|trixie": "debian-13",
    r"ubuntu-?22|jammy": "ubuntu-22.04", r"ubuntu-?24|noble": "ubuntu-24.04", "rocky-?9": "rocky-9",
    r"rocky-?10": "rocky-10", r"alma(?:linux)?-?9": "almalinux-9", r"alpine-?(?:virt-)?3\.\d+": "alpine-3.22",
    r"fedora": "fedora-42", r"windows|win": "win2019",
}  # fmt: skip
_DIGEST_SIZES = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
_BYTES_PER_SECOND = 110 * MIB


def system_in(name: str) -> str:
    """The operating system that a file of this name holds, as far as the name tells."""
    lowered = name.lower()
    return next((system for pattern, system in _SYSTEMS.items() if re.search(pattern, lowered)), "")


def _normal_name(name: str) -> str:
    return re.sub(r"[^-a-zA-Z0-9_.]", "_", re.split(r"[/\\]", name)[-1].strip())


def _destination(call: Call, verb: str) -> tuple[Storage, str]:
    """The storage and the volume name of the file, or what is wrong with them."""
    storage = call.world.usable_storage(call.string("storage"), call.node)
    content, name = call.string("content"), _normal_name(call.string("filename"))
    if storage.type in volumes.BLOCK_TYPES:
        raise die(f"can't {verb} to storage type '{storage.type}'")
    if content not in storage.content:
        raise die(f"storage '{storage.name}' is not configured for content-type '{content}'")
    if not re.fullmatch(_EXTENSIONS[content], name):
        raise invalid(filename="wrong file extension")
    return storage, f"{content}/{name}"


def upload(call: Call) -> str:
    """The worker that takes an uploaded file to its place."""
    if call.upload is None:
        raise invalid(filename="property is missing and it is not optional")
    storage, name = _destination(call, "upload")
    args = _args(call, storage, name) | {"size": call.upload.size, "got": call.upload.digest}
    seconds = 0.2 + call.upload.size / _BYTES_PER_SECOND
    return tasks.fork(call.world, call.identity, tasks.Work("imgcopy", call.node, "", seconds, args=args))


def _args(call: Call, storage: Storage, name: str) -> dict[str, Json]:
    return {
        "storage": storage.name, "name": name, "content": call.string("content"),
        "checksum": call.string("checksum").lower(), "algorithm": call.string("checksum-algorithm"),
    }  # fmt: skip


def download(call: Call) -> str:
    """The worker that fetches a file. No byte leaves this machine: the file is as large as its address decides."""
    identity, world = call.identity, call.world
    is_allowed = permissions.may(world, identity, f"/nodes/{call.node}", "Sys.AccessNetwork") or (
        permissions.may(world, identity, "/", "Sys.Audit") and permissions.may(world, identity, "/", "Sys.Modify")
    )
    if not is_allowed:
        raise refused()
    call.refuse("compression")
    storage, name = _destination(call, "download")
    size = size_behind(call.string("url"))
    args = _args(call, storage, name) | {"size": size, "url": call.string("url")}
    work = tasks.Work(
        "download", call.node, name.partition("/")[2], 0.5 + size / _BYTES_PER_SECOND, args=args,
        progress=(f"downloading {call.string('url')} to {_path(storage, name)}",),
    )  # fmt: skip
    return tasks.fork(world, identity, work)


def size_behind(url: str) -> int:
    """Between 64 and 768 MiB, always the same for an address."""
    number = int.from_bytes(hashlib.blake2b(url.encode(), digest_size=4).digest())
    return (64 + number % 705) * MIB


def _path(storage: Storage, name: str) -> str:
    content, _, file = name.partition("/")
    folder = {"iso": "template/iso", "vztmpl": "template/cache"}.get(content, content)
    return f"{storage.settings.get('path', f'/mnt/pve/{storage.name}')}/{folder}/{file}"


@tasks.effect("imgcopy", "download")
def finish(world: World, task: Task) -> None:
    args, storage = task.args, world.usable_storage(task.args["storage"], task.node)
    old = volumes.find(world, f"{storage.name}:{args['name']}", task.node)
    if old is not None and task.type == "download":
        raise TaskError(f"refusing to override existing file '{_path(storage, args['name'])}'")
    _verify(task)
    volumes.require_room(world, storage, task.node, args["size"] - (old.used if old else 0), args["name"])
    world.state.volumes.put(_file(world, storage, task))
    if task.type == "imgcopy":
        tasks.say(task, f"target node: {task.node}")
        tasks.say(task, f"target file: {_path(storage, args['name'])}")
        tasks.say(task, f"file size is: {args['size']}")
        tasks.say(task, "finished file import successfully")
    else:
        tasks.say(task, f"download of '{args['url']}' to '{_path(storage, args['name'])}' finished")


def _verify(task: Task) -> None:
    """Compare an upload's real hash; of a download only whether the expected one can be a hash at all."""
    expected, algorithm = task.args["checksum"], task.args["algorithm"]
    if not expected:
        return
    is_hash = bool(re.fullmatch(f"[0-9a-f]{{{_DIGEST_SIZES[algorithm]}}}", expected))
    got = task.args.get("got", expected if is_hash else "0" * _DIGEST_SIZES[algorithm])
    if got != expected:
        raise TaskError(f"checksum mismatch: got '{got}' != expect '{expected}'")
    tasks.say(task, "calculating checksum...OK, checksum verified")


def _file(world: World, storage: Storage, task: Task) -> Volume:
    args = task.args
    extension = next((form for end, form in _FORMATS.items() if args["name"].endswith(end)), "")
    format = extension or ("iso" if args["content"] == "iso" else args["name"].rpartition(".")[2])
    place = "" if storage.is_shared else task.node
    return Volume(
        storage.name, place, args["name"], args["content"], format, args["size"], args["size"], int(world.now()),
        system=system_in(args["name"]),
    )  # fmt: skip
