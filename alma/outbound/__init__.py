"""Requests to addresses that tenants name: only to the public Internet, and to what the operator allows beside it."""

from alma.outbound.addresses import Allowance, is_public
from alma.outbound.client import Answer, post
from alma.outbound.errors import Unreached
from alma.outbound.targets import Target, look_up, parse

__all__ = ["Allowance", "Answer", "Target", "Unreached", "is_public", "look_up", "parse", "post"]
