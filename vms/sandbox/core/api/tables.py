"""Parameters that many methods take."""

from vms.sandbox.core import formats
from vms.sandbox.core.parameters import Param, boolean, formatted

NODE: dict[str, Param] = {"node": formatted(formats.node_name).required()}
VMID = Param("integer", is_required=True, format=formats.vmid, minimum=100, maximum=999_999_999)
GUEST: dict[str, Param] = {**NODE, "vmid": VMID}
SKIPLOCK: dict[str, Param] = {"skiplock": boolean()}
