"""Values that somebody wrote and that nothing in the draft goes back to: they are told, not dropped in silence."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from blueprints.generation.facts import Cause, Request
from blueprints.generation.tokens import Token

_KINDS = frozenset({"cpu", "memory", "disk", "disks", "size", "spec", "vlan", "cidr", "ip"})


def remark(text: str, tokens: Iterable[Token], request: Request) -> str:
    """A sentence that names them, empty when each has its place. A question that is asked names its values itself."""
    if request.questions or not request.groups:
        return ""
    read = [cause for group in (*request.groups, request.defaults, request.network) for cause in group.causes.values()]
    read += [because for _, because in (*request.limits.values(), *request.floors.values())]
    unread = [
        _("“%(words)s”") % {"words": " ".join(text[token.start : token.end].split())}
        for token in tokens
        if token.kind in _KINDS and token.said is None and not _is_among(read, token)
    ]
    told = _("Not used, for it was not clear what it is for: %(words)s.") % {"words": ", ".join(dict.fromkeys(unread))}
    return told if unread else ""


def _is_among(causes: Iterable[Cause], token: Token) -> bool:
    return any(cause.start < token.end and token.start < cause.end for cause in causes)
