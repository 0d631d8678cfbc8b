"""Forms of the pages: they check shape; what is allowed is the services' business."""

from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from blueprints.models import Blueprint
from iprs.models import Review
from iprs.services.reviewing import MAX_COMMENT

NEWEST_BLUEPRINTS = 200


class NewIPRForm(forms.Form):
    """Which blueprint, where, and why."""

    blueprint = forms.ModelChoiceField(Blueprint.objects.none(), empty_label="Choose a blueprint")
    environment = forms.ModelChoiceField(Environment.objects.none(), empty_label=None)
    title = forms.CharField(max_length=200)
    description = forms.CharField(max_length=20_000, required=False)
    safety_snapshots = forms.BooleanField(required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["blueprint"].queryset = Blueprint.objects.visible_to(actor)  # type: ignore[attr-defined]
        self.fields["environment"].queryset = Environment.objects.visible_to(actor)  # type: ignore[attr-defined]


class ReviewForm(forms.Form):
    """A verdict or a comment, on the plan that was read."""

    NEEDS_WORDS = {
        Review.Action.COMMENT: "Write something first.",
        Review.Action.REJECT: "Say why it should not happen.",
        Review.Action.REQUEST_CHANGES: "Say what is wrong, so that the author can mend it.",
    }

    action = forms.ChoiceField(choices=Review.Action.choices)
    comments = forms.CharField(max_length=MAX_COMMENT, required=False, validators=[ProhibitNullCharactersValidator()])
    plan_digest = forms.CharField(max_length=64, required=False)

    def clean(self) -> dict[str, Any]:
        """All but an approval need words."""
        data = super().clean() or {}
        needed = self.NEEDS_WORDS.get(data.get("action", ""))
        if needed and not data.get("comments", "").strip():
            self.add_error("comments", needed)
        return data
