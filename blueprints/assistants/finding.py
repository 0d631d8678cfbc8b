"""What the tools find in a draft that somebody asks about: how long it takes, whether it is secure, what it could save."""

from collections.abc import Mapping

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from alma.errors import DomainError
from blueprints.assistants.talk import Answer, Document, Talk
from blueprints.pricing.budgets import money
from blueprints.sentences import retold, term
from blueprints.tools import REGISTER, Result, run
from blueprints.tools.auditing import AuditResult
from blueprints.tools.choosing import choose
from blueprints.tools.hearing import hear as hear_tool
from blueprints.tools.planning import PlanResult
from blueprints.tools.saving import OptimizeResult, Saving

_NO_TIME = gettext_noop("I cannot say yet how long it will take: %(reason)s The plan of an IPR says it, step by step.")
_NO_AUDIT = gettext_noop(
    "I cannot judge it here: %(reason)s Save the draft as a blueprint; the tool “Security audit” judges it."
)
_NOBODY = gettext_noop("nobody is signed in.")
APPROVALS = (
    gettext_noop("Needs no approval: a sound plan may run at once."),
    gettext_noop("Needs one approval; authors do not count for their own plans."),
    gettext_noop("Needs one approval by signed-in people; authors do not count for their own plans."),
    gettext_noop("Needs %(number)s approvals; authors do not count for their own plans."),
    gettext_noop("Needs %(number)s approvals by signed-in people; authors do not count for their own plans."),
)
"""Who has to agree, as the app above says it."""
_HINDRANCES = (
    gettext_noop("There is no environment yet; make one first."), gettext_noop("There is no environment %(name)s."),
    gettext_noop("There is no cluster yet."), gettext_noop("There is no cluster %(name)s."),
    gettext_noop("This blueprint has no machines."),
    gettext_noop("No cluster is registered; an operator registers one under Clusters."),
)  # fmt: skip
"""What a tool says where it cannot answer."""
TITLES = (
    gettext_noop("Cloud-init sets a default password"), gettext_noop("Cloud-init holds a password in plain text"),
    gettext_noop("Cloud-init has no SSH keys"), gettext_noop("Guest of a protected environment can be deleted"),
    gettext_noop("There is no backup"), gettext_noop("No backup job saves it"), gettext_noop("Container is privileged"),
    gettext_noop("Container has features that reach into the kernel"), gettext_noop("Container has raw settings of LXC"),
    gettext_noop("Disk is not encrypted at rest"), gettext_noop("Disk has a single copy"), gettext_noop("Disk may lose what was written"),
    gettext_noop("Firewall of the guest is off"), gettext_noop("Network card goes past the firewall"),
    gettext_noop("Management port is open to the world"), gettext_noop("Firewall lets in what no rule names"),
    gettext_noop("Public address without a firewall"), gettext_noop("Guest may send under any hardware address"),
    gettext_noop("Operating system is past its end of life"), gettext_noop("Guest agent is missing"),
    gettext_noop("Machine type is no longer supported"), gettext_noop("No secure boot or no TPM"),
    gettext_noop("Machine reaches into its host"), gettext_noop("Guest may take the whole node"),
    gettext_noop("specs.ssh_keys: [the public keys]"), gettext_noop("specs.os: a version that is supported"),
    gettext_noop("a private address in specs.ip"),
)  # fmt: skip
"""What the rules of the scanner say of machines that are not there yet, and what a blueprint can say against it."""
_MOST_FINDINGS = 6
_TOOLS = frozenset({
    "estimate_resources", "optimize_costs", "security_audit", "check_compliance", "calculate_capacity", "generate_deployment_plan",
    "validate_blueprint",
})  # fmt: skip
"""What can be asked of a draft that is not saved."""


def time_needed(words: str, draft: Document, talk: Talk) -> Answer:
    """By the plan that an IPR of it would have now."""
    result, reason = _run("generate_deployment_plan", {"blueprint": dict(draft)}, talk)
    if not isinstance(result, PlanResult):
        return Answer(_(_NO_TIME) % {"reason": reason})
    if not result.feasible:
        cannot = _("it cannot run as it stands. %(problems)s") % {"problems": " ".join(result.problems[:3])}
        return Answer(_(_NO_TIME) % {"reason": cannot})
    waves = max((step.wave for step in result.steps), default=0)
    return Answer(
        _("About %(time)s on %(cluster)s, for %(steps)s steps in %(rounds)s rounds, once it is approved. %(approvals)s")
        % {
            "time": _span(result.estimated_seconds),
            "cluster": result.cluster,
            "steps": len(result.steps),
            "rounds": waves,
            "approvals": retold(result.approvals, APPROVALS),
        }
    )


def _span(seconds: int) -> str:
    if seconds < 90:
        return _("%(count)s seconds") % {"count": seconds}
    if seconds < 5400:
        return _("%(count)s minutes") % {"count": round(seconds / 60)}
    return _("%(count)s hours") % {"count": number_format(round(seconds / 3600, 1), 1)}


def security(words: str, draft: Document, talk: Talk) -> Answer:
    """What the rules of the scanner find, the worst first, and what to say against it."""
    result, reason = _run("security_audit", {"blueprint": dict(draft)}, talk)
    if not isinstance(result, AuditResult):
        return Answer(_(_NO_AUDIT) % {"reason": reason})
    found: dict[str, list[str]] = {}
    for row in result.findings:
        hint = " " + _("In the blueprint: %(what)s.") % {"what": _(row.in_document)} if row.in_document else ""
        found.setdefault(f"{term(row.severity)}: {_(row.title).rstrip('.')}.{hint}", []).append(row.subject)
    lines = [f"- {text} ({_some(subjects)})" for text, subjects in found.items()]
    rest = [_("- and %(count)s more") % {"count": len(lines) - _MOST_FINDINGS}] if len(lines) > _MOST_FINDINGS else []
    return Answer("\n".join([result.summary, *lines[:_MOST_FINDINGS], *rest]))


def _some(names: list[str]) -> str:
    first = ", ".join(names[:3])
    return _("%(names)s and %(count)s more") % {"names": first, "count": len(names) - 3} if len(names) > 3 else first


def by_tool(words: str, draft: Document, talk: Talk) -> Answer | None:
    """What a tool finds, where the question asks for one."""
    picked = hear_tool(words, {"blueprint": draft})
    if talk.asking is None or not picked.is_sure or picked.tool not in _TOOLS:
        return None
    if picked.tool == "security_audit":
        return security(words, draft, talk)
    try:
        choice = choose(words, {"blueprint": dict(draft)}, by=talk.asking.by)
    except DomainError:
        return None
    result, reason = _run(choice.tool, choice.arguments, talk)
    if isinstance(result, OptimizeResult):
        return Answer("\n".join([result.summary, *_savings(result)][: _MOST_FINDINGS + 1]))
    return Answer(result.summary if result else _("I cannot say: %(reason)s") % {"reason": reason})


def _savings(result: OptimizeResult) -> list[str]:
    """What is alike is said once."""
    found: dict[tuple[str, str], list[Saving]] = {}
    for row in result.savings:
        found.setdefault((row.change, row.reason), []).append(row)
    return [
        _("- %(names)s: %(change)s, %(sum)s less. %(reason)s")
        % {
            "names": _some([row.resource for row in rows]),
            "change": change,
            "reason": reason,
            "sum": money(sum(row.saving_monthly for row in rows)),
        }
        for (change, reason), rows in found.items()
    ]


def _run(name: str, arguments: Mapping[str, object], talk: Talk) -> tuple[Result | None, str]:
    """What a tool finds with the rights of whoever asks, or why it cannot."""
    if talk.asking is None or talk.asking.by.is_anonymous:
        return None, _(_NOBODY)
    try:
        return run(REGISTER[name], arguments, by=talk.asking.by), ""
    except DomainError as error:
        return None, retold(error.message, _HINDRANCES)
