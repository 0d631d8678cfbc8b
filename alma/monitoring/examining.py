"""The doctor as a chore: examines a live installation when somebody asks, and once a day. Reads only, but for its own rows.

It runs in the reconciler and not as a task: it waits for clusters, and a task that waits is cut off."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from alma.accounts.models import Organization
from alma.events.services import emit
from alma.jobs.findings import MOST, Finding, Severity
from alma.monitoring.models import Examination

logger = logging.getLogger(__name__)
SILENT = timedelta(seconds=180)
"""After which whoever carried an examination out counts as gone; longer than the looks at a few silent clusters."""
EVERY = timedelta(days=1)
SETTLED = timedelta(hours=1)
KEPT = 10


class Superseded(Exception):
    """Another copy has taken the examination over."""


@transaction.atomic
def ask(*, by: str) -> Examination:
    """An examination that will be carried out; the open one if there is one."""
    waiting = Examination.objects.select_for_update().filter(finished_at=None).order_by("pk").first()
    return waiting or Examination.objects.create(requested_by=by)


def examine_due() -> None:
    """Carry out what was asked for, and what is due by the day. A chore of the reconciler."""
    if _is_due():
        ask(by="")
    row = _claim()
    if row is not None:
        try:
            _carry_out(row)
        except Superseded:
            logger.info("another copy goes on with it", extra={"examination": row.pk})


def _is_due() -> bool:
    """Whether a day has passed; in a new installation an hour, for in its first minute nothing answers yet."""
    if Examination.objects.filter(Q(finished_at=None) | Q(requested_at__gt=Now() - EVERY)).exists():
        return False
    return Organization.objects.filter(created_at__lt=Now() - SETTLED).exists()


def _claim() -> Examination | None:
    """The oldest open one that nobody carries out, now ours."""
    free = Q(seen_at=None) | Q(seen_at__lt=Now() - SILENT)
    row = Examination.objects.filter(free, finished_at=None).order_by("pk").first()
    if row is None:
        return None
    ours = Examination.objects.filter(free, pk=row.pk, token=row.token, finished_at=None)
    names = settings.ALMA_INVARIANTS
    taken = ours.update(
        token=F("token") + 1, started_at=Now(), seen_at=Now(), done=0, total=len(names), findings=[]
    )  # fmt: skip
    return Examination.objects.get(pk=row.pk) if taken else None


def _carry_out(row: Examination) -> None:
    """Check after check, each written down before the next. Raises Superseded."""
    for name in settings.ALMA_INVARIANTS:
        row.findings += [finding.as_dict() for finding in _findings(row, name)]
        row.done += 1
        _keep(row, done=row.done, findings=row.findings)
    with transaction.atomic():
        _keep(row, finished_at=Now())
        _alarm(row)
    old = Examination.objects.exclude(finished_at=None).values_list("pk", flat=True)[KEPT:]
    Examination.objects.filter(pk__in=list(old)).delete()


def _alarm(row: Examination) -> None:
    """Tell the organizations of staff what must not be, once for each set of such findings: how many, of which kinds, and never of
    whom: findings are about the things of all organizations."""
    codes = _breaches(row)
    earlier = Examination.objects.exclude(finished_at=None).exclude(pk=row.pk).first()
    if not codes or (earlier is not None and _breaches(earlier) == codes):
        return
    for pk in Organization.objects.filter(memberships__user__is_staff=True).distinct().values_list("pk", flat=True):
        kinds = sorted(codes)
        emit(f"installation:{pk}", "doctor.alarmed", organization_id=pk, findings=codes.total(), codes=kinds)


def _breaches(row: Examination) -> Counter[str]:
    return Counter(one["code"] for one in row.findings if one["severity"] == Severity.BREACH)


def _findings(row: Examination, name: str) -> list[Finding]:
    """What one check finds. A check that breaks is a finding too: what it looks at is unknown, not well."""
    check: Callable[[], Iterable[Finding]] = import_string(name)
    found: list[Finding] = []
    try:
        for finding in islice(check(), MOST):
            found.append(finding)
            _keep(row)
    except Superseded:
        raise
    except Exception:
        logger.exception("a check of the doctor broke", extra={"check": name})
        sentence = "This check broke before its end; the reconciler's log says how."
        found.append(Finding(Severity.UNKNOWN, "CHECK_BROKE", name.rpartition(".")[2], sentence))
    return found


def _keep(row: Examination, **values: object) -> None:
    """Show life, and write what is known so far. Raises Superseded."""
    ours = Examination.objects.filter(pk=row.pk, token=row.token, finished_at=None)
    if not ours.update(seen_at=Now(), **values):
        raise Superseded
