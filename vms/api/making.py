"""`POST /v1/vms`: a machine from a template or an image, as the document writes it, or flat as its clients do."""

from typing import Annotated, Any, Self

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    IPvAnyInterface,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.jobs.gate import decided_at
from vms.api import machines
from vms.api.changes import BackupWish, Tag
from vms.operations.changing import MOST_CORES, MOST_DISK, MOST_MEMORY, MOST_TAGS
from vms.operations.making import Machine, create
from vms.proxmox.values import dns_name, is_public_key
from vms.specs import CloudInit

Cores = Annotated[int, Field(ge=1, le=MOST_CORES)]
Memory = Annotated[int, Field(ge=256, le=MOST_MEMORY)]
Disk = Annotated[int, Field(ge=1, le=MOST_DISK)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$")]
Source = Annotated[str, StringConstraints(max_length=300)]
Word = Annotated[str, StringConstraints(max_length=100)]
_ABBREVIATED = "..."
"""At the end of a key that was written for people to read."""


def _whole(key: str) -> str:
    """A public key, or one that is abbreviated. Raises PydanticCustomError, as of a wrong shape."""
    if not key.endswith(_ABBREVIATED) and not is_public_key(key):
        raise PydanticCustomError("ssh_key_parsing", "this is no public key of OpenSSH, such as ssh-ed25519 AAAA…")
    return key


Key = Annotated[
    str, StringConstraints(min_length=20, max_length=16_000, pattern=r"^[\x20-\x7e]+$"), AfterValidator(_whole)
]
_WIDTH = {4: 24, 6: 64}
"""Of the network of an address that is written without."""
_SDK = {"name": "test-vm", "template": "ubuntu-22.04", "cpu_cores": 2, "memory_mb": 4096}
_DOCUMENTED = {
    "name": "app-server-01", "description": "Application server for microservices", "template": "ubuntu-22.04-secure",
    "environment": "development",
    "configuration": {
        "cpu_cores": 4, "memory_mb": 8192, "storage_gb": 100, "network": {"vlan_id": 100, "static_ip": "192.168.1.102"},
    },
    "security": {"encrypt_disk": True, "enable_firewall": True},
    "tags": ["application", "microservices"],
}  # fmt: skip
_FROM_IMAGE = {
    "name": "from-image", "image": "local:import/debian-12-genericcloud-amd64.qcow2", "environment": "development",
    "configuration": {"cpu_cores": 2, "memory_mb": 2048, "storage_gb": 20}, "security": {"user": "deploy"},
}  # fmt: skip


class Given(BaseModel):
    """A part of the body; what is not known is refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class NetworkWish(Given):
    """Its first card. `static_ip` may be written with the width of its network: `192.168.1.102/24`."""

    vlan_id: Annotated[int, Field(ge=1, le=4094)] | None = None
    static_ip: IPvAnyInterface | None = None
    gateway: IPvAnyAddress | None = None

    def init(self, user: str, keys: tuple[str, ...]) -> CloudInit:
        """What the machine learns about itself."""
        address = self.static_ip
        if address is None:
            return CloudInit(user=user, ssh_keys=keys)
        is_bare = address.network.prefixlen == address.max_prefixlen
        width = _WIDTH[address.version] if is_bare else address.network.prefixlen
        return CloudInit(user=user, ssh_keys=keys, ip=f"{address.ip}/{width}", gateway=str(self.gateway or ""))


class SizeWish(Given):
    """How large it is, and where it is plugged in."""

    cpu_cores: Cores | None = None
    memory_mb: Memory | None = None
    storage_gb: Disk | None = None
    network: NetworkWish = NetworkWish()


class ProtectionWish(Given):
    """How it is protected. `user` is whom cloud-init makes and gives the keys to; without it that of the template."""

    encrypt_disk: bool = False
    enable_firewall: bool = False
    user: Annotated[str, StringConstraints(pattern=r"^([a-z_][a-z0-9_-]{0,31})?$")] = ""
    ssh_keys: Annotated[list[Key], Field(max_length=50)] = Field(default_factory=list)

    def keys(self) -> tuple[str, ...]:
        """Those that are whole."""
        return tuple(key for key in self.ssh_keys if not key.endswith(_ABBREVIATED))


class MachineWish(Given):
    """A machine that is wanted. Sizes stand in `configuration`, or beside the name. It is made from a template (by name, VMID or
    system), or from an image that a storage holds: a disk image of content `import`, which is imported, or an ISO image, which
    is put into the drive. `template` may name an image as well: by its volume (`local:import/debian-12.qcow2`) or its file."""

    name: Name
    template: Source = ""
    image: Source = ""
    cluster: Annotated[str, StringConstraints(max_length=64)] = ""
    description: Annotated[str, Field(max_length=2000)] = ""
    environment: Word = ""
    cpu_cores: Cores | None = None
    memory_mb: Memory | None = None
    storage_gb: Disk | None = None
    configuration: SizeWish = SizeWish()
    security: ProtectionWish = ProtectionWish()
    tags: Annotated[list[Tag], Field(max_length=MOST_TAGS)] = Field(default_factory=list)
    backup: BackupWish | None = None

    @model_validator(mode="after")
    def _once(self) -> Self:
        for name in ("cpu_cores", "memory_mb", "storage_gb"):
            if getattr(self, name) is not None and getattr(self.configuration, name) is not None:
                raise ValueError(f"{name} is given twice, at the top and in configuration")
        if bool(self.template) == bool(self.image):
            raise ValueError("give a template or an image, and one of them only")
        return self

    def machine(self) -> Machine:
        """The same in terms of the domain."""
        sizes, network = self.configuration, self.configuration.network
        return Machine(
            name=dns_name(self.name), template=self.template, image=self.image, cluster=self.cluster,
            environment=self.environment, description=self.description,
            cores=sizes.cpu_cores or self.cpu_cores or 1, memory_mib=sizes.memory_mb or self.memory_mb or 2048,
            disk_gib=sizes.storage_gb or self.storage_gb or 0, vlan=network.vlan_id,
            has_firewall=self.security.enable_firewall, is_encrypted=self.security.encrypt_disk, tags=tuple(self.tags),
            init=network.init(self.security.user, self.security.keys()), backup=self.backup.plan() if self.backup else None,
        )  # fmt: skip

    def notes(self, source: str) -> list[str]:
        """What was asked for and is not done, or otherwise; `source` is the name of the template or the volume of the image."""
        found = []
        is_meant = self.template in {"", source, source.partition("/")[2]} or self.template.isdecimal()
        if not is_meant:
            found.append(f"There is no template {self.template}; {source} is copied.")
        if len(self.security.keys()) < len(self.security.ssh_keys):
            found.append(f"An SSH key that ends with {_ABBREVIATED} is abbreviated and was left out.")
        if self.backup is not None:
            found += self.backup.notes()
        return found


class MachineToBe(BaseModel):
    """A machine that is being made. `notes` says what of the request is not part of the job; `ipr_id` and `ipr_url` name the
    proposal for whose approval it waits, and are null where nobody has to agree."""

    id: str
    name: str
    status: str
    creation_job_id: str
    ipr_id: int | None
    ipr_url: str | None
    notes: list[str]


class Making(BaseModel):
    """What has begun."""

    vm: MachineToBe


class Machines(machines.Machines):
    """The machines of the caller's organization: listed, and made."""

    scopes = {**machines.Machines.scopes, "POST": "vm:write"}

    @extend_schema(
        operation_id="vms_create", request=MachineWish, responses={201: Making}, tags=["vms"],
        examples=[
            OpenApiExample("As documented", request_only=True, value=_DOCUMENTED),
            OpenApiExample("As the clients write it", request_only=True, value=_SDK),
            OpenApiExample("From an image", request_only=True, value=_FROM_IMAGE),
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Make a machine from a template or an image. Its id works at once; the job ends with the machine running."""
        wish = read_body(MachineWish, request)
        guest, job = create(wish.machine(), by=actor_of(request))
        vm: dict[str, Any] = {
            "id": job.params["vm"], "name": guest.name, "status": job.params["status"],
            "creation_job_id": job.public_id, **decided_at(job.params), "notes": wish.notes(job.params["template"]),
        }  # fmt: skip
        return Response({"vm": vm}, status=201, headers={"Location": f"/v1/vms/{vm['id']}"})
