"""Machines for tests in a browser, made over the API."""

from typing import Any

from tests.processes.alma import Alma, wait_until


def ask(alma: Alma, path: str, body: dict[str, Any], *, method: str = "POST") -> Any:
    """What the API answers, once no earlier job is at work there any more."""
    answers: list[Any] = []

    def is_free() -> bool:
        with alma.client() as client:
            answers.append(client.request(method, path, json=body))
        return bool(answers[-1].status_code != 409)

    wait_until(is_free, 60, alma.log)
    assert answers[-1].status_code < 300, answers[-1].text
    return answers[-1].json()["data"]


def make_machine(alma: Alma, name: str) -> str:
    """The id of a machine that is being made; until the cluster was read once, no template is known."""
    body = {"name": name, "template": "ubuntu-24.04", "cpu_cores": 1, "memory_mb": 1024}
    made: list[str] = []

    def is_taken() -> bool:
        with alma.client() as client:
            answer = client.post("/v1/vms", json=body)
        made.extend([answer.json()["data"]["vm"]["id"]] if answer.status_code == 201 else [])
        return bool(made)

    wait_until(is_taken, 60, alma.log)
    return made[0]


def await_status(alma: Alma, machine: str, status: str) -> None:
    """Until the API shows it so, and no job works on it."""

    def is_so() -> bool:
        with alma.client() as client:
            return bool(client.get(f"/v1/vms/{machine}").json()["data"]["vm"]["status"] == status)

    wait_until(is_so, 90, alma.log)
