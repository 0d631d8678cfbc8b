"""Names of resources are names of guests: DNS names, as the hypervisor asks for them."""

import re

MAX_LABEL = 63
MAX_NAME = 200
PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$"
_NAME = re.compile(PATTERN, re.ASCII)
_ALLOWED = re.compile(r"[^a-z0-9.-]+", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Control characters, line separators, and what turns the direction of the text around it."""


def check_guest_name(value: str) -> str:
    """Letters, digits and hyphens; dots between labels of at most 63."""
    if not value:
        raise ValueError("must not be empty")
    if len(value) > MAX_NAME or any(len(label) > MAX_LABEL for label in value.split(".")):
        raise ValueError(f"must not be longer than {MAX_LABEL} characters")
    if _NAME.fullmatch(value) is None:
        raise ValueError(_complaint(value))
    return value


def check_title(value: str) -> str:
    """A name for people: one printable line with something to see in it."""
    if not any(sign.isprintable() and not sign.isspace() for sign in value):
        raise ValueError("must not be empty")
    if _UNPRINTABLE.search(value):
        raise ValueError("must be one line of printable text")
    return value


def guest_name(text: str) -> str:
    """The nearest name that a guest may have, or nothing."""
    words = _ALLOWED.sub("-", text.strip().lower())
    labels = (re.sub(r"-{2,}", "-", label).strip("-") for label in words.split("."))
    return ".".join(label for label in labels if label)[:MAX_LABEL].strip("-.")


def suffixed(name: str, suffix: str) -> str:
    """web -> web-2, web.example.org -> web-2.example.org."""
    label, dot, domain = name.partition(".")
    return f"{label}-{suffix}{dot}{domain}"


def _complaint(value: str) -> str:
    hint = guest_name(value)
    advice = f'; write "{hint}"' if hint else ""
    return f"must be a guest name of letters, digits and hyphens, beginning and ending with a letter or digit{advice}"
