"""The bodies of `/api/system` and of both configurations."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

Port = Annotated[int, Field(ge=1024, le=32_767)]


class InstanceCounts(BaseModel):
    """The caller's instances. Those that are neither `running` nor `stopped` change, have failed or do not answer."""

    total: int
    running: int
    stopped: int


class ResourceUse(BaseModel):
    """Per cent of all cores, bytes, bytes, per cent of the disk of ALMA's data."""

    cpu_usage: float
    memory_usage: int
    memory_total: int
    disk_usage: float


class SystemStatus(BaseModel):
    """How the machine is now; `uptime` in seconds, of the process that answers."""

    version: str
    uptime: int
    instances: InstanceCounts
    resources: ResourceUse


class SystemInfo(BaseModel):
    """What the machine is. `build_time` is that of the commit, null where ALMA does not run from a clone."""

    hostname: str
    os: str
    arch: str
    cpu_count: int
    memory_total: int
    version: str
    build_time: datetime | None


class InstanceLimits(BaseModel):
    """What can be changed over the API."""

    model_config = ConfigDict(extra="forbid", strict=True)

    max_instances: int | None = Field(default=None, ge=1, le=10_000)
    max_running_instances: int | None = Field(default=None, ge=1, le=10_000)
    on_demand_start_timeout: int | None = Field(default=None, ge=5, le=86_400, description="Seconds")
    port_range: list[Port] | None = Field(default=None, min_length=2, max_length=2)

    @model_validator(mode="after")
    def check_ports(self) -> "InstanceLimits":
        """The first is not greater than the last."""
        if self.port_range and self.port_range[0] > self.port_range[1]:
            raise ValueError("port_range must not end before it begins")
        return self


class ConfigWish(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    instances: InstanceLimits


class ServerShown(BaseModel):
    """Where ALMA listens."""

    host: str
    port: int
    allowed_origins: list[str]
    enable_swagger: bool


class BackendShown(BaseModel):
    """The program of a backend; empty where none is set up."""

    command: str


class ConfigShown(BaseModel):
    """The configuration at work, without anything secret."""

    version: str
    commit_hash: str
    build_time: str
    data_dir: str
    local_node: str
    server: ServerShown
    backends: dict[str, BackendShown]
    instances: dict[str, JsonValue]
    auth: dict[str, bool]


class OldConfigShown(ConfigShown):
    """Beside it what was changed and waits for a restart."""

    pending: dict[str, JsonValue]


class ConfigChanged(BaseModel):
    """A change that was kept."""

    message: str
    restart_required: bool
    config: OldConfigShown
