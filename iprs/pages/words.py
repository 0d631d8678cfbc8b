"""Sentences of the pages."""

from collections.abc import Iterable, Mapping

from django.contrib.humanize.templatetags.humanize import apnumber
from django.utils import translation

from alma.accounts.models import Environment
from alma.jobs.models import Step
from iprs.gates import is_strict
from iprs.models import Plan
from iprs.services.deploying import words as spoken

_VERBS = (("create", "creates"), ("update", "changes"), ("replace", "replaces"), ("delete", "deletes"))
KEEPS_TRYING = "Nothing is created twice: a retry goes on where it stopped."
ADVICE: Mapping[str, str] = {
    "PLAN_CHANGED": "Plan again, read what is different, and approve the new plan. Nothing was touched.",
    "IPR_NOT_APPROVED": "Something that was fulfilled no longer is. See what is missing on the IPR. Nothing was touched.",
    "CLUSTER_UNREACHABLE": f"Check that the cluster answers, then retry. {KEEPS_TRYING}",
    "PVE_TASK_FAILED": f"Proxmox accepted the task and it failed; its own words stand above. Mend that, then retry. {KEEPS_TRYING}",
    "PVE_REFUSED": "Proxmox refused the call; its own words stand above. Often the API token lacks a privilege.",
    "DISK_CANNOT_SHRINK": "A disk only grows. Keep its size in the blueprint, or rename the resource to make a new one.",
    "GUEST_MISSING": "The guest has gone from the cluster meanwhile. Plan again: it will be created anew.",
    "GUEST_NOT_OURS": "The guest no longer carries ALMA's mark, so it is not touched. Find out who took it over.",
    "VERIFY_MISMATCH": "It was carried out, but what was read back is different. Retry, or plan again to see the difference.",
    "VMID_RANGE_EXHAUSTED": "Widen the range of numbers of this cluster in the administration, then retry.",
    "GUEST_NOT_UP": "Look at its console: a system must start, and run the guest agent or listen on the port named above. "
    "Then retry: what needs it has not begun.",
    "STEP_TIMEOUT": f"It took longer than any run before. See the task on the cluster, then retry. {KEEPS_TRYING}",
    "WORKER_DIED": "The processes that worked on it kept dying. Look at the worker's log before a retry.",
}
_ANY_ADVICE = f"Mend what the message says, then retry. {KEEPS_TRYING}"


def advice(code: str) -> str:
    """What to do about an error of a deployment."""
    return ADVICE.get(code, _ANY_ADVICE)


def waiting_note(step: Step) -> str:
    """For whom a step waits so that others may begin, and for how long it has; nothing for all other steps."""
    if step.kind != "guest.await":
        return ""
    if step.state in Step.DONE:
        seen = step.evidence
        if seen.get("answered"):
            return f"{seen['answered']} answered after {seen.get('waited_seconds', 0):.0f} s"
        return f"it runs; whether it is up could not be asked: {seen.get('unasked', '')}"
    who = step.journal.get("waits_for")
    return (
        f"waiting for {who}, at most {step.params.get('timeout')} s" if who and step.state == Step.State.RUNNING else ""
    )


def guests(number: int) -> str:
    """«one guest», «12 guests»."""
    return f"{apnumber(number)!s} guest{'' if number == 1 else 's'}"


def joined(parts: Iterable[str]) -> str:
    """«a», «a and b», «a, b and c»."""
    *most, last = list(parts) or [""]
    return f"{', '.join(most)} and {last}" if most else last


def summary_sentence(plan: Plan) -> str:
    """What a plan does, in one sentence."""
    if plan.problems and plan.is_noop:
        return "Nothing could be planned."
    does = [f"{verb} {guests(plan.summary[name])}" for name, verb in _VERBS if plan.summary.get(name)]
    if not does:
        return "Nothing would change: everything is as the blueprint says already."
    if plan.problems:
        return f"Not everything could be planned. What could be: it {joined(does)}."
    sentence = f"{joined(does)}, in about {spoken(plan.seconds)}."
    return f"{sentence[:1].upper()}{sentence[1:]}"


def loss_sentence(plan: Plan) -> str:
    """What is gone for good, or nothing."""
    lost = plan.summary.get("replace", 0) + plan.summary.get("delete", 0)
    return f"The disks of {guests(lost)} are erased for good." if lost else ""


def comfort_sentence(plan: Plan) -> str:
    """What is certainly left alone, where nothing is lost."""
    if plan.is_noop or loss_sentence(plan):
        return ""
    return "Nothing is deleted." if plan.summary.get("update") else "Nothing that exists is touched."


def rule_of(environment: Environment) -> str:
    """Who must agree there."""
    number = environment.required_approvals
    if not number:
        return "Needs no approval: a sound plan may run at once."
    people = "approval" if number == 1 else "approvals"
    who = " by signed-in people" if is_strict(environment) else ""
    with translation.override("en"):  # as the rest of the sentence is, whoever asks for it
        return f"Needs {apnumber(number)} {people}{who}; authors do not count for their own plans."
