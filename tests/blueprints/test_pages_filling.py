"""A draft that fills beside a conversation, a few machines at a time."""

from blueprints.generation import generate
from blueprints.pages.conversation import filling
from blueprints.portrait import portray
from blueprints.revising import revise
from blueprints.schema import parse_document


def test_each_step_of_a_draft_that_grows_can_be_shown() -> None:
    before = parse_document(dict(generate("3 web servers behind a load balancer")))
    revision = revise(before.as_dict(), "5 more web servers")
    assert revision is not None
    after = parse_document(revision.document)
    assert after.needs["load-balancer"][-1] == "web-server-8"  # it is known from here on, and copies must not know it
    shown = [len(portray(step).resources) for step in filling(after, before)]
    assert shown == sorted(shown)
    assert (shown[0] < 9, shown[-1]) == (True, 9)
