"""The forms in which operators make things go wrong on a sandbox."""

from typing import Any

from django import forms

TASKS = (
    ("*", "Any task"), ("qmcreate", "Create a VM"), ("qmclone", "Clone a VM"), ("qmconfig", "Configure a VM"),
    ("resize", "Resize a disk"), ("qmstart", "Start a VM"), ("qmshutdown", "Shut down a VM"), ("qmstop", "Stop a VM"),
    ("qmdestroy", "Remove a VM"), ("qmsnapshot", "Take a snapshot"), ("vzcreate", "Create a container"),
    ("vzclone", "Clone a container"), ("vzstart", "Start a container"), ("vzdestroy", "Remove a container"),
)  # fmt: skip
METHODS = (("*", "Any method"), ("GET", "GET"), ("POST", "POST"), ("PUT", "PUT"), ("DELETE", "DELETE"))
CALLS = (
    ("lose_request", "Lost before the effect"), ("lose_answer", "Lost after the effect"),
    ("unauthorized", "401, the session has ended"), ("answer", "Another answer"),
)  # fmt: skip
STATUSES = (("500", "500"), ("503", "503"), ("595", "595 no route"), ("596", "596 timed out"))
KINDS = (
    *CALLS, ("offline_node", ""), ("full_storage", ""), ("no_quorum", ""), ("fail_task", ""), ("slow_tasks", ""),
    ("latency", ""), ("lag", ""),
)  # fmt: skip
_NEEDED = {
    "offline_node": ("target",), "full_storage": ("target",), "slow_tasks": ("factor",), "latency": ("seconds",),
    "lag": ("seconds",), "fail_task": ("text",),
}  # fmt: skip
_TAKEN = {
    "offline_node": ("target",), "full_storage": ("target",), "slow_tasks": ("type", "factor"), "latency": ("seconds",),
    "lag": ("seconds",), "fail_task": ("type", "text", "count", "vmid"), "no_quorum": (),
    "lose_request": ("method", "path", "count"), "lose_answer": ("method", "path", "count"),
    "unauthorized": ("method", "path", "count"), "answer": ("method", "path", "count", "status"),
}  # fmt: skip


class FaultForm(forms.Form):
    """One fault of any kind; what its kind does not take is left out."""

    kind = forms.ChoiceField(choices=KINDS)
    target = forms.CharField(max_length=100, required=False)
    type = forms.ChoiceField(choices=TASKS, required=False)
    text = forms.CharField(max_length=200, required=False)
    count = forms.IntegerField(min_value=1, max_value=1000, required=False)
    vmid = forms.IntegerField(min_value=100, max_value=999_999_999, required=False)
    method = forms.ChoiceField(choices=METHODS, required=False)
    path = forms.CharField(max_length=200, required=False)
    status = forms.ChoiceField(choices=STATUSES, required=False)
    seconds = forms.FloatField(min_value=0.1, max_value=120, required=False)
    factor = forms.FloatField(min_value=0.01, max_value=1000, required=False)

    def clean(self) -> dict[str, Any]:
        """What a kind cannot do without must be there."""
        cleaned = super().clean() or self.cleaned_data
        for name in _NEEDED.get(cleaned.get("kind", ""), ()):
            if name not in self.errors and not cleaned.get(name):
                self.add_error(name, "This is needed.")
        return cleaned

    def values(self) -> dict[str, Any]:
        """The parameters of the sandbox's own API."""
        kind = self.cleaned_data["kind"]
        given = {name: self.cleaned_data[name] for name in _TAKEN[kind]}
        return {"kind": kind, **{name: value for name, value in given.items() if value not in {None, ""}}}

    def sentence(self) -> str:
        """What is wrong with what was entered, in one line."""
        return " ".join(f"{name.title()}: {error}" for name, errors in self.errors.items() for error in errors)


class SpeedForm(forms.Form):
    """How many times faster than on a real node."""

    speed = forms.FloatField(min_value=0.01, max_value=1000)
