"""What the settings of an instance that are no plain values may hold."""

import json
import re

from django.core.exceptions import ValidationError

ALIAS = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:/-]{0,98}[A-Za-z0-9])?")
MOST_ALIASES = 20
MOST_DEFAULTS = 50
LONGEST_DEFAULTS = 8192
NO_DEFAULTS = frozenset({"model", "messages", "prompt", "input", "stream", "n_discard"})
"""What is a request's own, or must never arrive."""


def check_aliases(value: object) -> None:
    """A short list of different names, as models are called elsewhere. Raises ValidationError."""
    if not isinstance(value, list) or len(value) > MOST_ALIASES:
        raise ValidationError(f"A list of up to {MOST_ALIASES} names.")
    for name in value:
        if not isinstance(name, str) or not ALIAS.fullmatch(name):
            raise ValidationError(
                "Letters, digits and . _ : / - of up to 100; it begins and ends with one of the first two."
            )
    if len(set(value)) < len(value):
        raise ValidationError("Each name once.")


def check_request_defaults(value: object) -> None:
    """An object of fields that a request may have besides what it is about. Raises ValidationError."""
    if not isinstance(value, dict) or len(value) > MOST_DEFAULTS or len(json.dumps(value)) > LONGEST_DEFAULTS:
        raise ValidationError(f"An object of up to {MOST_DEFAULTS} fields and {LONGEST_DEFAULTS} characters.")
    if own := sorted(NO_DEFAULTS & set(value)):
        raise ValidationError(f"{own[0]} cannot be preset.")
