"""A message to a model, with what was said before."""

import json
from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

_PLAIN = ProhibitNullCharactersValidator()
LONGEST = 200_000
MOST_TURNS = 200
_ROLES = ("user", "assistant")


def _text(label: str, most: int, *, required: bool = False, rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=most,
        required=required,
        validators=[_PLAIN],
        strip=False,
        widget=forms.Textarea({"rows": rows}),
    )


class AskForm(forms.Form):
    """What the form of the playground holds. `history` is JSON of what was said so far."""

    model = forms.CharField(max_length=200, validators=[_PLAIN])
    system = _text("System prompt", 20_000)
    message = _text("Message", LONGEST, required=True)
    history = forms.CharField(required=False, max_length=LONGEST, widget=forms.HiddenInput, validators=[_PLAIN])
    temperature = forms.FloatField(
        required=False, min_value=0, max_value=5, widget=forms.NumberInput({"step": "0.1"}),
        help_text="Empty for that of the instance.",
    )  # fmt: skip
    max_tokens = forms.IntegerField(label="Tokens at most", required=False, min_value=1, max_value=100_000, initial=512)

    def clean_history(self) -> list[dict[str, str]]:
        """As a list of turns. Raises ValidationError for anything else."""
        try:
            turns: Any = json.loads(self.cleaned_data["history"] or "[]")
        except ValueError as error:
            raise forms.ValidationError("The history is no JSON.") from error
        if not isinstance(turns, list) or len(turns) > MOST_TURNS or not all(map(_is_turn, turns)):
            raise forms.ValidationError(f"The history is a list of up to {MOST_TURNS} turns.")
        return [{"role": turn["role"], "content": turn["content"]} for turn in turns]

    def body(self, *, streams: bool) -> dict[str, Any]:
        """The request, as OpenAI's API has it."""
        said = self.cleaned_data
        system = [{"role": "system", "content": said["system"]}] if said["system"].strip() else []
        turns = [*system, *said["history"], {"role": "user", "content": said["message"]}]
        chosen = {name: said[name] for name in ("temperature", "max_tokens") if said[name] is not None}
        usage = {"stream_options": {"include_usage": True}} if streams else {}
        return {"model": said["model"], "messages": turns, "stream": streams, **usage, **chosen}


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, dict) and turn.get("role") in _ROLES and isinstance(turn.get("content"), str)
