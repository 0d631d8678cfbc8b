"""The facts of a guest that is wanted and not made yet: what its configuration would be, built by the functions that make guests,
so that the rules that judge real guests judge it as well. What only a real guest shows is missing, and no rule passes by it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vms.models import GuestClaim
from vms.proxmox.readings import GuestReading
from vms.scans import scoring
from vms.scans.facts import Firewall, GuestFacts, Missing, SystemFacts
from vms.scans.judging import Verdict, judge
from vms.specs import GuestSpec
from vms.steps import fittings, payloads

UNMADE = "it is not made yet"
PLANNED = "planned"
_ARCHIVE = "local:vztmpl/any.tar.zst"
"""A container is made from some archive; which one says nothing of its configuration."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What is known of a guest beside its specification."""

    system: SystemFacts | None = None
    is_backed_up: bool = False
    is_protected: bool = False
    environment: str = ""
    is_protected_environment: bool | None = None


def judge_wanted(spec: GuestSpec, intent: Intent, *, now: datetime) -> list[Verdict]:
    """What the rules say of a guest that is wanted."""
    return judge(facts_of(spec, intent, now=now))


def tally_of(verdicts: list[Verdict]) -> scoring.Tally:
    """Outcomes by rule, as scans keep them."""
    return {
        one.rule.id: {"unassessed" if one.unassessed else "failed" if one.finding else "passed": 1} for one in verdicts
    }


def facts_of(spec: GuestSpec, intent: Intent, *, now: datetime) -> GuestFacts:
    """Its configuration, and what follows from it."""
    unmade = Missing(UNMADE)
    nowhere = Missing("where it will be made is not known")
    unnamed = Missing("no environment is named")
    return GuestFacts(
        now=now, kind=spec.kind, node=spec.node or "unplaced", vmid=0, status=PLANNED, config=_config(spec, intent),
        firewall=Firewall(options={}, rules=()), cluster_firewall=nowhere, addresses=unmade, agent_answers=unmade,
        system=intent.system or Missing("no operating system is named"), password=None, snapshots=unmade, backups=unmade,
        is_in_backup_job=intent.is_backed_up, storages=nowhere, node_cores=nowhere, node_memory=nowhere,
        environment=intent.environment or unnamed,
        is_protected_environment=unnamed if intent.is_protected_environment is None else intent.is_protected_environment,
    )  # fmt: skip


def _config(spec: GuestSpec, intent: Intent) -> dict[str, Any]:
    params = spec.creation() | {"template_vmid": None, "ostemplate": _ARCHIVE, "storage": spec.storage or "local"}
    _, values = payloads.creation(params, GuestClaim(vmid=0, key=spec.key))
    config = {name: value for name, value in values.items() if value is not None and name != "vmid"}
    blank = GuestReading(
        vmid=0, kind=spec.kind, node="", name=spec.name, status=PLANNED, config=config, digest="", lock="", marker="",
        cores=spec.cores, memory_bytes=spec.memory_bytes, disk="", disk_bytes=spec.disk_bytes, disks={}, tags=spec.tags,
        cards={}, is_template=False,
    )  # fmt: skip
    more = fittings.cards(blank, params) | fittings.volumes(blank, params)
    return config | more | ({"protection": 1} if intent.is_protected else {})
