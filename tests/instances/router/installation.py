"""An ALMA of a test's own that serves models, and how the tests speak with it."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import psutil

from instances.supervisor.processes import left_behind
from instances.tiny import model
from tests.fixtures.ports import free_port
from tests.processes.alma import ROOT, Alma

PATIENCE = 40.0
_numbers = count(1)
PORTS = "20000-32000"


class Installation(Alma):
    """With the roles that serve models."""

    def __init__(self, folder: Path, **settings: str) -> None:
        given = {
            "ALMA_ROLES": "web,instances", "ALMA_INSTANCE_PORTS": PORTS, "ALMA_INSTANCES_RUNNING": "40",
            "ALMA_MODEL": "understanding",
        }  # fmt: skip
        super().__init__(folder, settings=given | settings)

    def start(self, *, timeout: float = 240.0) -> float:
        """Start, and put the tiny model where models lie."""
        seconds = super().start(timeout=timeout)
        folder = self.folder / "data" / "models"
        folder.mkdir(parents=True, exist_ok=True)
        model.write(folder / "tiny.gguf")
        self.admin = self.client()
        self.admin.timeout = httpx.Timeout(60)
        return seconds

    def end(self) -> None:
        """As an operator ends it, for that ends its instances as well; by force whatever is left."""
        with suppress(subprocess.TimeoutExpired):
            self.stop(timeout=30)
        super().end()
        for leader in left_behind(str(self.folder / "data")).values():
            with suppress(ProcessLookupError):
                os.killpg(leader, signal.SIGKILL)

    def create(self, name: str = "", *, starts: bool = True, **options: Any) -> str:
        """An instance of the tiny model, ready or never started; its name."""
        name = name or f"model-{next(_numbers)}"
        serving = {"ctx_size": 8192, "parallel": 4, "threads": 1}
        if starts:
            wish = {"model": "tiny.gguf", "port": free_port(), **serving, **options}
            self.remove(name)
            answer = self.admin.post(f"/api/v1/instances/{name}", json=wish)
            assert answer.status_code == 201, answer.text
            self.wait_for(name, "running")
            return name
        wish = {"name": name, "model_path": "tiny.gguf", "port": free_port(), "options": serving}
        answers = [
            self.admin.post("/api/instances", json=wish),
            self.admin.put(f"/api/v1/instances/{name}", json=options),
        ]
        assert [answer.status_code for answer in answers] == [201, 200], answers
        return name

    def remove(self, name: str) -> None:
        """Away with what an earlier try of the same test left, if it left anything."""
        self.admin.delete(f"/api/v1/instances/{name}")
        wait(lambda: not self.row("SELECT 1 FROM instances_instance WHERE name = ?", name), f"{name} gone")

    def wait_for(self, name: str, status: str) -> None:
        """Until the instance is in a state, whatever is asked for besides."""
        wait(
            lambda: self.row("SELECT status FROM instances_instance WHERE name = ?", name)[0] == status,
            f"{name} {status}",
        )

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Within it the instance does nothing: what is sent to it waits for as long as a test likes."""
        pid = self.row("SELECT pid FROM instances_instance WHERE name = ?", name)[0]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def upstream(self, port: int) -> int:
        """How many connections the router has to an instance."""
        found = [one for process in self.processes("web") for one in process.net_connections("tcp")]
        return sum(1 for one in found if one.raddr and one.raddr.port == port and one.status == psutil.CONN_ESTABLISHED)

    def key(self, *scopes: str, **limits: Any) -> str:
        """A key of the default organization, made as an operator's script would."""
        code = (
            "from alma.accounts.models import ApiKey, Organization\n"
            f"key, secret = ApiKey.mint(Organization.objects.get(slug='default'), 'key-{next(_numbers)}',"
            f" frozenset({list(scopes or ['inference:use'])!r}), **{limits!r})\nprint(secret)"
        )
        return self.shell(code).split()[-1]

    def shell(self, code: str) -> str:
        """What a piece of Python prints in this installation."""
        environment = {"PATH": "/usr/bin:/bin", "ALMA_DATA_DIR": str(self.folder / "data")}
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def row(self, sql: str, *values: object) -> tuple[Any, ...]:
        """One row of the database."""
        with closing(sqlite3.connect(self.folder / "data" / "alma.sqlite3", timeout=10)) as database:
            found: tuple[Any, ...] = database.execute(sql, values).fetchone() or ()
        return found

    def openai(self, key: str = "", **options: Any) -> openai.OpenAI:
        """The official client, which repeats nothing."""
        return openai.OpenAI(
            base_url=f"{self.url}/v1",
            api_key=key or self.secrets["inference_key"],
            max_retries=0,
            timeout=60,
            **options,
        )

    def anthropic(self, key: str = "") -> anthropic.Anthropic:
        """The official client, which repeats nothing."""
        return anthropic.Anthropic(
            base_url=self.url, api_key=key or self.secrets["inference_key"], max_retries=0, timeout=60
        )

    def http(self, key: str = "") -> httpx.Client:
        """A plain client with an inference key."""
        headers = {"Authorization": f"Bearer {key or self.secrets['inference_key']}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)


def wait(
    condition: Callable[[], Any], what: Callable[[], str], *, seconds: float = PATIENCE, pause: float = 0.02
) -> Any:
    """Until a condition holds; what it answered."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
        time.sleep(pause)
    return found


def chat(model: str, words: str = "Hello!", **more: Any) -> dict[str, Any]:
    """A body for the route of chats."""
    return {"model": model, "messages": [{"role": "user", "content": words}], "max_tokens": 8, **more}
