"""What must hold of the settings of signing in, and what an operator should know."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def identity_provider(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Tokens meant for somebody else, and keys read over an open line, would let anybody in."""
    if not settings.ALMA_OIDC_ISSUER:
        return []
    found: list[CheckMessage] = []
    if not settings.ALMA_OIDC_AUDIENCE:
        found.append(Error("ALMA_OIDC_ISSUER needs ALMA_OIDC_AUDIENCE: for whom its tokens are.", id="accounts.E001"))
    for name in ("ALMA_OIDC_ISSUER", "ALMA_OIDC_JWKS_URL"):
        address = getattr(settings, name)
        if address and not _is_safe(address):
            found.append(Error(f"{name} must be an https address.", id="accounts.E002"))
    return found


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


class Relaxation(NamedTuple):
    """A setting that makes ALMA looser than it should be in production, because a document shows an example that
    needs it; `is_loose_when` is the value of the setting that does."""

    setting: str
    is_loose_when: bool
    said: str
    id: str

    @property
    def is_on(self) -> bool:
        """Whether it applies now."""
        return bool(getattr(settings, self.setting)) is self.is_loose_when

    @property
    def hint(self) -> str:
        """What to do about it."""
        return f"Set {self.setting}={'no' if self.is_loose_when else 'yes'}, unless you mean it."


RELAXATIONS = (
    Relaxation("ALMA_BASIC_AUTH", True, "Name and password are taken with every request.", "accounts.W001"),
    Relaxation("ALMA_PUBLIC_READ", True, "Everybody reads the public organization without a key.", "accounts.W002"),
    Relaxation("ALMA_KEYLESS_REVIEW", True, "Reviews are taken from callers without a key.", "accounts.W003"),
    Relaxation("ALMA_PUBLIC_DRAFTS", True, "Everybody has blueprints drafted without a key.", "accounts.W004"),
    Relaxation("ALMA_STRICT_REVIEW", False, "Reviews by unverified names count.", "accounts.W005"),
    Relaxation("ALMA_AUTH_ENABLED", False, "Everybody may what a management key may.", "accounts.W006"),
    Relaxation("ALMA_PUBLIC_METRICS", True, "Metrics are shown to everybody.", "accounts.W007"),
)
"""The table of docs/operations.md."""


def relaxed_rules(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Each of them that is on, by name."""
    return [Warning(f"{rule.said} ({rule.setting})", hint=rule.hint, id=rule.id) for rule in RELAXATIONS if rule.is_on]


def open_to_the_network(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Without authentication ALMA serves nobody but its own machine."""
    is_alone = settings.ALMA_HTTP_HOST in _LOOPBACK and not settings.ALMA_BEHIND_PROXY
    if settings.ALMA_AUTH_ENABLED or is_alone:
        return []
    hint = "Set ALMA_AUTH_ENABLED=yes, or ALMA_HTTP_HOST=127.0.0.1 without a proxy."
    return [Error("Authentication is off, and other machines can reach ALMA.", hint=hint, id="accounts.E003")]
