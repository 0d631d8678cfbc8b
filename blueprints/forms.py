"""Forms of the pages. A refused document or wish is an error of its field, so that nothing typed is ever lost."""

from typing import Any

from django import forms

from alma.accounts.actors import Actor
from alma.errors import BadRequest, Invalid, WrongState
from blueprints import counting, services
from blueprints.drafts import draft_of
from blueprints.generation import GeneratedBlueprint
from blueprints.models import Blueprint
from blueprints.pricing import PriceList, default_list
from blueprints.schema import BlueprintDocument, from_yaml
from blueprints.understanding import Asking, draft

ENVIRONMENTS = [(name, name) for name in ("development", "staging", "production")]
SORTS = {"name": "name", "updated": "updated_at", "created": "created_at", "author": "created_by"}
MAX_TEXT = 200_000


class FilterForm(forms.Form):
    """What the list shows, from the query string. What makes no sense there is left out."""

    q = forms.CharField(max_length=200, required=False)
    environment = forms.ChoiceField(choices=ENVIRONMENTS, required=False)
    sort = forms.ChoiceField(choices=[(name, name) for name in SORTS], required=False)
    order = forms.ChoiceField(choices=[("asc", "asc"), ("desc", "desc")], required=False)

    def values(self) -> dict[str, str]:
        """The values that make sense, the others empty."""
        self.is_valid()
        return {name: str(self.cleaned_data.get(name) or "") for name in self.fields}


class DocumentForm(forms.Form):
    """A blueprint as YAML."""

    document = forms.CharField(
        max_length=MAX_TEXT, strip=False, error_messages={"required": "Write a blueprint first."}
    )
    based_on = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1)

    faults: list[dict[str, Any]] = []
    parsed: BlueprintDocument

    def clean_document(self) -> str:
        """Read it; `faults` then lists what is wrong, with lines."""
        text: str = self.cleaned_data["document"]
        try:
            self.parsed = from_yaml(text)
        except Invalid as error:
            if self.data.get("action") == "save":
                counting.refused()
            faults = [fault for fault in error.details or () if isinstance(fault, dict)]
            self.faults = sorted(faults, key=lambda fault: fault.get("line") or 0)
            raise forms.ValidationError(error.message) from error
        return text

    def save_over(self, blueprint: Blueprint, *, by: Actor) -> bool:
        """Save a revision. False when somebody else was faster; the form then says so."""
        try:
            services.update(blueprint, self.parsed, by=by, based_on=self.cleaned_data["based_on"])
        except WrongState as error:
            self.add_error(None, error.message)
            return False
        return True


class WordsForm(forms.Form):
    """What somebody says in a conversation."""

    words = forms.CharField(max_length=8000, error_messages={"required": "Say in a sentence or two what you need."})


class WishForm(forms.Form):
    """What somebody wants, in words."""

    description = forms.CharField(
        max_length=8000, error_messages={"required": "Say in a sentence or two what you need."}
    )
    max_cost = forms.FloatField(required=False, min_value=1, max_value=1e9)
    environment = forms.ChoiceField(choices=ENVIRONMENTS, required=False)

    draft: GeneratedBlueprint

    def __init__(self, *args: Any, prices: PriceList | None = None, by: Actor | None = None, **kwargs: Any) -> None:
        """With somebody who asks a model may help; without, the planner is alone."""
        super().__init__(*args, **kwargs)
        self.prices = prices or default_list()
        self.by = by

    def clean(self) -> dict[str, Any]:
        """Draft it; what cannot be drafted is an error of the description."""
        data = super().clean() or {}
        if not self.errors:
            self._draft(data)
        return data

    def _draft(self, data: dict[str, Any]) -> None:
        """A draft of nothing is a question asked back, and no reason to replace what is in the editor."""
        try:
            self.draft = self._made(data["description"], self._constraints(data))
        except BadRequest as error:
            self.add_error("description", error.message)
            return
        if not self.draft["resources"]:
            questions = self.draft["metadata"].get("questions") or ["Say which machines you need."]
            self.add_error("description", " ".join(questions))

    def _made(self, words: str, constraints: dict[str, Any]) -> GeneratedBlueprint:
        if self.by:
            return draft(words, constraints, about=Asking(self.by, self.prices))
        counting.generated()
        return draft_of(words, constraints, prices=self.prices)

    @staticmethod
    def _constraints(data: dict[str, Any]) -> dict[str, Any]:
        return {name: data[name] for name in ("max_cost", "environment") if data.get(name)}
