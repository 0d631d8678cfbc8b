"""Which rules of a firewall let the whole world reach the ports by which machines are managed."""

from collections.abc import Iterator, Mapping
from typing import Any

from vms.scans.facts import Firewall, NotAssessed, known
from vms.scans.findings import Finding, Fix, finding

MANAGEMENT = {22: "SSH", 3389: "RDP", 5900: "VNC", 8006: "the Proxmox VE API"}
_MACROS = {"ssh": 22, "rdp": 3389, "vnc": 5900}
_NAMES = {"ssh": 22, "ms-wbt-server": 3389}
WORLD = frozenset({"", "0.0.0.0/0", "::/0", "0/0"})
Row = Mapping[str, Any]


def open_to_world(firewall: Firewall, path: str) -> Finding | None:
    """The enabled rules that accept management ports from anywhere; `path` is where the rules lie in the API.

    Raises NotAssessed when they were not read, or name sets of addresses whose members are not known."""
    accepting = [row for row in known(firewall.rules) if _accepts(row)]
    wide = [(row, ports) for row in accepting if _is_world(row) and (ports := opened(row))]
    if wide:
        evidence = [(_place(row), _said(row, ports)) for row, ports in wide[:10]]
        own = next((row for row, _ in wide if "group" not in row), None)
        fix = None if own is None else Fix("PUT", f"{path}/rules/{own.get('pos', 0)}", {"enable": 0})
        return finding(*evidence, fix=fix)
    named = next((row for row in accepting if opened(row) and _is_named(row)), None)
    if named is not None:
        raise NotAssessed(f"a rule accepts from {named['source']}, whose addresses were not read")
    return None


def _accepts(row: Row) -> bool:
    return (
        row.get("type") == "in" and str(row.get("action", "")).upper() == "ACCEPT" and str(row.get("enable", 0)) == "1"
    )


def _is_world(row: Row) -> bool:
    return bool(WORLD & {part.strip() for part in str(row.get("source", "")).split(",")})


def _is_named(row: Row) -> bool:
    """Whether the source is an alias or a set: addresses begin with a digit or hold a colon."""
    parts = [part.strip() for part in str(row.get("source", "")).split(",")]
    return any(part and not part[0].isdigit() and ":" not in part for part in parts)


def opened(row: Row) -> list[int]:
    """The management ports that a rule is about; one without ports is about all of them."""
    macro = str(row.get("macro", "")).lower()
    if macro:
        return [_MACROS[macro]] if macro in _MACROS else []
    if str(row.get("proto", "tcp")).lower() not in {"tcp", "6", ""}:
        return []
    if not row.get("dport"):
        return list(MANAGEMENT)
    spans = list(_spans(str(row["dport"])))
    return [port for port in MANAGEMENT if any(first <= port <= last for first, last in spans)]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    for part in text.lower().split(","):
        first, _, last = part.strip().partition(":")
        numbers = [_NAMES.get(word, int(word) if word.isdecimal() else -1) for word in (first, last or first)]
        yield numbers[0], numbers[1]


def _place(row: Row) -> str:
    group = f" of group {row['group']}" if "group" in row else ""
    return f"rule {row.get('pos', 0)}{group}"


def _said(row: Row, ports: list[int]) -> str:
    names = ", ".join(f"{MANAGEMENT[port]} ({port})" for port in ports)
    return f"accepts {names} from {row.get('source') or 'anywhere'}"
