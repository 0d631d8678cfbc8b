"""What is kept of instances, of those who route to them, and of the machines that run them."""

from instances.models.downloads import TOKEN, Download
from instances.models.instance import AT_ONCE, KEY, NAME, RESERVED, UNKNOWN, Instance, InstanceQuerySet
from instances.models.limits import Limit
from instances.models.nodes import LOST_AFTER, Node
from instances.models.record import RequestRecord, TokenUse
from instances.models.routing import GONE_AFTER, KeyLoad, Load, Router, Waiter
from instances.models.samples import Sample

__all__ = [
    "AT_ONCE", "GONE_AFTER", "KEY", "LOST_AFTER", "NAME", "RESERVED", "TOKEN", "UNKNOWN", "Download", "Instance", "InstanceQuerySet", "KeyLoad", "Limit", "Load", "Node",
    "RequestRecord", "Router", "Sample", "TokenUse", "Waiter",
]  # fmt: skip
