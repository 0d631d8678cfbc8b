"""Conversations as pages: begun, gone on with, taken to the editor, copied from an answer on, closed."""

import re

import pytest
from django.test import Client

from blueprints.assistants import conversations
from blueprints.models import Blueprint, Conversation
from tests.factories.accounts import make_actor, make_organization
from tests.factories.assistants import make_conversation
from tests.factories.blueprints import make_blueprint

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def begun(person: Client, words: str = "2 web servers and a PostgreSQL database") -> Conversation:
    response = person.post("/conversations/", {"words": words})
    assert response.status_code == 302, response.content
    return Conversation.objects.get()


def path(row: Conversation, rest: str = "") -> str:
    return f"/conversations/{row.uid}/{rest}"


def test_the_first_words_begin_it_and_the_draft_stands_beside(person: Client) -> None:
    row = begun(person)
    page = person.get(path(row)).content.decode()
    assert "2 web servers and a PostgreSQL database" in page
    assert 'id="resource-postgresql"' in page
    assert "2 web servers and" in person.get("/conversations/").content.decode()


def test_words_about_the_draft_change_it_in_place(person: Client) -> None:
    row = begun(person)
    part = person.post(path(row), {"words": "give the database 32 GB of memory"}, headers=HTMX).content.decode()
    assert "memory 8GB → 32GB" in part
    assert "<html" not in part
    assert person.post(path(row), {"words": "drop the database"}).status_code == 302
    assert 'id="resource-postgresql"' not in person.get(path(row)).content.decode()


def test_a_draft_goes_to_the_editor_and_names_its_conversation(person: Client) -> None:
    row = begun(person)
    response = person.get(path(row, "draft/"), follow=True)
    assert f"conversation: {row.uid}" in response.content.decode()
    assert not Blueprint.objects.exists()
    blueprint = make_blueprint(by=make_actor(), metadata={"conversation": str(row.uid)})
    assert path(row) in person.get(blueprint.get_absolute_url()).content.decode()


@pytest.mark.parametrize("uid", ["nonsense", "5c3a0a4e-0000-4000-8000-000000000000", "", 7, None])
def test_a_blueprint_that_names_no_conversation_is_shown_all_the_same(person: Client, uid: object) -> None:
    blueprint = make_blueprint(by=make_actor(), metadata={"conversation": uid})
    assert person.get(blueprint.get_absolute_url()).status_code == 200


def test_a_copy_ends_with_the_answer_it_was_made_from(person: Client) -> None:
    row = begun(person)
    person.post(path(row), {"words": "add a redis cache"})
    response = person.post(path(row, "fork/"), {"number": 2})
    copy = Conversation.objects.exclude(pk=row.pk).get()
    assert response["Location"] == path(copy)
    assert (copy.message_count, row.messages.count()) == (2, 4)
    person.post(path(copy), {"words": "drop the database"})
    assert 'id="resource-redis"' in person.get(path(row)).content.decode()


def test_a_closed_one_can_be_read_and_not_gone_on_with(person: Client) -> None:
    row = begun(person)
    assert person.get(path(row, "archive/")).status_code == 200
    person.post(path(row, "archive/"))
    page = person.get(path(row)).content.decode()
    assert "This conversation is closed" in page
    assert 'name="words"' not in page
    assert person.post(path(row), {"words": "more"}).status_code == 409


def test_no_words_are_refused_beside_their_field(person: Client) -> None:
    response = person.post("/conversations/", {"words": "   "})
    assert response.status_code == 422
    assert "Say in a sentence or two" in response.content.decode()
    assert person.post("/conversations/", {"words": "x" * 8001}).status_code == 422
    assert not Conversation.objects.exists()


def test_what_was_said_is_shown_and_never_run(person: Client) -> None:
    row = begun(person, "<script>alert(1)</script> one web server {{ 7|add:7 }}")
    page = person.get(path(row)).content.decode()
    assert "<script>alert" not in page
    assert "{{ 7|add:7 }}" in page


def test_anothers_conversation_is_not_there(person: Client) -> None:
    theirs = make_conversation(organization=make_organization("other"))
    for rest in ("", "draft/", "archive/"):
        assert person.get(path(theirs, rest)).status_code == 404
    assert person.post(path(theirs, "fork/"), {"number": 1}).status_code == 404
    assert person.get(f"/blueprints/new/?conversation={theirs.uid}").status_code == 404
    assert person.get("/blueprints/new/?conversation=nonsense").status_code == 404


def test_the_list_costs_the_same_however_long_it_is(person: Client, django_assert_max_num_queries: object) -> None:
    begun(person)
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        person.get("/conversations/")


def test_a_draft_is_proposed_and_saved_once(person: Client) -> None:
    row = begun(person)
    first, second = (person.post(path(row, "propose/"))["Location"] for _ in range(2))
    blueprint = Blueprint.objects.get()
    assert first == second == f"/iprs/new/?blueprint={blueprint.pk}"
    assert blueprint.metadata["conversation"] == str(row.uid)
    person.post(path(row), {"words": "add a redis cache"})
    person.post(path(row, "propose/"))
    assert Blueprint.objects.count() == 2


def test_there_may_be_nothing_to_propose(person: Client) -> None:
    assert person.post(path(make_conversation(), "propose/")).status_code == 409
    assert not Blueprint.objects.exists()


@pytest.mark.parametrize("wish", ["something for my company", "our app", "a few web servers"])
def test_what_was_asked_back_is_settled_by_each_suggested_answer(person: Client, wish: str) -> None:
    row = begun(person, wish)
    answers = re.findall(r'name="words" value="([^"]+)"', person.get(path(row)).content.decode())
    assert answers
    for answer in answers:
        copy = conversations.fork(row, 2, by=make_actor())
        page = person.post(path(copy), {"words": answer}, headers=HTMX).content.decode()
        assert 'id="resource-' in page
        assert "Suggested answers" not in page


def test_what_is_offered_is_done_with_a_press(person: Client) -> None:
    row = begun(person)
    page = person.post(
        path(row), {"words": "what would it cost with 3 more web servers?"}, headers=HTMX
    ).content.decode()
    assert re.findall(r'name="words" value="([^"]+)"', page)[:2] == ["yes", "no"]
    page = person.post(path(row), {"words": "yes"}, headers=HTMX).content.decode()
    assert "web-server-5 is new" in page
    assert 'value="no"' not in page


def test_who_says_it_all_anew_is_not_held_to_what_contradicted_itself(person: Client) -> None:
    row = begun(person, "no mysql, and 2 mysql servers with 8 GB")
    assert "Say it all anew" in person.get(path(row)).content.decode()
    page = person.post(path(row), {"words": "2 mysql servers with 8 GB"}, headers=HTMX).content.decode()
    assert "mysql-1 and mysql-2" in page
    assert "Say it all anew" not in page
