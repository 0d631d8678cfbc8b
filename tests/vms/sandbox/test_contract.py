"""The sandbox answers what real nodes answer, call by call."""

import pytest

from tests.vms.sandbox.contract import JOURNEYS, UPID, Expected, is_reason, problems
from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core.core import Request, Response


def _ask(cluster: Cluster, expected: Expected, task: str) -> Response:
    if expected.ends:
        cluster.finish(task)
    cluster.clock.advance(expected.waits)
    cluster.core.tick()
    path = expected.path.format(task=task)
    return cluster.core.handle(Request(expected.method, path, expected.params, cluster.identity))


@pytest.mark.parametrize("name", list(JOURNEYS))
def test_journey(cluster: Cluster, name: str) -> None:
    task, wrong = "", []
    for number, expected in enumerate(JOURNEYS[name]):
        response = _ask(cluster, expected, task)
        told = response.message.split("\n")[0] or "OK"
        if response.status != expected.status or not is_reason(expected.reason, told):
            wrong.append(f"{number} {expected.method} {expected.path}: {response.status} {told} {response.errors}")
        elif expected.status == 200 and expected.shape == [] and response.data != []:
            wrong.append(f"{number} {expected.path}: {response.data}")
        elif expected.status == 200 and expected.shape != []:
            wrong += [f"{number} {expected.path}: {text}" for text in problems(expected.shape, response.data)]
        if expected.errors and set(response.errors) != set(expected.errors):
            wrong.append(f"{number} {expected.path}: {response.errors}")
        task = response.data if expected.shape == UPID and response.status == 200 else task
    assert wrong == []


def test_a_shape_notices_what_is_wrong() -> None:
    shape = {"name": str, "size?": int, "rows": [{"id": int}]}
    assert problems(shape, {"name": "a", "rows": [{"id": 1}]}) == []
    assert problems(shape, {"name": 1, "size": "2", "rows": [{"id": True}, {}]}) == [
        "data.name is 1, no <class 'str'>", "data.size is '2', no <class 'int'>", "data.rows[0].id is True, no <class 'int'>",
        "data.rows[1].id is missing",
    ]  # fmt: skip
    assert problems(UPID, None) and problems([str], []) and problems({"a": int}, [])
