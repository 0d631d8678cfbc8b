"""Forms of the settings pages."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.accounts.desk.keys import Wish
from alma.accounts.desk.policies import MOST_APPROVALS
from alma.accounts.models import ApiKey, Membership
from alma.accounts.scopes import AREAS, EVERYTHING, FOR_PEOPLE, PRESETS

HAND_PICKED = "chosen"
PRESET_CHOICES = [
    ("management", "Management"),
    ("inference", "Inference"),
    ("ci", "CI deploy"),
    ("read", "Read only"),
    (HAND_PICKED, "Choose one by one"),
]
_NAMES = {"ipr": "IPR", "vm": "VM"}
EXPIRY_CHOICES = [("30", "30 days"), ("90", "90 days"), ("365", "One year"), ("", "Never")]


class KeyForm(forms.Form):
    """The key that somebody wants."""

    name = forms.CharField(max_length=100, error_messages={"required": "Give it a name."})
    description = forms.CharField(max_length=500, required=False)
    preset = forms.ChoiceField(choices=PRESET_CHOICES, initial="read")
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in sorted(EVERYTHING - FOR_PEOPLE)], required=False
    )
    lane = forms.ChoiceField(choices=ApiKey.Lane.choices, initial=ApiKey.Lane.LIVE)
    days = forms.ChoiceField(choices=EXPIRY_CHOICES, required=False, initial="90")
    acts_for = forms.ChoiceField(choices=[("organization", ""), ("me", "")], initial="organization")

    def __init__(self, actor: Actor, data: Any = None) -> None:
        super().__init__(data)
        self._actor = actor

    def clean_name(self) -> str:
        """Two keys that work under one name would be taken for each other; and a form that is sent twice makes one."""
        name: str = self.cleaned_data["name"]
        if ApiKey.objects.visible_to(self._actor).active().filter(name=name).exists():
            raise forms.ValidationError("A key of this name works already.")
        return name

    def clean(self) -> dict[str, Any]:
        """A key that may do nothing is a mistake."""
        data = super().clean() or {}
        if data.get("preset") == HAND_PICKED and not data.get("scopes"):
            self.add_error("scopes", "Tick at least one right.")
        return data

    def wish(self) -> Wish:
        """What was asked for; a preset gives of its rights those that the person has."""
        data = self.cleaned_data
        preset = PRESETS.get(data["preset"])
        return Wish(
            name=data["name"], description=data["description"], lane=ApiKey.Lane(data["lane"]),
            scopes=frozenset(data["scopes"]) if preset is None else preset & self._actor.scopes,
            expires_at=self._expires_at(), is_personal=data["acts_for"] == "me",
        )  # fmt: skip

    def _expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None

    def groups(self) -> Iterator[tuple[str, list[tuple[str, str, bool, bool]]]]:
        """Per area its rights: the right, its verb, whether it is ticked, and whether the person has it to give."""
        ticked = set(self["scopes"].value() or ())
        for area in AREAS:
            rights = sorted(scope for scope in EVERYTHING - FOR_PEOPLE if scope.startswith(f"{area}:"))
            if not rights:
                continue
            yield (
                _NAMES.get(area, area.title()),
                [(it, it.partition(":")[2], it in ticked, self._actor.has(it)) for it in rights],
            )


class MemberForm(forms.Form):
    """Whom to add, and as what."""

    username = forms.CharField(max_length=150, error_messages={"required": "Give a user name."})
    role = forms.ChoiceField(choices=Membership.Role.choices, initial=Membership.Role.VIEWER)


class EnvironmentForm(forms.Form):
    """What an environment asks before a plan may run."""

    required_approvals = forms.IntegerField(min_value=0, max_value=MOST_APPROVALS)
    is_protected = forms.BooleanField(required=False)


class NameForm(forms.Form):
    """What the organization is called."""

    name = forms.CharField(max_length=100, error_messages={"required": "An organization needs a name."})
