"""What is not in a draft yet, as the planner makes it of the words."""

from django.utils.translation import gettext as _

from alma.errors import BadRequest
from blueprints.generation import generate
from blueprints.revising.changing import Draft
from blueprints.revising.hearing import Heard
from blueprints.revising.said import causes_of, moved


def add_new(draft: Draft, heard: Heard) -> str:
    """What the planner makes of the words, with its causes."""
    try:
        made = generate(heard.text)
    except BadRequest as error:
        return error.message
    if not made["resources"]:
        return " ".join(made["metadata"].get("questions") or [_("What shall be added?")])
    for resource in made["resources"]:
        causes = causes_of(made, resource["name"])
        draft.add(resource, {key: moved(cause, heard.start) for key, cause in causes.items()})
    return ""
