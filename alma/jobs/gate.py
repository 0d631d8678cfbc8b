"""The gate before work that people have to agree to first. Which app keeps it stands in the settings: none of the apps that
ask for such work knows it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string

from alma.jobs.models import Job

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


def propose(job: Job, wish: object, *, by: "Actor") -> None:
    """Ask people about a job that waits; `wish` says what of. Its parameters name where they decide: `ipr` and `ipr_url`.

    Inside the transaction that makes the job. Raises Refused, Invalid."""
    import_string(settings.ALMA_GATE["propose"])(job, wish, by=by)


def withdraw(job: Job, *, by: "Actor") -> None:
    """Take back what was asked about a job that waits, and so end it. Raises Refused, WrongState."""
    import_string(settings.ALMA_GATE["withdraw"])(job, by=by)


def decided_at(params: Mapping[str, Any]) -> dict[str, Any]:
    """Where people decide, or have decided, about a job of these parameters: the number of the IPR and its page."""
    return {"ipr_id": params.get("ipr"), "ipr_url": params.get("ipr_url")}
