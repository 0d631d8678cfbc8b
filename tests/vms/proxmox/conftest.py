"""A TLS server that answers each request with bytes of the test's choice: what no Proxmox and no sandbox would say."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.vms import make_cluster
from vms.models import Cluster
from vms.proxmox.client import disconnect
from vms.sandbox import certificates


class Impostor:
    """Listens, counts requests, and sends `pieces` with `pause` seconds between them."""

    def __init__(self, folder: Path) -> None:
        certificates.ensure(folder)
        self.ca_pem = (folder / "ca.pem").read_text()
        self.pieces: list[bytes] = []
        self.pause = 0.0
        self.requests: list[bytes] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def answer(self, body: bytes, *, status: str = "200 OK", headers: str = "") -> None:
        """One well-formed HTTP answer."""
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self.pieces = [head.encode() + body]

    def close(self) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                with contextlib.suppress(OSError), plain, self._context.wrap_socket(plain, server_side=True) as client:
                    self._speak(client)

    def _speak(self, client: ssl.SSLSocket) -> None:
        client.settimeout(10)
        self.requests.append(client.recv(65536))
        for piece in self.pieces:
            client.sendall(piece)
            if self._stop.wait(self.pause):
                return
        time.sleep(0)


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[Impostor]:
    impostor = Impostor(tmp_path)
    yield impostor
    impostor.close()


@pytest.fixture
def strange_cluster(db: None, impostor: Impostor) -> Iterator[Cluster]:
    yield make_cluster(host="127.0.0.1", port=impostor.port, ca_pem=impostor.ca_pem, is_sandbox=True)
    disconnect()
