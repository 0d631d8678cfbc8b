"""The bodies of `/api/v1/models`, by the names that llamactl has for them."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from instances.library.downloads import LONGEST_TOKEN


class ModelFile(BaseModel):
    """A file of a model; `path` below the folder of models."""

    name: str
    path: str
    size_bytes: int
    type: str


class ModelRow(BaseModel):
    """A model. `path` is what an instance calls it; with a `problem` it cannot be served. 0 and empty for what it does not
    tell of itself."""

    node: str
    repo: str
    tag: str
    files: list[ModelFile]
    size_bytes: int
    path: str
    format: str
    name: str
    architecture: str
    parameters: int
    quantization: str
    context_length: int
    problem: str
    used_by: list[str] = Field(description="The caller's instances that name it")


class DownloadWish(BaseModel):
    """A model to fetch. `repo` reads `org/model` or `org/model:Q4_K_M`; without a tag Q4_K_M, Q4_0 or the first is taken."""

    model_config = ConfigDict(extra="forbid", strict=True)

    repo: str = Field(min_length=3, max_length=260)
    format: str = Field(default="gguf", max_length=20, description="gguf or safetensors")
    file: str = Field(default="", max_length=300, description="One GGUF file, as the repository names it")
    revision: str = Field(default="main", min_length=1, max_length=100)
    token: str = Field(default="", max_length=LONGEST_TOKEN, description="Kept sealed until the download ends")
    node: str = Field(default="", max_length=64, description="Which machine; without it the one that answers")


class DownloadBegun(BaseModel):
    """A download that was begun."""

    job_id: str
    repo: str
    tag: str


class DownloadProgress(BaseModel):
    """How much has come; `total_bytes` is 0 while that is not known."""

    bytes_downloaded: int
    total_bytes: int
    current_file: str


class DownloadJob(BaseModel):
    """A download: queued, downloading, completed, failed or cancelled."""

    id: str
    node: str
    repo: str
    tag: str
    revision: str
    status: str
    progress: DownloadProgress
    error: str
    created_at: int = Field(description="Seconds since 1970")
    completed_at: int | None
    model_path: str


class DownloadJobs(BaseModel):
    """Downloads that are remembered, the newest first."""

    jobs: list[DownloadJob]


class FitQuestion(BaseModel):
    """Which model, for which backend, with which options."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str = Field(min_length=1, max_length=500)
    backend_type: str = Field(default="llama_cpp", max_length=20)
    backend_options: dict[str, JsonValue] = Field(default_factory=dict)
    node: str = Field(default="", max_length=64, description="Which machine; without it the one that answers")


class ClaimedBytes(BaseModel):
    """What a start would claim, by what it is for."""

    weights: int
    cache: int
    working: int
    runtime: int
    total: int


class MemoryNow(BaseModel):
    """Bytes of the machine."""

    total: int
    free: int


class DeviceNow(MemoryNow):
    """A graphics card."""

    name: str


class FitAnswer(BaseModel):
    """`fits`, `evicts` (instances would be stopped for it), `tight` (other programs hold the memory) or `no`. `is_whole` is
    false where the model does not tell enough of itself to reckon its cache."""

    verdict: str
    message: str
    claim: ClaimedBytes
    context: int
    is_whole: bool
    memory: MemoryNow
    devices: list[DeviceNow]
    evicts: list[str]
