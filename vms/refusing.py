"""The answer about one field of what was asked for, the same for clients and people."""

from alma.errors import Invalid


def invalid(field: str, words: str, value: object = None, *, reason: str = "invalid_value") -> Invalid:
    """A rule that a field breaks: `reason` is for programs, `words` say it to people."""
    row = {"field": field, "message": words, "reason": reason, "provided_value": value}
    return Invalid(f"{field}: {words}.", details=[row])
