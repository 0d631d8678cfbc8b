"""What the roles of `manage.py up` say of themselves, heard as systemd would hear it."""

import socket
import time

from alma import liveness
from alma.events import doorbell


class Ear:
    """One socket per role, and when it last said that it works."""

    def __init__(self, role: str) -> None:
        path = doorbell.folder() / f"alive.{role}"
        path.unlink(missing_ok=True)
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        path.chmod(0o600)
        self._heard_at: float | None = None

    def forget(self) -> None:
        """A new process of the role begins, which has said nothing yet."""
        doorbell.drain(self._socket)
        self._heard_at = None

    def silence(self) -> float | None:
        """Seconds since the role last said that it works; None when it never has."""
        if any(liveness.ALIVE.encode() in said.split(b"\n") for said in doorbell.drain(self._socket)):
            self._heard_at = time.monotonic()
        return None if self._heard_at is None else time.monotonic() - self._heard_at

    def close(self) -> None:
        """Hear no more."""
        doorbell.unbind(self._socket)
