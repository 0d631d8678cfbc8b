"""What forms have in common that begin something: what a service objects to stands beside the field that it is about."""

from collections.abc import Mapping

from django import forms

from alma.errors import DomainError


class ObjectingForm(forms.Form):
    """The base."""

    moved: Mapping[str, str] = {}
    """Fields of the domain that have another name here."""
    shapes: Mapping[str, str] = {}
    """What a field may hold, for people who would otherwise be shown a pattern."""

    def object(self, error: DomainError) -> None:
        """Show what a service objects to."""
        details = error.details if isinstance(error.details, list) else []
        for one in details:
            said = self.moved.get(one["field"], one["field"])
            name = next((part for part in reversed(said.split(".")) if part in self.fields), None)
            told = self.shapes.get(name or "", "") if one.get("reason") == "string_pattern_mismatch" else ""
            self.add_error(name, told or _sentence(one["message"]))
        if not details:
            self.add_error(None, error.message)


def _sentence(words: str) -> str:
    """With a capital, unless it begins with a name such as `pve1`."""
    first = words.partition(" ")[0]
    return f"{words[:1].upper() if first.isalpha() else words[:1]}{words[1:].rstrip('.')}."
