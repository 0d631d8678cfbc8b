"""What to do about what the doctor finds, by the finding's code."""

from collections.abc import Mapping

from alma.jobs.findings import Severity

_HISTORY = "Keep the event log and the database as they are and look for who wrote to them by hand; report it as a fault of ALMA."
_STATE = "Nothing is deployed wrongly by this, but a status misleads. Keep a copy of the database and report it as a fault of ALMA."
REMEDIES: Mapping[str, str] = {
    "BACKUP_WITHOUT_JOB": "See on its storage whether the archive is whole, and take the backup again if not; report it as a fault of ALMA.",
    "BEGAN_UNASKED": "Stop that job and look into its journal: it has begun what nobody agreed to. Report it as a fault of ALMA.",
    "CHECK_BROKE": "Read the log of the reconciler, mend what it says, and examine again.",
    "CLUSTER_UNREADABLE": "See the page of the cluster: it says since when and why it cannot be read. Nothing on it is judged meanwhile.",
    "EVENT_GAP": _HISTORY,
    "FALSE_SUCCESS": "Do not rely on that deployment: plan the blueprint again and compare with what is there.",
    "GUEST_MISSING": "Somebody deleted the guest on the cluster. Plan its blueprint again: the plan makes it anew or lets it go.",
    "HIDDEN_DEPLOYMENT": _STATE,
    "LEASE_OUTLIVES_JOB": "It ends by itself when the lease runs out. If it stays, restart the workers.",
    "MARKER_LOST": "Somebody changed the guest's description. Put the marker back, or leave the guest to them: ALMA touches it no more.",
    "MARKER_UNKNOWN": "Another ALMA made this guest, or this one was restored from an older backup. Find out which before you delete it.",
    "NOBODY_PLANS": "Ask for a new plan on the IPR's page.",
    "NOTHING_DEPLOYS": "See whether workers and the reconciler run; if the IPR stays like that, report it as a fault of ALMA.",
    "NOT_THE_PLAN": "Stop that deployment and look into its journal: what it did is not what was approved.",
    "NOT_UNDONE": "Roll the deployment back once more; its page names the guests that are left.",
    "NO_CLOSING_EVENT": _HISTORY,
    "ORPHAN": "No blueprint has it any more. The reconciler holds it in quarantine and then removes it; see that one runs. "
    "Whoever wants the guest takes ALMA's mark out of its description before that.",
    "ORPHAN_KEPT": "Somebody chose to keep it. When nobody needs it any more, delete it on the cluster.",
    "PLACE_GIVEN_UP": _STATE,
    "PLACE_MISSING": "Somebody removed it on the cluster. Remove it in ALMA as well, or make it there again under its name.",
    "PLACE_SECRET_KEPT": "Change that secret where it is used: it was to be kept no longer than until the storage was made.",
    "PLACE_UNFINISHED": "Its job could neither end well nor take back what it did: remove it in ALMA, or make it again.",
    "PLAN_ALTERED": "Somebody changed a plan in the database. Do not deploy it; plan the IPR again and find out who.",
    "SCRATCH_LEFT": "The reconciler removes it as it does orphans; see that one runs.",
    "SILENT_FAILURE": _STATE,
    "STANDS_STILL": "See whether a reconciler and workers run, and start them.",
    "STEP_OUTLIVES_JOB": _STATE,
    "TWO_STORIES": _STATE,
    "UNPROVEN_SUCCESS": "Do not rely on that deployment: plan the blueprint again and compare with what is there.",
    "WAITS_IN_VAIN": "Cancel the job, and ask for the same once more if it is still wanted.",
}
_BY_SEVERITY: Mapping[str, str] = {
    Severity.BREACH: "This must never be. Keep a copy of the database and report it as a fault of ALMA.",
    Severity.DRIFT: "Somebody changed it outside ALMA. Plan the blueprint again to see the difference.",
    Severity.UNKNOWN: "It could not be looked at. Examine again when the other side answers.",
}


def remedy(finding: Mapping[str, str]) -> str:
    """What to do about a finding, as `Finding.as_dict` writes it."""
    return REMEDIES.get(finding["code"]) or _BY_SEVERITY.get(finding["severity"], "")
