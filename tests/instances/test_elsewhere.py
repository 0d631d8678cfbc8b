"""A second machine with a disk and a build of its own: its logs, its models and its programs are seen from the first one. Two
data directories and two loopback addresses stand for the two machines."""

import html
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from instances.tiny import model
from tests.fixtures.ports import free_port
from tests.instances.library.hub import Hub, serving
from tests.instances.router.installation import Installation, wait
from tests.processes.alma import ROOT
from tests.server.running import MANAGE, environment

pytestmark = [pytest.mark.processes, pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])]
OLDER_BUILD = """#!/bin/sh
# llama-server of a build that does not know --mmproj-auto yet and knows --brand-new
for word in "$@"; do [ "$word" = --help ] && {{ {python} -m instances.launcher --help | grep -v -- --threads-batch; exit; }}; done
exec {python} -m instances.launcher "$@"
"""


@dataclass
class Second:
    """The other machine, and the hub that both fetch from."""

    main: Installation
    folder: Path
    hub: Hub
    env: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [*MANAGE, "instances", "--node", "second"]
        self.process = subprocess.Popen(command, env=self.env, cwd=ROOT, start_new_session=True)
        wait(lambda: self.status == "online", lambda: self.main.admin.get("/api/v1/nodes").text)

    @property
    def status(self) -> str:
        return str(self.main.admin.get("/api/v1/nodes/second").json()["status"])

    def page(self, path: str) -> str:
        """What a browser would get, signed in."""
        known = self.main.secrets
        with httpx.Client(base_url=self.main.url, follow_redirects=True, timeout=20) as browser:
            form = {"username": known["username"], "password": known["password"]}
            token = browser.get("/login/").text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
            headers = {"Referer": self.main.url, "Origin": self.main.url}
            signed_in = browser.post("/login/", data={**form, "csrfmiddlewaretoken": token}, headers=headers)
            assert signed_in.status_code == 200, signed_in.text
            return html.unescape(browser.get(path).raise_for_status().text)

    def end(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Second]:
    folder = tmp_path_factory.mktemp("machines")
    model.write(folder / "fetched.gguf", seed=7)
    with serving(Hub({"fetched-Q4_0.gguf": (folder / "fetched.gguf").read_bytes()})) as hub:
        endpoint = {"ALMA_HF_ENDPOINT": hub.url, "ALMA_MODELS_RESERVE_GB": "0", "ALMA_SECRET_KEY": "y" * 60}
        endpoint["ALMA_OUTBOUND_ALLOW"] = f"127.0.0.1:{hub.port}"
        main = Installation(folder, ALMA_ROLES="web,worker,reconciler,instances", **endpoint)
        own = folder / "second"
        (own / "models").mkdir(parents=True)
        try:
            main.start()
            for name in ("alma.sqlite3",):
                (own / name).symlink_to(folder / "data" / name)
            program = own / "llama-server"
            program.write_text(OLDER_BUILD.format(python=sys.executable))
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            model.write(own / "models" / "only-here.gguf", seed=3)
            more = {
                "ALMA_NODE_PORT": free_port(), "ALMA_LLAMA_COMMAND": program, "ALMA_INSTANCE_PORTS": "20000-32767", **endpoint,
            }  # fmt: skip
            env = environment(own, **more)
            added = subprocess.run(
                [*MANAGE, "node", "add", "second", "--address", "127.0.0.2"], env=env, capture_output=True, text=True, check=True
            )  # fmt: skip
            one = Second(main, own, hub, {**env, "ALMA_NODE_TOKEN": added.stdout.strip()})
            one.start()
            yield one
            one.end()
        finally:
            main.end()


@pytest.fixture(scope="module")
def admin(second: Second) -> httpx.Client:
    return second.main.admin


@pytest.fixture(scope="module")
def served(second: Second, admin: httpx.Client) -> str:
    """An instance of the second machine, made of a model that lies there alone."""
    wish = {"model": "only-here.gguf", "nodes": ["second"], "ctx_size": 4096, "threads": 1, "port": free_port()}
    answer = admin.post("/api/v1/instances/afar", json=wish)
    assert answer.status_code == 201, answer.text
    second.main.wait_for("afar", "running")
    return "afar"


def test_models_and_memory_are_those_of_the_machine(second: Second, admin: httpx.Client, served: str) -> None:
    told = admin.get("/api/v1/models", params={"node": "second"}).json()
    assert [(row["path"], row["node"], row["used_by"]) for row in told] == [("only-here.gguf", "second", ["afar"])]
    assert told[0]["architecture"] == "llama"
    assert [row["path"] for row in admin.get("/api/v1/models").json()] == ["tiny.gguf"]
    question = {"model": "only-here.gguf", "node": "second", "backend_options": {"ctx_size": 4096}}
    fit = admin.post("/api/v1/models/fit", json=question)
    assert (fit.status_code, fit.json()["verdict"], fit.json()["memory"]["total"] > 0) == (200, "fits", True), fit.text
    missing = admin.post("/api/v1/instances/other", json={"model": "tiny.gguf", "nodes": ["second"]})
    assert (missing.status_code, "only-here.gguf" in missing.text) == (400, True), missing.text
    assert admin.get("/api/v1/models", params={"node": "nowhere"}).status_code == 400


def test_commands_are_read_by_the_program_of_the_machine(admin: httpx.Client, second: Second) -> None:
    def parsed(**more: str) -> httpx.Response:
        command = "llama-server -m only-here.gguf --threads-batch 2"
        return admin.post("/api/v1/backends/llama-cpp/parse-command", json={"command": command, **more})

    assert parsed().json()["backend_options"] == {"model": "only-here.gguf", "threads_batch": 2}
    refused = parsed(node="second")
    assert (refused.status_code, "threads" in refused.text) == (400, True), refused.text


def test_logs_are_read_searched_and_followed(second: Second, admin: httpx.Client, served: str) -> None:
    text = admin.get(f"/api/v1/instances/{served}/logs").text
    assert text.startswith("=== started at ") and len(text.splitlines()) > 3
    assert not (second.main.folder / "data" / "instances").exists() or text not in {
        path.read_text() for path in (second.main.folder / "data" / "instances").glob("*.log")
    }
    assert len(admin.get(f"/api/v1/instances/{served}/logs", params={"lines": 2}).text.splitlines()) == 2
    told = admin.get(f"/api/instances/{served}/logs", params={"level": "info", "lines": -1}).json()["logs"]
    assert told and {line["level"] for line in told} == {"info"}
    log = next((second.folder / "instances").glob("*.log"))
    seen = followed(admin, served)
    with log.open("a") as file:
        file.write("the words that came later\n")
    wait(lambda: any("that came later" in line for line in seen), lambda: str(seen))
    page = second.page(f"/instances/{served}/?view=logs&q=came+later")
    assert "the words that came later" in page and "llama_model" not in page


def test_a_download_goes_to_the_chosen_machine(second: Second, admin: httpx.Client) -> None:
    begun = admin.post("/api/v1/models/download", json={"repo": "org/model:Q4_0", "node": "second"})
    assert begun.status_code == 202, begun.text
    job = begun.headers["Location"]
    done = wait(
        lambda: (row := admin.get(job).json())["status"] in {"completed", "failed"} and row, lambda: admin.get(job).text
    )
    assert (done["status"], done["node"], done["error"]) == ("completed", "second", "")
    path = "org/model/fetched-Q4_0.gguf"
    assert (second.folder / "models" / path).read_bytes() == second.hub.files["fetched-Q4_0.gguf"]
    assert not (second.main.folder / "data" / "models" / path).exists()
    assert done["progress"]["bytes_downloaded"] == done["progress"]["total_bytes"] > 0
    gone = admin.delete("/api/v1/models", params={"path": path, "node": "second"})
    assert (gone.status_code, (second.folder / "models" / "org").exists()) == (204, False), gone.text


def test_nobody_without_the_secret_key_is_answered(second: Second) -> None:
    where = f"http://127.0.0.2:{second.env['ALMA_NODE_PORT']}/"
    for body in (b"", b"{}", b"gAAAAA" + b"x" * 200, b"\xff" * 10):
        assert httpx.post(where, content=body).status_code == 403
    assert httpx.get(where).status_code == 501
    assert httpx.post(where, content=b"x" * 300_000).status_code == 413


def test_a_machine_that_is_away_is_named(second: Second, admin: httpx.Client, served: str) -> None:
    second.end()
    for answer in (
        admin.get(f"/api/v1/instances/{served}/logs"), admin.get("/api/v1/models", params={"node": "second"}),
        admin.post("/api/v1/models/fit", json={"model": "only-here.gguf", "node": "second"}),
    ):  # fmt: skip
        assert (answer.status_code, "second does not answer" in answer.text) == (503, True), answer.text
    assert "second does not answer now" in second.page(f"/instances/{served}/?view=logs")
    assert "second does not answer now" in second.page("/models/?node=second")
    second.start()
    wait(lambda: admin.get(f"/api/v1/instances/{served}/logs").status_code == 200, lambda: "its log again")


def followed(admin: httpx.Client, name: str) -> list[str]:
    """The lines of a stream, as they come."""
    seen: list[str] = []

    def read() -> None:
        with admin.stream("GET", f"/api/instances/{name}/logs", params={"follow": "true"}) as answer:
            for line in answer.iter_lines():
                seen.append(line)
                if "came later" in line:
                    return

    threading.Thread(target=read, daemon=True).start()
    wait(lambda: seen, lambda: "the first line")
    time.sleep(0.6)
    return seen
