"""What a resource consists of: every key that specs may have, once."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    PrivateAttr,
    model_serializer,
    model_validator,
)

from blueprints.schema import spec_keys
from blueprints.schema.spec_values import (
    Addresses,
    Cores,
    Count,
    Disk,
    FreeForm,
    Host,
    Hosts,
    Mac,
    Memory,
    Ports,
    Slug,
    SshKeys,
    Subnet,
    Swap,
    Tags,
    Texts,
    UnixName,
    Vlan,
    Word,
    Words,
)

Schedule = Literal["hourly", "daily", "weekly", "monthly"]


class Strict(BaseModel):
    """Types are not guessed and keys not ignored."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _sized(value: object) -> object:
    return {"size": value} if isinstance(value, str) else value


def _named(value: object) -> object:
    """A network may be just a name; its keys have the spellings of specs, and "tag" is Proxmox for a VLAN."""
    if isinstance(value, dict):
        given = {"vlan" if key == "tag" else key: part for key, part in value.items()}
        return {key: given[own] for key, own in spec_keys.written_keys(given).items()}
    return {"name": value} if isinstance(value, str) else value


def _scheduled(value: object) -> object:
    if isinstance(value, bool):
        return {"enabled": value}
    return {"schedule": value} if isinstance(value, str) else value


def _gpus(value: object) -> object:
    """true, a number, or the name of a model."""
    if isinstance(value, bool):
        return {"count": 1} if value else None
    if isinstance(value, int):
        return {"count": value}
    return {"model": value} if isinstance(value, str) else value


def _texted(value: object) -> object:
    """A version may be written as a number."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _grouped(value: object) -> object:
    return {True: "same-role", False: ""}.get(value, value) if isinstance(value, bool) else value


Version = Annotated[Word, BeforeValidator(_texted, json_schema_input_type=str | int | float)]


class Volume(Strict):
    """A further disk."""

    size: Disk
    name: Slug | None = None
    storage: Slug | None = None
    type: Slug | None = None
    mount: Word | None = None


class Nic(Strict):
    """A network card and what it is plugged into."""

    name: Slug | None = None
    bridge: Slug | None = None
    vlan: Vlan | None = None
    ip: Addresses | None = None
    subnet: Subnet | None = None
    gateway: Host | None = None
    dns: Hosts | None = None
    mac: Mac | None = None
    mtu: Annotated[int, Field(ge=576, le=65520)] | None = None
    firewall: bool | None = None


class BackupPolicy(Strict):
    """When to back up and how long to keep it."""

    enabled: bool = True
    schedule: Word | None = None
    retention_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    storage: Slug | None = None
    mode: Literal["snapshot", "suspend", "stop"] | None = None


class Gpu(Strict):
    """Devices passed through."""

    count: Annotated[int, Field(ge=1, le=16)] = 1
    model: Word | None = None
    memory: Memory | None = None


class ComputeSpecs(Strict):
    """How large, how many, where."""

    cpu: Cores | None = None
    sockets: Annotated[int, Field(ge=1, le=4)] | None = None
    cpu_type: Slug | None = None
    memory: Memory | None = None
    min_memory: Memory | None = None
    swap: Swap | None = None
    disk: Disk | None = None
    data_disk: Disk | None = None
    disks: (
        Annotated[
            list[Annotated[Volume, BeforeValidator(_sized, json_schema_input_type=str | Volume)]], Field(max_length=16)
        ]
        | None
    ) = None
    disk_type: Slug | None = None
    mount: Word | None = None
    storage_pool: Slug | None = None
    gpu: Annotated[Gpu | None, BeforeValidator(_gpus, json_schema_input_type=bool | int | str | Gpu)] = None
    count: Count | None = None
    control_planes: Count | None = None
    workers: Count | None = None
    node: Slug | None = None
    pool: Slug | None = None
    kind: Literal["vm", "lxc", "qemu", "container"] | None = None
    start: bool | None = None
    protected: bool | None = None
    unprivileged: bool | None = None
    nesting: bool | None = None


class SystemSpecs(Strict):
    """What runs on it."""

    os: Word | None = None
    os_version: Version | None = None
    image: Word | None = None
    template: Annotated[Word, BeforeValidator(_texted, json_schema_input_type=str | int | float)] | None = None
    hostname: Slug | None = None
    timezone: Word | None = None
    user: UnixName | None = None
    ssh_keys: SshKeys | None = None
    packages: Words | None = None
    role: Word | None = None
    software: Words | None = None
    services: Words | None = None
    engine: Word | None = None
    version: Version | None = None
    env: Texts | None = None
    config: FreeForm | None = None
    database: Word | None = None
    members: Words | None = None
    algorithm: Slug | None = None
    health_check: JsonValue = None
    tls: bool | None = None
    url: Word | None = None
    domain: Word | None = None


class NetworkSpecs(Strict):
    """What it is connected to."""

    network: Annotated[Nic, BeforeValidator(_named, json_schema_input_type=str | Nic)] | None = None
    networks: (
        Annotated[list[Annotated[Nic, BeforeValidator(_named, json_schema_input_type=str | Nic)]], Field(max_length=8)]
        | None
    ) = None
    bridge: Slug | None = None
    vlan: Vlan | None = None
    ip: Addresses | None = None
    dhcp: bool | None = None
    gateway: Host | None = None
    subnet: Subnet | None = None
    dns: Hosts | None = None
    search_domain: Word | None = None
    mac: Mac | None = None
    mtu: Annotated[int, Field(ge=576, le=65520)] | None = None
    ports: Ports | None = None
    virtual_ip: Addresses | None = None
    public_ip: bool | None = None
    firewall: bool | None = None
    rules: Annotated[list[JsonValue], Field(max_length=200)] | None = None


class PolicySpecs(Strict):
    """What holds for it."""

    environment: Word | None = None
    region: Word | None = None
    zone: Word | None = None
    owner: Word | None = None
    tags: Tags | None = None
    labels: Texts | None = None
    ha: bool | None = None
    anti_affinity: Annotated[str, BeforeValidator(_grouped, json_schema_input_type=bool | str)] | None = None
    backup: (
        Annotated[BackupPolicy, BeforeValidator(_scheduled, json_schema_input_type=bool | str | BackupPolicy)] | None
    ) = None
    schedule: Word | None = None
    retention_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    monitoring: bool | None = None


def _with_spellings(schema: dict[str, Any]) -> None:
    """Show the usual spellings of keys beside their own names."""
    properties = schema["properties"]
    for spelling in spec_keys.SHOWN:
        key = spec_keys.ALIASES[spelling]
        properties[spelling] = {**properties[key], "title": f"Another spelling of {key}"}


class Specs(ComputeSpecs, SystemSpecs, NetworkSpecs, PolicySpecs):
    """The specs of a resource. Typed attributes hold the meaning; `given` holds what was written."""

    model_config = ConfigDict(json_schema_extra=_with_spellings)

    _given: dict[str, Any] = PrivateAttr(default_factory=dict)
    _written: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def read_any_spelling(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Accept every usual spelling of a key and remember which one it was."""
        if not isinstance(value, dict):
            return handler(value)
        written = spec_keys.written_keys(value)
        specs = handler({key: spec_keys.canonical_value(own, value[own]) for key, own in written.items()})
        specs._given.update(value)
        specs._written.update(written)
        return specs

    @model_serializer(mode="plain")
    def given(self) -> dict[str, Any]:
        """The specs as they were written."""
        return dict(self._given)

    @property
    def written(self) -> dict[str, str]:
        """Canonical keys, and the spelling of each that was written."""
        return self._written

    def key_for(self, name: str) -> str:
        """The key under which the document says this, for causes: "specs.ram"."""
        return f"specs.{self._written.get(name, name)}"

    @classmethod
    def known_keys(cls) -> set[str]:
        return set(cls.model_fields)
