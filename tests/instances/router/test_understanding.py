"""Words understood with an instance of this installation: asked by way of the data plane, as whoever drafts."""

from typing import Any

import pytest

from tests.instances.router.installation import Installation, wait

pytestmark = pytest.mark.processes
WISH = {"description": "2 web servers"}
MODEL = "understanding"


def drafted(installation: Installation) -> Any:
    answer = installation.admin.post("/api/v1/blueprints/generate-blueprint", json=WISH)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_instance_helps_once_it_is_there(installation: Installation) -> None:
    installation.remove(MODEL)
    before = drafted(installation)["metadata"]["model"]
    assert before["status"] == "down" and before["reason"].startswith(f"There is no model {MODEL}")
    installation.create(MODEL, parallel=1)
    badge = drafted(installation)["metadata"]["model"]
    assert (badge["name"], badge["status"], badge["rounds"]) == (MODEL, "used", 1)
    sql = "SELECT state, completion_tokens, label FROM instances_requestrecord WHERE model = ? ORDER BY id DESC"
    expected = ("done", badge["tokens"], "Management key")
    wait(lambda: installation.row(sql, MODEL) == expected, lambda: f"{installation.row(sql, MODEL)}")


def test_the_protocol_for_tools_asks_it_too(installation: Installation) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "create_blueprint", "arguments": WISH}}  # fmt: skip
    headers = {"Accept": "application/json, text/event-stream"}
    answer = installation.admin.post("/mcp", json=call, headers=headers)
    assert answer.status_code == 200, answer.text
    assert f"ALMA-planner with {MODEL}" in answer.text
