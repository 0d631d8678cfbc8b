"""Requests to addresses that tenants name: only to the public Internet, and to what the operator allows beside it."""

from alma.outbound.addresses import Allowance, is_public
from alma.outbound.client import Answer, post, tls_context
from alma.outbound.errors import Unreached
from alma.outbound.streaming import Incoming, get
from alma.outbound.targets import Target, look_up, parse, resolve

__all__ = [
    "Allowance", "Answer", "Incoming", "Target", "Unreached", "get", "is_public", "look_up", "parse", "post", "resolve",
    "tls_context",
]  # fmt: skip
