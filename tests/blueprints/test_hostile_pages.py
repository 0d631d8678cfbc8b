"""Hostile text in a request, a conversation, a draft's metadata, a machine's note and what Proxmox says: on every page it is text."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from blueprints.models import Message
from tests.blueprints.tools.test_hostile import poisoned
from tests.factories.accounts import make_actor
from tests.factories.assistants import make_conversation
from tests.factories.blueprints import make_blueprint, make_document, make_resource
from vms.models import Guest

pytestmark = pytest.mark.django_db
TEXTS = (
    "<script>alert(1)</script> one web server",
    "<img src=x onerror=alert(1)><svg onload=alert(1)> one web server",
    "\"'><a href=javascript:alert(1)>x</a> one web server",
    "[x](javascript:alert(1)) **bold** `code` {{ 7|add:7 }} {% debug %} one web server",
    "\x1b[31mred\x1b[0m \x07 \u202egnirts\u2066 \u200b one web server",
    "</textarea></template></title><!-- one web server",
)
HANDLED = {"hx-on", "srcdoc"}


class Judge(HTMLParser):
    """Notes whatever could run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in {"script", "iframe", "object", "embed"} and not (values.get("src") or "").startswith("/static/"):
            self.found.append(tag)
        self.found += [f"{tag} {name}" for name in values if name.startswith("on") or name in HANDLED]
        self.found += [f"{tag} {value}" for value in values.values() if (value or "").startswith("javascript:")]
        self.found += [tag] if tag in {"img", "base"} and "src" in values and values["src"] == "x" else []

    def handle_data(self, data: str) -> None:
        self.text += data


def judged(page: str) -> str:
    """The text of a page on which nothing of what was put in runs."""
    judge = Judge()
    judge.feed(page)
    assert judge.found == []
    return judge.text


def shown(person: Client, address: str, **more: Any) -> str:
    answer = person.get(address, **more)
    assert answer.status_code == 200, address
    return judged(answer.content.decode())


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_said_is_shown_as_it_was_said(person: Client, text: str) -> None:
    row = make_conversation()
    assert person.post(f"/conversations/{row.uid}/", {"words": text}).status_code in {302, 409}
    said = " ".join(row.messages.get(number=1).content.split())
    page = " ".join(shown(person, f"/conversations/{row.uid}/").split())
    assert said in page
    shown(person, f"/conversations/{row.uid}/", headers={"HX-Request": "true"})
    shown(person, "/conversations/")
    shown(person, f"/conversations/{row.uid}/archive/")
    judged(person.post("/blueprints/new/", {"action": "generate", "description": text}).content.decode())


@pytest.mark.parametrize("text", TEXTS)
def test_what_a_draft_claims_about_itself_is_text(person: Client, text: str) -> None:
    about = {
        "assumptions": [text], "questions": [text], "warnings": [text, {"a": text}], "region": text,
        "causes": {"web": {"cpu": {"words": text}, "memory": {"model": text}, text: {"rule": text}, "disk": text}},
        "model": {"name": text, "status": "used", "reason": text},
        "differences": [{"resource": text, "field": text, "kept": text, "proposed": text, "because": text}, text],
    }  # fmt: skip
    document = make_document(description=text, resources=[make_resource("web", description=text)], metadata=about)
    row = make_conversation(title=text[:200])
    Message.objects.bulk_create(
        Message(conversation=row, number=number, role=role, author=text[:100], content=text, draft=draft, wish=wish)
        for number, role, draft, wish in ((1, "user", None, ""), (2, "assistant", document, text))
    )
    page = shown(person, f"/conversations/{row.uid}/")
    assert " ".join(f"Proposed by the model {text}"[:60].split()) in " ".join(page.split())
    blueprint = make_blueprint(by=make_actor(), description=text, metadata=about)
    for rest in ("", "yaml/", "revisions/", "edit/", "delete/"):
        shown(person, f"/blueprints/{blueprint.pk}/{rest}")
    shown(person, f"/blueprints/new/?conversation={row.uid}")


@pytest.mark.parametrize("text", TEXTS)
def test_what_machines_and_proxmox_say_is_text(person: Client, text: str) -> None:
    _, machine = poisoned(text)
    guest = Guest.objects.get()
    for address in (f"/vms/{guest.pk}/", "/vms/", "/jobs/", "/clusters/", "/security/", "/"):
        shown(person, address)
    asked = {"vm_ids": machine, "symptoms": text}
    answer = person.post("/tools/troubleshoot_issue/", asked)
    assert answer.status_code in {200, 422}
    judged(answer.content.decode())


@pytest.mark.parametrize("text", ["a\0b", "x" * 100_000, "\0"])
def test_what_is_no_text_to_keep_is_refused_in_words(person: Client, text: str) -> None:
    row = make_conversation()
    stream = {"Accept": "text/event-stream"}
    assert person.post(f"/conversations/{row.uid}/", {"words": text}).status_code == 422
    assert person.post(f"/conversations/{row.uid}/", {"words": text}, headers=stream).status_code == 422
    assert person.post("/conversations/", {"words": text}).status_code == 422
    assert person.post("/blueprints/new/", {"action": "generate", "description": text}).status_code == 422
    assert not row.messages.exists()


@pytest.mark.parametrize("text", TEXTS[:3])
def test_the_judge_sees_what_would_run(text: str) -> None:
    judge = Judge()
    judge.feed(f"<p>{text}</p>")
    assert judge.found
