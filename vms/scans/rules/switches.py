"""What is asked of every firewall alike, be it a guest's or the datacenter's: is it on, and what does it do with the rest?"""

from vms.scans.facts import Firewall, NotApplicable, known
from vms.scans.findings import Finding, Fix, finding
from vms.scans.rules.reading import is_on


def switched_off(firewall: Firewall, path: str, called: str) -> Finding | None:
    """Off, which is the default; `path` is where the firewall lies in the API. Raises NotAssessed."""
    options = known(firewall.options)
    if is_on(options, "enable"):
        return None
    told = (f"{called}: enable", options.get("enable", "0 (default)"))
    return finding(told, fix=Fix("PUT", f"{path}/options", {"enable": 1}))


def lets_in_the_rest(firewall: Firewall, path: str, called: str) -> Finding | None:
    """policy_in of a firewall that is on; its default is DROP. Raises NotApplicable, NotAssessed."""
    options = known(firewall.options)
    if not is_on(options, "enable"):
        raise NotApplicable
    if str(options.get("policy_in", "DROP")).upper() != "ACCEPT":
        return None
    return finding((f"{called}: policy_in", "ACCEPT"), fix=Fix("PUT", f"{path}/options", {"policy_in": "DROP"}))
