"""Forms of the pages of webhooks."""

from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from alma.errors import Invalid
from alma.events.models import WebhookEndpoint
from alma.events.webhooks.kinds import NAMES, chosen
from alma.outbound import parse
from alma.outbound.targets import LONGEST


class WebhookForm(forms.Form):
    """Where to, and which events."""

    ALL, SOME = "all", "some"

    url = forms.CharField(max_length=LONGEST)
    description = forms.CharField(max_length=200, required=False, validators=[ProhibitNullCharactersValidator()])
    which = forms.ChoiceField(choices=[(ALL, "All events"), (SOME, "Only these")])
    kinds = forms.MultipleChoiceField(choices=[(name, name) for name in NAMES], required=False)

    def clean_url(self) -> str:
        """What may be called; where a name leads is asked at each delivery."""
        url: str = self.cleaned_data["url"]
        try:
            parse(url)
        except Invalid as error:
            raise forms.ValidationError(error.message) from error
        return url

    def clean(self) -> dict[str, Any]:
        """Only these, and none of them, would be nothing."""
        data = super().clean() or {}
        if data.get("which") == self.SOME and not data.get("kinds") and "kinds" not in self.errors:
            self.add_error("kinds", "Tick at least one event.")
        return data

    def values(self) -> dict[str, Any]:
        """What the services take."""
        data = self.cleaned_data
        kinds = data["kinds"] if data["which"] == self.SOME else []
        return {"url": data["url"], "description": data["description"], "kinds": kinds}


def initial_of(endpoint: WebhookEndpoint | None) -> dict[str, Any]:
    """What the form shows at first; a group of events is shown as all that are in it."""
    if endpoint is None:
        return {"which": WebhookForm.ALL}
    ticked = [name for name in NAMES if chosen([name], endpoint.kinds)] if endpoint.kinds else []
    which = WebhookForm.SOME if len(ticked) not in {0, len(NAMES)} else WebhookForm.ALL
    return {"url": endpoint.url, "description": endpoint.description, "which": which, "kinds": ticked}
