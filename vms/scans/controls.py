"""The controls that rules bear on: safeguards of the CIS Controls v8 and criteria of SOC 2 (TSC 2017)."""

from dataclasses import dataclass

CIS, SOC2 = "CIS Controls v8", "SOC 2"
FRAMEWORKS = (CIS, SOC2)


@dataclass(frozen=True)
class Control:
    """One control of a framework."""

    id: str
    framework: str
    number: str
    title: str


def _control(key: str, framework: str, title: str) -> Control:
    return Control(key, framework, key.partition("-")[2], title)


_CIS = {
    "CIS-2.2": "Ensure authorized software is currently supported",
    "CIS-3.11": "Encrypt sensitive data at rest",
    "CIS-4.1": "Establish and maintain a secure configuration process",
    "CIS-4.2": "Establish and maintain a secure configuration process for network infrastructure",
    "CIS-4.4": "Implement and manage a firewall on servers",
    "CIS-4.6": "Securely manage enterprise assets and software",
    "CIS-4.7": "Manage default accounts on enterprise assets and software",
    "CIS-4.8": "Uninstall or disable unnecessary services",
    "CIS-5.2": "Use unique passwords",
    "CIS-6.8": "Define and maintain role-based access control",
    "CIS-10.5": "Enable anti-exploitation features",
    "CIS-11.2": "Perform automated backups",
    "CIS-11.3": "Protect recovery data",
    "CIS-12.2": "Establish and maintain a secure network architecture",
    "CIS-13.4": "Perform traffic filtering between network segments",
    "CIS-13.9": "Deploy port-level access control",
}
_SOC2 = {
    "SOC2-CC6.1": "Logical access to protected information assets is restricted",
    "SOC2-CC6.3": "Access follows roles and least privilege",
    "SOC2-CC6.6": "Boundaries are protected against threats from outside",
    "SOC2-CC6.7": "Information is protected while it is moved and stored",
    "SOC2-CC6.8": "Unauthorized and malicious software is prevented or detected",
    "SOC2-CC7.1": "Vulnerabilities and changes of configuration are detected",
    "SOC2-CC8.1": "Changes are authorized and controlled",
    "SOC2-A1.1": "Capacity is managed to meet demand",
    "SOC2-A1.2": "Data is backed up and can be recovered",
    "SOC2-C1.1": "Confidential information is identified and protected",
}
CONTROLS: dict[str, Control] = {
    **{key: _control(key, CIS, title) for key, title in _CIS.items()},
    **{key: _control(key, SOC2, title) for key, title in _SOC2.items()},
}
"""By id, in the order of the frameworks."""
