"""The forms of language models."""

from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from instances.library.downloads import LONGEST_TOKEN, Wish
from instances.models import Download
from instances.nodes import choices

_PLAIN = ProhibitNullCharactersValidator()


class DownloadForm(forms.Form):
    """A model of the endpoint."""

    repo = forms.CharField(
        label="Repository", max_length=260, validators=[_PLAIN], help_text="Owner and name; a quantisation behind a colon.",
        widget=forms.TextInput(attrs={"placeholder": "org/model:Q4_K_M", "spellcheck": "false", "autocomplete": "off", "autocapitalize": "none"}),
    )  # fmt: skip
    format = forms.ChoiceField(
        label="Format", choices=[("gguf", "GGUF, for llama.cpp"), ("safetensors", "Safetensors, for vLLM and MLX")],
        initial=Download.Format.GGUF,
    )  # fmt: skip
    file = forms.CharField(
        label="One file", max_length=300, required=False, validators=[_PLAIN], help_text="Where a quantisation is not enough to name it.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )  # fmt: skip
    revision = forms.CharField(
        label="Revision", max_length=100, required=False, validators=[_PLAIN], initial="main", help_text="A branch, a tag or a commit.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )  # fmt: skip
    token = forms.CharField(
        label="Token", max_length=LONGEST_TOKEN, required=False, validators=[_PLAIN],
        help_text="For models that are not public. Kept sealed, and forgotten when the download ends.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        there = choices()
        if len(there) > 1:
            self.fields["node"] = forms.ChoiceField(label="Machine", choices=there, help_text="Where it shall lie.")

    def wish(self) -> Wish:
        """What was asked for."""
        chosen = self.cleaned_data
        repo, _, tag = chosen["repo"].strip().partition(":")
        return Wish(
            repo,
            tag,
            chosen["file"].strip(),
            chosen["revision"].strip() or "main",
            chosen["format"],
            chosen["token"].strip(),
            chosen.get("node", ""),
        )
