"""Questions between machines: who is answered, who is not, and what is told of it."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.utils import timezone

from alma.errors import Invalid, Unavailable
from instances import logs
from instances.models import Node
from instances.remote import asking, wire
from instances.remote.serving import answering
from instances.remote.wire import Question
from tests.fixtures.ports import free_port

pytestmark = [pytest.mark.django_db, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def node(settings, tmp_path) -> Iterator[Node]:
    """A machine that answers from within this process."""
    settings.ALMA_NODE_PORT, settings.ALMA_DATA_DIR = free_port(), tmp_path
    row = Node.objects.create(name="gpu1", address="127.0.0.1", seen_at=timezone.now())
    asking._SILENT.clear()
    with answering(row) as port:
        Node.objects.update(ask_port=port)
        row.refresh_from_db()
        yield row
    asking._SILENT.clear()


def posted(node: Node, body: str) -> int:
    return httpx.post(f"http://127.0.0.1:{node.ask_port}/", content=body.encode()).status_code


def tail(node: Node) -> Any:
    return asking.ask("gpu1", "log.tail", pk=7, most=2)


def test_question_is_answered_and_travels_sealed(node: Node, monkeypatch) -> None:
    path = logs.path_of(7)
    path.parent.mkdir(parents=True)
    path.write_text("one\nsecret words\nthree\n")
    seen: list[str] = []
    sent = asking._sent
    monkeypatch.setattr(
        asking, "_sent", lambda *given: (seen.append(given[1]), seen.append(sent(*given)), seen[-1])[-1]
    )
    assert tail(node) == ["secret words", "three"]
    assert len(seen) == 2 and not any("secret" in text or "log.tail" in text for text in seen)


def test_what_the_machine_objects_is_raised_here(node: Node, settings, tmp_path) -> None:
    settings.ALMA_MODELS_DIR = tmp_path / "models"
    with pytest.raises(Invalid, match=r"There is no model none\.gguf") as caught:
        asking.ask("gpu1", "library.locate", path="none.gguf", is_file=True)
    assert caught.value.code == "MODEL_MISSING"
    for verb, given in (("no.such", {}), ("log.tail", {"pk": "../x", "most": 1}), ("log.tail", {})):
        with pytest.raises(Unavailable, match="cannot answer that"):
            asking.ask("gpu1", verb, **given)  # type: ignore[arg-type]


def test_question_is_good_once_for_one_machine_and_a_minute(node: Node) -> None:
    question = Question.new("gpu1", "library.room", {})
    assert [posted(node, question.sealed()), posted(node, question.sealed())] == [200, 403]
    assert posted(node, Question.new("main", "library.room", {}).sealed()) == 403
    old = Question("gpu1", "library.room", {}, "n", time.time() - wire.FRESH_SECONDS - 1)
    assert posted(node, old.sealed()) == 403
    assert posted(node, wire.ANSWER.seal('{"node": "gpu1"}')) == 403, "an answer is no question"
    assert posted(node, wire.QUESTION.seal('{"node": "gpu1"}')) == 403


def test_answer_to_another_question_is_none(node: Node) -> None:
    asked, other = Question.new("gpu1", "library.room", {}), Question.new("gpu1", "library.room", {})
    with pytest.raises(Unavailable, match="another question"):
        wire.read(asked, wire.answered(other, {"value": 1}))


def test_another_secret_key_is_named(node: Node, monkeypatch) -> None:
    seal = wire.Question.sealed

    def foreign(question: Question) -> str:
        return seal(question)[:-4] + "AAA="

    monkeypatch.setattr(wire.Question, "sealed", foreign)
    with pytest.raises(Unavailable, match="another secret key, or another time") as caught:
        tail(node)
    assert caught.value.code == "NODE_REFUSES"


def test_silent_machine_is_not_waited_for_twice(node: Node, monkeypatch) -> None:
    tries: list[float] = []

    def silent(*given: object) -> str:
        tries.append(time.monotonic())
        raise TimeoutError

    monkeypatch.setattr(asking, "_sent", silent)
    for _ in range(5):
        with pytest.raises(Unavailable, match="gpu1 does not answer now"):
            tail(node)
    assert len(tries) == 1
    asking._SILENT["gpu1"] = time.monotonic()
    with pytest.raises(Unavailable):
        tail(node)
    assert len(tries) == 2


def test_lost_machine_is_not_asked(node: Node, monkeypatch) -> None:
    monkeypatch.setattr(asking, "_sent", lambda *given: pytest.fail("was asked"))
    Node.objects.update(seen_at=timezone.now().replace(year=2000))
    with pytest.raises(Unavailable, match="does not answer now"):
        tail(node)
    assert not asking.is_known("gpu1") and asking.is_known("main") and asking.is_known("")


@pytest.mark.allow_hosts(["::1"])
def test_address_of_the_newer_kind(settings) -> None:
    settings.ALMA_NODE_PORT = free_port()
    node = Node.objects.create(name="six", address="::1", seen_at=timezone.now())
    with answering(node) as port:
        if port is None:
            pytest.skip("this machine has no IPv6")
        Node.objects.filter(pk=node.pk).update(ask_port=port)
        assert asking.ask("six", "library.room")["memory"]["total"] > 0


def test_main_answers_nobody_and_a_port_in_use_is_no_end(node: Node, settings, caplog) -> None:
    with answering(Node(name="main", address="127.0.0.1")) as port:
        assert port is None
    settings.ALMA_NODE_PORT = node.ask_port
    with answering(Node(name="gpu2", address="127.0.0.1")) as port:
        assert port is None and "other machines cannot ask this one" in caplog.text
