"""The secrets of the sandbox: made at random on first use, kept in files only their owner can read."""

import fcntl
import json
import os
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from vms.sandbox import certificates

USER = "root@pam"
TOKEN_NAME = "alma"


@dataclass(frozen=True, slots=True)
class SandboxCredentials:
    """`token_id` is whole (`root@pam!alma`); `ca_path` is what a client verifies the server with."""

    user: str
    password: str
    token_id: str
    token_secret: str
    ticket_key: str
    ca_path: str

    @property
    def authorization(self) -> str:
        """The value of an Authorization header."""
        return f"PVEAPIToken={self.token_id}={self.token_secret}"

    def __repr__(self) -> str:
        return f"SandboxCredentials(user={self.user!r}, token_id={self.token_id!r})"


def folder_of(data_dir: Path | str) -> Path:
    return Path(data_dir) / "sandbox"


def ensure(data_dir: Path | str) -> SandboxCredentials:
    """Read the credentials and certificates, made by whichever process comes first."""
    folder = folder_of(data_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_one(folder / ".lock"):
        certificates.ensure(folder)
        path = folder / "credentials.json"
        if not path.exists():
            _write(path, _fresh(folder))
        return SandboxCredentials(**json.loads(path.read_text()) | {"ca_path": str(folder / "ca.pem")})


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """A lock between processes that ends with its holder."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fresh(folder: Path) -> SandboxCredentials:
    return SandboxCredentials(
        USER, secrets.token_urlsafe(18), f"{USER}!{TOKEN_NAME}", str(uuid.uuid4()), secrets.token_hex(32),
        str(folder / "ca.pem"),
    )  # fmt: skip


def _write(path: Path, credentials: SandboxCredentials) -> None:
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(credentials), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
