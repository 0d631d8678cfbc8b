"""The bodies of `/api/instances`, as llamactl-old-api.txt writes them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class OldWish(BaseModel):
    """An instance to be."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(max_length=50)
    model_path: str = Field(max_length=500)
    port: int | None = Field(default=None, ge=1, le=65535)
    options: dict[str, JsonValue] = Field(default_factory=dict)


class OldChange(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model_path: str | None = Field(default=None, max_length=500)
    options: dict[str, JsonValue] = Field(default_factory=dict)


class StopHow(BaseModel):
    """How to stop: by force at once, or when so many seconds have passed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    force: bool = False
    timeout: int | None = Field(default=None, ge=0, le=3600)


class OldRow(BaseModel):
    """An instance in a list."""

    name: str
    status: str
    model_path: str
    port: int
    created_at: datetime
    updated_at: datetime


class OldStats(BaseModel):
    """What its processes take: bytes, per cent of one core, seconds. Null while that is not known."""

    memory_usage: int | None
    cpu_usage: float | None
    uptime: int | None


class OldDetail(OldRow):
    """An instance with all that is known of it."""

    pid: int | None
    options: dict[str, JsonValue]
    stats: OldStats
    reason: str


class OldList(BaseModel):
    """All instances."""

    instances: list[OldRow]


class OldCreated(BaseModel):
    """A new instance."""

    message: str
    instance: OldRow


class OldChanged(OldCreated):
    """A changed instance; one that runs goes on as it was until it is restarted."""

    restart_required: bool


class OldDone(BaseModel):
    """What has begun, and the status that shows it; after a start with sentences why that can hardly go well, if it cannot."""

    message: str
    status: str
    warnings: list[str] = []


class OldAllDone(BaseModel):
    """For which instances it has begun."""

    message: str
    instances: list[str]


class Checks(BaseModel):
    """What was looked at; `unknown` where that cannot be told."""

    process: str
    port: str
    response: str


class OldHealth(BaseModel):
    """The last known health. `last_check` is null before the first look."""

    status: str
    checks: Checks
    last_check: datetime | None


class OldLogLine(BaseModel):
    """One line; the time is null where the program did not write one."""

    timestamp: datetime | None
    level: str
    message: str


class OldLogs(BaseModel):
    """The last lines of a log."""

    logs: list[OldLogLine]
