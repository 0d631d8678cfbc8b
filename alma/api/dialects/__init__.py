"""The dialects that clients were promised, as data: one per documented family, and one for OpenAI's clients."""

from alma.api.dialects.base import Dialect, Exchange, ProtocolError, timestamp
from alma.api.dialects.families import ALMA, ALUMIA, ANTHROPIC, DIALECTS, LLAMACTL, LLAMACTL_OLD, OPENAI, PROXMOX
from alma.api.dialects.pages import Page
from alma.api.dialects.routes import ROUTES, dialect_of

__all__ = [
    "ALMA", "ALUMIA", "ANTHROPIC", "DIALECTS", "LLAMACTL", "LLAMACTL_OLD", "OPENAI", "PROXMOX", "ROUTES",
    "Dialect", "Exchange", "Page", "ProtocolError", "dialect_of", "timestamp",
]  # fmt: skip
