"""What an instance shall be, as people write it: its model, options by name, and how it lives."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from alma.errors import DomainError
from instances.backends.pasting import LONGEST
from instances.models import Instance
from instances.nodes import choices
from instances.services import SETTABLE, Draft

_PLAIN = ProhibitNullCharactersValidator()
_LINE = re.compile(r"(?:--?)?([A-Za-z][\w-]*)\s*(?:[:=]\s*|\s+|$)(.*)")
MOST_LINES = 200
_PLACES = {
    "INVALID_MODEL": "model", "MODEL_MISSING": "model", "INSTANCE_EXISTS": "name", "INVALID_NAME": "name",
    "NAME_TAKEN": "aliases", "BACKEND_MISSING": "backend",
}  # fmt: skip
"""Beside which field an error without details stands."""


_MODELS_ANEW = {
    "hx-get": "", "hx-trigger": "change", "hx-select": "#models", "hx-target": "#models", "hx-swap": "outerHTML", "hx-push-url": "false",
}  # fmt: skip
"""On the choice of a machine: suggest the models that lie there."""


def _text(
    label: str, *, rows: int = 0, hint: str = "", help_text: str = "", most: int = 500, required: bool = False
) -> Any:
    attrs = {"placeholder": hint, "spellcheck": "false", "autocomplete": "off", "autocapitalize": "none"}
    widget = forms.Textarea({**attrs, "rows": rows, "class": "mono"}) if rows else forms.TextInput(attrs)
    return forms.CharField(
        label=label, max_length=most, required=required, validators=[_PLAIN], help_text=help_text, widget=widget
    )


def _switch(label: str, help_text: str) -> Any:
    return forms.BooleanField(label=label, help_text=help_text, required=False)


def _number(label: str, least: int, most: int, help_text: str, *, required: bool = True) -> Any:
    return forms.IntegerField(label=label, min_value=least, max_value=most, help_text=help_text, required=required)


class InstanceForm(forms.Form):
    """All that may be said of one. Its name and backend stay for as long as it exists."""

    name = _text("Name", most=50, required=True, hint="qwen2.5-coder", help_text="Requests name it as their model.")
    backend = forms.ChoiceField(choices=Instance.Backend.choices, initial=Instance.Backend.LLAMA_CPP)
    model = _text("Model", required=True, hint="tiny.gguf", help_text="Its path in the folder of models.")
    options = _text(
        "Options of the backend", rows=7, most=LONGEST, hint="ctx_size: 8192\nparallel: 4\ngpu_layers: 0",
        help_text="One on a line. Names as the backend has them, with dashes or underscores.",
    )  # fmt: skip
    group = _text("Group", most=50, help_text="Instances of a group compete with each other alone.")
    aliases = _text("Other names", most=2000, hint="gpt-4o-mini, coder", help_text="Replicas of one model share them.")
    concurrency = _number("Requests at a time", 1, 1024, "Further ones wait. Empty for no bound.", required=False)
    idle_seconds = _number("Rests after", 0, 31_536_000, "Seconds after the end of its last request; 0 for never.")
    stop_seconds = _number("A stop waits", 0, 3600, "Seconds for the requests under way.")
    max_restarts = _number("Restarts", 0, 100, "How often it is started again before it counts as failed.")
    restart_seconds = _number("Pause before one", 0, 3600, "Seconds; twice as long each further time.")
    starts_on_demand = _switch("Start on demand", "The first request that needs it starts it.")
    is_pinned = _switch("Pinned", "Never stopped to make room for another.")
    is_preloaded = _switch("Preload", "Started when its supervisor starts.")
    is_unlisted = _switch("Unlisted", "Answers to its names, and is in no list of models.")
    restarts_itself = _switch("Restart by itself", "When it ends unasked.")
    request_defaults = _text(
        "Defaults of requests", rows=3, most=8192, hint="temperature: 0.7\nmax_tokens: 512",
        help_text="One on a line: fields of a request that does not name them.",
    )  # fmt: skip
    command = _text("Command", rows=3, most=LONGEST, hint="llama-server -m tiny.gguf -c 8192 -np 4 --temp 0.7")

    def __init__(
        self, data: Any = None, *, instance: Instance | None = None, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial={**written(instance or Instance()), **(initial or {})})
        self.instance = instance
        self.fields["model"].widget.attrs["list"] = "models"
        there = choices()
        self.fields["node"] = forms.ChoiceField(
            label="Machine", choices=there, help_text="Where it runs, for as long as it exists.",
            widget=forms.Select(attrs=_MODELS_ANEW),
        )  # fmt: skip
        for name in ("name", "backend", "node") if instance else () if len(there) > 1 else ("node",):
            del self.fields[name]

    def clean_aliases(self) -> list[str]:
        """As a list."""
        return list(dict.fromkeys(filter(None, re.split(r"[,\s]+", self.cleaned_data["aliases"]))))

    def clean_options(self) -> dict[str, Any]:
        """By name; what each may be is for the backend to say."""
        return {name: "true" if value == "" else value for name, value in pairs(self.cleaned_data["options"]).items()}

    def clean_request_defaults(self) -> dict[str, Any]:
        """By name, as JSON where they are."""
        return {name: _json(value) for name, value in pairs(self.cleaned_data["request_defaults"]).items()}

    @property
    def settings(self) -> dict[str, Any]:
        """How it lives."""
        return {name: self.cleaned_data[name] for name in SETTABLE}

    def draft(self) -> Draft:
        """An instance to be."""
        said = self.cleaned_data
        return Draft(
            said["name"], said["model"], said["backend"], said["options"], settings=self.settings, node=said.get("node", "")
        )  # fmt: skip

    def changed_options(self, instance: Instance) -> dict[str, Any]:
        """What is written now, and null for what is not written any more."""
        options: dict[str, Any] = self.cleaned_data["options"]
        gone = {name: None for name in instance.options if name not in {key.replace("-", "_") for key in options}}
        return {**options, **gone}

    def object(self, error: DomainError) -> None:
        """Show what a service objects to, beside the field that it is about."""
        rows = error.details if isinstance(error.details, list) else []
        for row in rows:
            field, _, option = str(row["field"]).partition(".")
            name = field if field in self.fields else None
            words = f"{option} {row['message']}" if option else str(row["message"])
            self.add_error(name, f"{words[:1].upper()}{words[1:].rstrip('.')}.")
        if not rows:
            found = _PLACES.get(error.code, "")
            self.add_error(found if found in self.fields else None, error.message)


def pairs(text: str) -> dict[str, str]:
    """Lines of a name and its value. Raises ValidationError for one that is neither."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        raise forms.ValidationError(f"At most {MOST_LINES} lines.")
    found: dict[str, str] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            raise forms.ValidationError(f"«{line[:60]}» is no name with a value.")
        if match[1] in found:
            raise forms.ValidationError(f"{match[1]} stands there twice.")
        found[match[1]] = match[2].strip()
    return found


def lines_of(values: Mapping[str, Any]) -> str:
    """The same the other way round."""
    return "\n".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items()
    )


def written(instance: Instance) -> dict[str, Any]:
    """An instance as it is written into the form."""
    own = {name: getattr(instance, name) for name in SETTABLE}
    return {
        **own, "name": instance.name, "backend": instance.backend, "model": instance.model,
        "options": lines_of(instance.options), "aliases": ", ".join(instance.aliases),
        "request_defaults": lines_of(instance.request_defaults),
    }  # fmt: skip


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
