"""`manage.py sandbox` as a process of its own, with real signals."""

import os
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import proxmoxer

from vms.sandbox import credentials

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"


class Process:
    """`manage.py sandbox` on a port of the system's choice."""

    def __init__(self, data_dir: Path, *options: str, **environment: str) -> None:
        self.secrets = credentials.ensure(data_dir)
        command = [sys.executable, str(MANAGE), "sandbox", "--port", "0", "--data-dir", str(data_dir), *options]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"ALMA_DATA_DIR": str(data_dir)} | environment,
        )
        self.port = self._read_port()

    def _read_port(self) -> int:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], 30)
        line = self._process.stdout.readline() if readable else ""
        match = re.fullmatch(r"sandbox listening on https://127\.0\.0\.1:(\d+)\n", line)
        assert match, line
        return int(match[1])

    def client(self) -> Any:
        user, _, name = self.secrets.token_id.partition("!")
        return proxmoxer.ProxmoxAPI(
            "127.0.0.1", port=self.port, user=user, token_name=name, token_value=self.secrets.token_secret,
            verify_ssl=self.secrets.ca_path,
        )  # fmt: skip

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self, number: int) -> int:
        self._process.send_signal(number)
        code = self._process.wait(15)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None
